#!/usr/bin/env bash
# Set-up and all tests in one command: formatting, lint, types, our own tests, the runtimes' own tests, and every
# runtime that can be built here held to the contract. With arguments, which go to pytest, our own tests alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runner/setup.sh dev
.venv/bin/ruff format --check --quiet .
.venv/bin/ruff check --quiet .
.venv/bin/mypy
if [ $# -gt 0 ]; then exec .venv/bin/python -m pytest "$@"; fi
.venv/bin/agentdyno conform --install
for test in runtimes/*/test.sh; do bash "$test"; done
exec .venv/bin/python -m pytest

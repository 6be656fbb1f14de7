#!/usr/bin/env bash
# Set-up and all tests in one command: formatting, lint, types, our own tests, the runtimes' own tests, and every
# runtime that can be built here held to the contract. With arguments, which go to pytest, our own tests alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runner/setup.sh dev
.venv/bin/ruff format --check --quiet .
.venv/bin/ruff check --quiet .
.venv/bin/mypy
# The C++ tests need doctest, which the C++ runtimes do not; those of the HTML report need a browser.
missing=()
[ -e /usr/include/doctest/doctest.h ] || missing+=(doctest-dev)
command -v chromium >/dev/null || missing+=(chromium fonts-liberation)
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing for the tests: apt-get install --yes --quiet --no-install-recommends ${missing[*]}" >&2
    apt-get update --quiet >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}" >/dev/null
fi
if [ $# -gt 0 ]; then exec .venv/bin/python -m pytest "$@"; fi
.venv/bin/agentdyno conform --install
for manifest in runtimes/*/runtime.toml; do
    test="$(dirname "$manifest")/test.sh"
    if [ -e "$test" ]; then bash "$test"; fi
done
exec .venv/bin/python -m pytest

#!/usr/bin/env bash
# Makes every lock file anew from its sources. Needs `uv` (pip install uv); run it when a dependency is added or raised.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet "$@"; }
compile pyproject.toml requirements/build.in -o requirements/harness.lock
compile pyproject.toml requirements/build.in --group dev -o requirements/dev.lock
compile requirements/verifier.in -o requirements/verifier.lock
compile runtimes/python/requirements.in -o runtimes/python/requirements.lock
compile requirements/uv.in -o requirements/uv.lock
for server in llama_cpp litellm llmock; do
    compile "tests/real/$server/requirements.in" -o "tests/real/$server/requirements.lock"
done

#!/usr/bin/env bash
# Checks the format, lints, compiles and runs the tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

bash build.sh
node_modules/.bin/prettier --check .
node_modules/.bin/tsc --build tests
node_modules/.bin/eslint --max-warnings 0 .
node --test dist/tests/

#!/usr/bin/env bash
# Format, warnings as errors, and the unit tests under AddressSanitizer and UndefinedBehaviorSanitizer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if command -v clang-format >/dev/null; then
    clang-format --dry-run --Werror src/*.[ch] tests/*.[ch]
else
    echo "test.sh: the format cannot be checked: install clang-format (Debian: apt-get install clang-format)" >&2
    exit 1
fi
make --silent --jobs 2 tests
build/tests

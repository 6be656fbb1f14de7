#!/usr/bin/env bash
# Checks the format, builds and runs the tests: test.sh [--compile] [address|thread|release]..., the two sanitizers if none is named.
# --compile builds and does not run them. The release build itself is what `agentdyno conform` plays all cases against.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

for program in g++ cmake ninja clang-format; do
    if ! command -v "$program" >/dev/null; then
        echo "test.sh: $program is missing; on Debian: apt-get install g++ cmake ninja-build clang-format" >&2
        exit 1
    fi
done

clang-format --dry-run --Werror src/*.?pp tests/*.?pp
source ./stale_caches.sh
only_compile=false
if [ "${1:-}" = --compile ]; then
    only_compile=true
    shift
fi
(($#)) || set -- address thread
for preset in "$@"; do
    cmake --preset "$preset" -DAGENTLOOP_TESTS=ON
    cmake --build "build/$preset"
    if [ "$only_compile" = true ]; then continue; fi
    ctest --test-dir "build/$preset" --output-on-failure --parallel 2 --timeout 300
done

#!/usr/bin/env bash
# Builds and runs the tests: test.sh [address|thread|release]..., the two sanitizers if none is named. The release build
# itself is what `agentdyno conform` plays all cases against.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

for program in g++ cmake ninja; do
    if ! command -v "$program" >/dev/null; then
        echo "test.sh: $program is missing; on Debian: apt-get install g++ cmake ninja-build" >&2
        exit 1
    fi
done

source ./stale_caches.sh
(($#)) || set -- address thread
for preset in "$@"; do
    cmake --preset "$preset" -DAGENTLOOP_TESTS=ON
    cmake --build "build/$preset"
    ctest --test-dir "build/$preset" --output-on-failure --parallel 2 --timeout 300
done

#!/usr/bin/env bash
# Builds the two executables into build/release/; quick when nothing changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

NEEDED="g++ cmake ninja-build libcurl4-openssl-dev nlohmann-json3-dev"

source ./stale_caches.sh

# What a build says is of interest only when it fails.
said=$(cmake --preset release -DAGENTLOOP_TESTS=OFF 2>&1) || {
    printf '%s\nbuild.sh: the configuration failed; on Debian it needs: apt-get install %s\n' "$said" "$NEEDED" >&2
    exit 1
}
said=$(cmake --build build/release --target agentloop-events agentloop-threads 2>&1) || {
    printf '%s\nbuild.sh: the compilation failed\n' "$said" >&2
    exit 1
}

#!/usr/bin/env bash
# Builds target/release/agentloop from Cargo.lock; quick when nothing changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# What a build says is of interest only when it fails.
said=$(cargo build --release --locked 2>&1) || {
    printf '%s\nbuild.sh: the build failed\n' "$said" >&2
    exit 1
}

#!/usr/bin/env bash
# Format check, linter with warnings as errors, unit tests. Needs what `requires` of runtime.toml names.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

for program in cargo cc; do
    command -v "$program" >/dev/null || {
        echo "test.sh: $program is missing; install Rust from https://rustup.rs and a C compiler" >&2
        exit 1
    }
done
# What the debugger would need takes a third of the time to build.
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0
cargo fmt --check
cargo clippy --locked --all-targets -- -D warnings
cargo test --locked

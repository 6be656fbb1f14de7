#!/usr/bin/env bash
# Builds build/agentloop; quick when nothing changed, because the go command keeps what it has compiled.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Without cgo the program is one static file, and names are resolved by Go itself.
# Without the paths and the commit of the checkout, the same source and the same Go always make the same file.
# A toolchain other than the one that is installed would have to be downloaded.
CGO_ENABLED=0 GOFLAGS= GOTOOLCHAIN=local \
    go build -p 2 -trimpath -buildvcs=false -ldflags=-s -o build/agentloop . || {
    printf 'build.sh: the compilation failed; it needs Go 1.26 or newer, https://go.dev/dl\n' >&2
    exit 1
}

#!/usr/bin/env bash
# Format, vet and unit tests, with the race detector.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export GOTOOLCHAIN=local

unformatted=$(gofmt -l .)
if [ -n "$unformatted" ]; then
    printf 'test.sh: not as gofmt writes it: %s\n' "$unformatted" >&2
    exit 1
fi
go vet ./...
if ! command -v "$(go env CC)" > /dev/null; then
    printf 'test.sh: the race detector needs a C compiler; on Debian: apt-get install gcc\n' >&2
    exit 1
fi
CGO_ENABLED=1 go test -p 2 -race ./...

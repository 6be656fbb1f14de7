#!/usr/bin/env bash
# Compiles src/ to dist/ with the compiler of package-lock.json; quick when nothing changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

found=$(node --version 2>/dev/null) || found=none
if [[ ! $found =~ ^v([0-9]+)\. ]] || ((BASH_REMATCH[1] < 20)); then
    echo "build.sh: Node.js 20 or newer is needed and $found is on PATH; take one from nodejs.org" >&2
    exit 1
fi
if ! cmp --silent package-lock.json node_modules/installed-lock.json; then
    # What npm says is of interest only when it fails.
    said=$(npm ci --no-audit --no-fund 2>&1) || {
        printf '%s\nbuild.sh: npm ci failed\n' "$said" >&2
        exit 1
    }
    cp package-lock.json node_modules/installed-lock.json
fi
node_modules/.bin/tsc --build

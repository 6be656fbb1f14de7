#!/usr/bin/env bash
# Builds build/floor; quick when nothing changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
make --silent floor

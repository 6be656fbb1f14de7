#!/usr/bin/env bash
# Makes .venv/ at the root from the lock file named (harness or dev), and .venv/verifier/, the interpreter that runs
# the attempts' tests and has pytest and nothing else. Sourced files change nothing when the locks have not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
lock="requirements/${1:-harness}.lock"

python=""
for candidate in python3.13 python3.12 python3.11 python3; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "agentdyno: no Python 3.11 or newer on PATH; install one (Debian: apt-get install python3 python3-venv) and run this again" >&2
    exit 2
fi

# A virtual environment is current when it was made here, and not in a checkout that was moved or copied since, from
# the lock that is here.
install() { # folder lock
    local folder=$1 lock=$2
    if [ -x "$folder/bin/python3" ] && cmp -s "$lock" "$folder/installed.lock" &&
        [ "$(cat "$folder/installed.path" 2>/dev/null)" = "$PWD" ]; then return; fi
    echo "setting up $folder from $lock" >&2
    if ! "$python" -m venv "$folder"; then
        echo "agentdyno: $python cannot make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv" >&2
        exit 2
    fi
    "$folder/bin/python3" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    if [ "$folder" = .venv ]; then
        "$folder/bin/python3" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
    fi
    pwd >"$folder/installed.path"
    cp "$lock" "$folder/installed.lock"
}

# The development lock holds everything of the harness lock, so it serves both.
if ! { [ "$lock" = requirements/harness.lock ] && cmp -s requirements/dev.lock .venv/installed.lock &&
    [ "$(cat .venv/installed.path 2>/dev/null)" = "$PWD" ]; }; then
    install .venv "$lock"
fi
install .venv/verifier requirements/verifier.lock

#!/usr/bin/env bash
# Makes .venv/ at the root from the lock file named (harness or dev); .venv/verifier/, the interpreter that runs the
# attempts' tests and has pytest and nothing else; and .venv/receipt/, the program that runs the verifier and tells the
# harness what it ran on. Changes nothing when locks and source have not changed.
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
is_current() { # folder lock
    [ -x "$1/bin/python3" ] && cmp -s "$2" "$1/installed.lock" && [ "$(cat "$1/installed.path" 2>/dev/null)" = "$PWD" ]
}

make_venv() { # folder lock option...
    echo "setting up $1 from $2" >&2
    if ! "$python" -P -m venv "${@:3}" "$1"; then
        echo "agentdyno: $python cannot make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv" >&2
        exit 2
    fi
}

# uv installs a lock in a quarter of pip's processor time. Where uv does not run or finds no index, pip installs it.
# uv knows pip's settings under other names. It copies: a file that an environment shares with uv's cache, as a hard
# link, could be changed for all environments at once.
pip_install() { # folder argument...
    local folder=$1
    shift
    if [ -x .venv/bin/uv ] && UV_FIND_LINKS="${UV_FIND_LINKS:-${PIP_FIND_LINKS:-}}" UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-}}" \
        SSL_CERT_FILE="${SSL_CERT_FILE:-${PIP_CERT:-}}" \
        .venv/bin/uv pip install --quiet --link-mode copy --compile-bytecode --python "$folder/bin/python3" "$@"; then return; fi
    echo "no uv, or uv could not install into $folder: pip tries" >&2
    .venv/bin/python3 -P -m pip --python "$folder/bin/python3" install --quiet --disable-pip-version-check "$@"
}

made_from() { # folder lock
    pwd >"$1/installed.path"
    cp "$2" "$1/installed.lock"
}

# The development lock holds everything of the harness lock, so it serves both.
if ! is_current .venv "$lock" && ! { [ "$lock" = requirements/harness.lock ] && is_current .venv requirements/dev.lock; }; then
    make_venv .venv "$lock"
    .venv/bin/python3 -P -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock || true
    pip_install .venv --require-hashes -r "$lock"
    pip_install .venv --no-deps --no-build-isolation --editable .
    made_from .venv "$lock"
fi

# The verifier's environment is sealed, because attempts run in it: nothing in it may be written, and a record of its
# files lets agentdyno find what was written all the same.
verifier=.venv/verifier verifier_lock=requirements/verifier.lock
if ! is_current "$verifier" "$verifier_lock" || [ ! -e "$verifier/sealed.json" ]; then
    if [ -d "$verifier" ]; then chmod -R u+w "$verifier" && rm -r "$verifier"; fi
    make_venv "$verifier" "$verifier_lock" --without-pip
    pip_install "$verifier" --require-hashes -r "$verifier_lock"
    made_from "$verifier" "$verifier_lock"
    .venv/bin/python3 -P -m agentdyno.sealed "$verifier"
fi

# The program is static, because what runs between a runtime and the verifier must not load what either could change.
receipt=.venv/receipt receipt_source=src/agentdyno/runner/receipt.c
if [ ! -e "$receipt/sealed.json" ] || ! cmp -s "$receipt_source" "$receipt/receipt.c"; then
    compiler=""
    for candidate in musl-gcc gcc clang cc; do
        if command -v "$candidate" >/dev/null; then
            compiler=$candidate
            break
        fi
    done
    if [ -z "$compiler" ]; then
        echo "agentdyno: no C compiler, so verifications will send no receipts; on Debian or Ubuntu: apt-get install gcc" >&2
    else
        if [ -d "$receipt" ]; then chmod -R u+w "$receipt" && rm -r "$receipt"; fi
        mkdir "$receipt"
        "$compiler" -std=c17 -O2 -static -s -o "$receipt/receipt" "$receipt_source"
        cp "$receipt_source" "$receipt/receipt.c"
        .venv/bin/python3 -P -m agentdyno.sealed "$receipt"
    fi
fi

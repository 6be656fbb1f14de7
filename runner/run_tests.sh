#!/usr/bin/env bash
# Set-up and all tests in one command: formatting, lint, types, every runtime that can be built here held to the
# contract, the runtimes' own tests, and our own tests. Prints the seconds of every stage on stderr.
#
# --fast, first: two minutes on two cores. Formatting, lint, types, the tests that start no process, and a sample of
# the contract's cases against the Python runtime.
# Other arguments go to pytest, which then runs our own tests alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source runner/stages.sh
compiling="" checking="" in_memory=""
types=$(mktemp)
end() {
    if [ -n "$checking" ]; then kill "$checking" 2>/dev/null || true; fi
    if [ -n "$compiling" ]; then kill -- "-$compiling" 2>/dev/null || true; fi
    rm -rf "$types" "$in_memory"
    seconds_per_stage
}
trap end EXIT

# The C++ tests need doctest, which the C++ runtimes do not; the sources of C++ and of the floor are held to
# clang-format; the tests of the HTML report need a browser. A test that misses one of them fails and says what to install.
install_for_tests() {
    local missing=()
    [ -e /usr/include/doctest/doctest.h ] || missing+=(doctest-dev)
    command -v clang-format >/dev/null || missing+=(clang-format)
    command -v chromium >/dev/null || missing+=(chromium fonts-liberation)
    if [ ${#missing[@]} -eq 0 ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then return; fi
    echo "installing for the tests: apt-get install --yes --quiet --no-install-recommends ${missing[*]}" >&2
    apt-get update --quiet >/dev/null &&
        DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}" >/dev/null
}

# The cases of conform wait about a third of their time. Checking types and compiling the tests of C++, at the lowest
# priority, take place in it. What does not compile fails once more, and says why, in the stage of its tests.
conform_and_compile() {
    local status=0
    nice -n 19 .venv/bin/mypy >"$types" 2>&1 &
    checking=$!
    if command -v cmake ninja >/dev/null; then
        setsid nice -n 19 bash runtimes/cpp/test.sh --compile >/dev/null 2>&1 &
        compiling=$!
    fi
    .venv/bin/agentdyno conform --install --variants touched --durations || status=$?
    wait "$checking" || status=$?
    cat "$types"
    wait
    compiling="" checking=""
    return "$status"
}

# The tests make and sync some hundred thousand small files. In memory that takes a sixth less time.
room_kib=$(df --output=avail /dev/shm 2>/dev/null | tail -n 1 || true)
if [ -z "${TMPDIR:-}" ] && [ "${room_kib:-0}" -gt $((4 << 20)) ]; then
    in_memory=$(mktemp --directory /dev/shm/agentdyno-tests.XXXXXX)
    chmod 1777 "$in_memory" # as /tmp: some tests act as another user
    export TMPDIR=$in_memory
fi

stage "set-up" runner/setup.sh dev
if [ "${1:-}" = --fast ]; then
    shift
    stage "format" .venv/bin/ruff format --check --quiet .
    stage "lint" .venv/bin/ruff check --quiet .
    stage "types" .venv/bin/mypy
    stage "conform python --quick" .venv/bin/agentdyno conform python --quick
    stage "tests that start no process" \
        .venv/bin/python -m pytest -m "not process" --numprocesses auto --maxprocesses 4 "$@"
    exit
fi
stage "packages for the tests" install_for_tests
if [ $# -gt 0 ]; then
    stage "tests" .venv/bin/python -m pytest "$@"
    exit
fi
stage "format" .venv/bin/ruff format --check --quiet .
stage "lint" .venv/bin/ruff check --quiet .
stage "conform, types, and compiling the tests of C++" conform_and_compile
for test in runtimes/*/test.sh; do
    stage "$test" bash "$test"
done
stage "tests" .venv/bin/python -m pytest --numprocesses 2 --dist loadscope --durations=30

#!/usr/bin/env bash
# Set-up and main job in one command. Arguments go to `agentdyno run`; --check says whether this machine is ready, and
# --quick, first, is a run of under a minute. Needs Python 3.11 or newer and nothing else.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
"$root/runner/setup.sh" harness
agentdyno="$root/.venv/bin/agentdyno"
case "${1:-}" in
    --check) shift; exec "$agentdyno" check "$@" ;;
    --quick)
        shift
        exec "$agentdyno" run --limit 20 --agents 20 --repeats 1 --profile chat-7b:ttft=200ms,itl=5ms \
            --verify-timeout 5 "$@"
        ;;
    *) exec "$agentdyno" run "$@" ;;
esac

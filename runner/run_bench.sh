#!/usr/bin/env bash
# Set-up and main job in one command. Arguments go to `agentdyno run`; --check says whether this machine is ready,
# --quick, first, is a run of under a minute a runtime, and --full, first, is the experiment behind the published
# table. Needs Python 3.11 or newer; what else the runtimes need is installed, after saying so, on Debian and Ubuntu as
# root or with sudo that asks for no password, and a runtime that cannot be built is skipped, with what would enable it.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
"$root/runner/setup.sh" harness
agentdyno="$root/.venv/bin/agentdyno"
case "${1:-}" in
    --check) shift; exec "$agentdyno" check "$@" ;;
    --quick)
        shift
        exec "$agentdyno" run --install --limit 20 --agents 20 --profile chat-7b:ttft=200ms,itl=5ms \
            --verify-timeout 3 "$@"
        ;;
    --full)
        shift
        # At 20 ms a token 1,000 agents would ask more of the endpoint than two cores can serve in time.
        exec "$agentdyno" run --install --agents 100,1000 --verifier cold,null --profile chat-7b:itl=40ms~0.2 "$@"
        ;;
    *) exec "$agentdyno" run --install "$@" ;;
esac

"""Exit: whatever the runtime's parent left it."""

import signal
import sys

from agentdyno.conformance import wire
from agentdyno.conformance.case import case
from agentdyno.conformance.cases.exit_moments import WITHIN_S, verification
from agentdyno.conformance.cases.exit_signals import signalled
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.stage import FAILING, PASSING, Stage, passing
from agentdyno.conformance.violation import require


def _after(preparation: str) -> list[str]:
    """A command that does something to its own process, and then becomes the runtime."""
    return [sys.executable, "-I", "-S", "-c", f"{preparation}\nos.execvp(sys.argv[1], sys.argv[1:])"]


STOPPING = "signal.SIGINT, signal.SIGTERM"
IGNORED = _after(
    f"import os, signal, sys\nfor number in ({STOPPING}):\n    signal.signal(number, signal.SIG_IGN)"
)
BLOCKED = _after(f"import os, signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, ({STOPPING}))")
CHILDREN_IGNORED = _after(
    "import os, signal, sys\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])"
)
NOBODY_READS_STDERR = _after(
    "import os, signal, sys\nsignal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
    "reading, writing = os.pipe()\nos.close(reading)\nos.dup2(writing, 2)"
)

for _name, _through in (("ignored", IGNORED), ("blocked", BLOCKED)):
    for _number in (signal.SIGTERM, signal.SIGINT):
        case("exit.inherited", f"{_number.name} {_name} by its parent")(
            signalled(verification, _number, through=_through)
        )


@case("exit.inherited", "SIGCHLD ignored and blocked by its parent")
async def sigchld_ignored(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.code(PASSING if exchange.request.attempt == 2 else FAILING)

    observed = await stage.run(answer, through=CHILDREN_IGNORED, within_s=WITHIN_S)
    codes = [attempt.exit_code for attempt in observed.attempts()]
    require(codes == [1, 0], f"exit codes {codes}, expected [1, 0]; {observed.ending}")
    require(observed.outcome().outcome == "passed", f"{observed.outcome()}")
    return "exit codes of the verifier as they were"


@case("exit.inherited", "nobody reads its stderr")
async def nobody_reads_stderr(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        match exchange.request.task, exchange.request.number:
            case ("refused", _):
                await exchange.send(wire.json_error(400))
            case (_, 1):
                exchange.reset()
            case _:
                await passing(exchange)

    observed = await stage.run(answer, tasks=("refused", "passed"), through=NOBODY_READS_STDERR)
    require(observed.status == 0, f"a run with retries and an error: expected exit 0; {observed.ending}")
    require(observed.outcome("passed").outcome == "passed", f"{observed.outcome('passed')}")
    unusable = await stage.run(through=NOBODY_READS_STDERR, change=lambda document: document.pop("model"))
    require(unusable.status == 2, f"an unusable run file: expected exit 2; {unusable.ending}")
    return "exit 0 and 2 all the same"

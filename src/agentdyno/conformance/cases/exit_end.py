"""How a run ends, and what of its surroundings a runtime inherits."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentdyno.conformance import wire
from agentdyno.conformance.assertions import given_up, is_noted, limited_files, noting
from agentdyno.conformance.case import case
from agentdyno.conformance.cases.exit_moments import SLEEP_S, WITHIN_S, verification
from agentdyno.conformance.cases.exit_signals import left_behind, signalled
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import NotPossible, require
from agentdyno.conformance.running import Running
from agentdyno.conformance.stage import FAILING, PASSING, Stage, passing

QUICK = {"argv": ["echo", "1 passed in 0.00s"], "slots": 4}


@case("exit.status", "every task failed")
async def every_task_failed(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        if exchange.request.task == "refused":
            await exchange.send(wire.json_error(400))
        else:
            await exchange.code(FAILING)

    observed = await stage.run(answer, tasks=("failed", "refused"), max_retries=1)
    require(observed.status == 0, f"expected exit 0; {observed.ending}")
    outcomes = [observed.outcome(task).outcome for task in ("failed", "refused")]
    require(outcomes == ["failed", "error"], f"outcomes {outcomes}")
    return "exit 0 with one task failed and one in error"


@case("exit.status", "the endpoint dies")
async def endpoint_dies(stage: Stage) -> str:
    tasks = [f"task/{number}" for number in range(1, 13)]

    async def answer(exchange: Exchange) -> None:
        await (passing if exchange.request.task in tasks[:4] else Exchange.silence)(exchange)

    async def die(running: Running) -> None:
        await running.until(lambda: len(running.endpoint.requests) == 7, "7 requests")
        running.endpoint.die()

    observed = await stage.run(answer, tasks=tasks, agents=3, transport={"max_retries": 1}, act=die)
    require(observed.status == 0, f"expected exit 0; {observed.ending}")
    for task in tasks[4:]:
        given_up(observed, 1 if task in tasks[:7] else 0, task)
    passed = sum(outcome.outcome == "passed" for outcome in observed.events.outcomes)
    require(passed == 4, f"{passed} tasks passed, expected 4")
    return "4 tasks passed before, 8 in error after it, exit 0"


@case("exit.processes", "children of a verifier that has passed")
async def children_of_a_verifier(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        await exchange.code(f"import os, time\nif os.fork() == 0:\n    time.sleep({SLEEP_S})\n{PASSING}")

    observed = await stage.run(answer, tasks=("task/1", "task/2", "task/3"), agents=3)
    require(not observed.survivors, f"left behind: {observed.survivors[:1]}")
    return "3 verifiers left a child each in their group, and none is left"


@case("exit.zombies", "forty verifications")
async def forty_verifications(stage: Stage) -> str:
    tasks = [f"task/{number}" for number in range(1, 41)]
    observed = await stage.run(tasks=tasks, agents=4, verify=QUICK)
    require(observed.zombies == 0, f"{observed.zombies} children not reaped")
    return "40 children, all reaped"


@case("exit.workspaces", "however an attempt ends")
async def however_it_ends(stage: Stage) -> str:
    codes = {
        "passed": PASSING,
        "failed": FAILING,
        "timed out": "while True: pass\n",
        "a signal": "import os\nos.kill(os.getpid(), 11)\n",
        "folders": f"import os\nos.makedirs('a/b/c')\nos.chmod('a/b', 0)\n{PASSING}",
    }

    async def answer(exchange: Exchange) -> None:
        await exchange.code(codes[exchange.request.task])

    observed = await stage.run(answer, tasks=[*codes], agents=5, max_retries=0, verify={"timeout_s": 1})
    require(not observed.workspaces_left, f"left behind: {observed.workspaces_left[:1]}")
    return f"none left after: {', '.join(codes)}"


def _small_disk(folder: Path, before: str = "") -> list[str]:
    """A command that mounts 4 KiB of disk on the folder, seen by itself alone, and becomes the runtime.

    As root in a namespace of mounts, as anybody in one of users as well; raises NotPossible where neither is
    allowed.
    """
    # Without the key: these commands are children as well, until the shell becomes the runtime.
    mount = f'LLM_API_KEY= mount -t tmpfs -o size=4k none "$0" && {before}'
    for options in (["--mount"], ["--mount", "--map-root-user"]):
        unshare = ["unshare", *options, "sh", "-c"]
        try:
            tried = subprocess.run([*unshare, mount + "true", str(folder)], capture_output=True, check=False)
        except FileNotFoundError:
            raise NotPossible("unshare(1) is missing; it comes with util-linux") from None
        if tried.returncode == 0:
            return [*unshare, mount + 'exec "$@"', str(folder)]
    raise NotPossible(
        "a small disk cannot be mounted here: neither as root nor in a user namespace (unshare -r)"
    )


async def _filled_up(stage: Stage, through: Sequence[str], events: Path | None = None) -> str:
    """One agent verifies, one waits for the endpoint, one writes events until there is no room for more."""

    def change(document: dict[str, Any]) -> None:
        if events is not None:
            document["events"] = str(events)

    async def answer(exchange: Exchange) -> None:
        match exchange.request.task:
            case "verifying":
                body = f"if os.fork() == 0:\n    note('begun', 0)\ntime.sleep({SLEEP_S})\n"
                await exchange.code(noting(stage, body))
            case "silent":
                await exchange.silence()
            case _:
                while not is_noted(stage, "begun"):
                    await exchange.pause(0.005)
                await exchange.reply("No code.")

    observed = await stage.run(
        answer,
        tasks=("verifying", "silent", *(f"task/{number}" for number in range(30))),
        agents=3,
        verify={"timeout_s": SLEEP_S},
        timeouts={"event_idle_s": 60, "total_s": 60},
        change=change,
        through=through,
        within_s=WITHIN_S,
    )
    return _failed(observed, (1,))


@case("exit.disk", "full in the middle of the run")
async def disk_full(stage: Stage) -> str:
    disk = stage.folder / "disk"
    disk.mkdir()
    return await _filled_up(stage, _small_disk(disk), disk / "events.jsonl")


@case("exit.disk", "as large as a file may be")
async def events_at_the_limit(stage: Stage) -> str:
    """The system calls that would make the file larger send SIGXFSZ, which ends whoever is not prepared."""
    return await _filled_up(stage, limited_files(4))


@case("exit.disk", "full from the start")
async def disk_full_from_the_start(stage: Stage) -> str:
    disk = stage.folder / "disk"
    disk.mkdir()
    fill = 'head -c 4096 /dev/zero >"$0/other" && '
    observed = await stage.run(
        change=lambda document: document.update(events=str(disk / "events.jsonl")),
        through=_small_disk(disk, fill),
        within_s=WITHIN_S,
    )
    return _failed(observed, (1, 2))


def _failed(observed: Observation, statuses: Sequence[int]) -> str:
    expected = " or ".join(map(str, statuses))
    require(observed.status in statuses, f"expected exit {expected}; {observed.ending}")
    lines = observed.stderr.decode("utf-8", "replace").strip().splitlines()
    require(len(lines) == 1, f"{len(lines)} lines on stderr, expected 1: {lines[:2]}")
    left = left_behind(observed)
    require(not left, f"left behind: {left[:1]}")
    said = lines[0].replace(str(observed.folder.parent), "…")
    return f"exit {observed.status}, nothing left: {said}"


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

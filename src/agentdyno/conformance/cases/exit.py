"""Exit: how a run ends, by itself or by a signal, and that nothing is left of it."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentdyno.conformance import wire
from agentdyno.conformance.assertions import given_up
from agentdyno.conformance.case import Play, case
from agentdyno.conformance.endpoint import Answer, Exchange
from agentdyno.conformance.notes import is_noted, noting
from agentdyno.conformance.observation import Observation
from agentdyno.conformance.running import Act, Running
from agentdyno.conformance.sockets import full_port
from agentdyno.conformance.stage import FAILING, PASSING, Stage, passing
from agentdyno.conformance.violation import NotPossible, require

LIMIT_S = 5.0
"""How long a runtime may take to end after a signal."""

WITHIN_S = 7.0
"""When a runtime that does not end is given up."""

QUICK = {"argv": ["echo", "1 passed in 0.00s"], "slots": 4}

SLEEP_S = 60
"""How long a verification goes on if nobody ends it."""


@dataclass(frozen=True)
class Moment:
    """A moment of a run: what leads to it, and how one sees that it has come.

    `under_way` are the tasks that agents work on then, `waiting` those after them, `over` those before.
    """

    answer: Answer
    come: Act
    under_way: Sequence[str] = ("task/1",)
    waiting: Sequence[str] = ()
    over: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


async def _run_start(running: Running) -> None:
    await running.until(running.events, "run_start")


def _after_answer(sent: list[str], number: int = 1) -> Act:
    """A short while after the endpoint has said all that it will: the runtime has read it by then, mostly."""

    async def come(running: Running) -> None:
        await running.until(lambda: len(sent) >= number, "the answer")
        end = time.monotonic() + 0.1
        await running.until(lambda: time.monotonic() > end, "a tenth of a second")

    return come


def run_start(stage: Stage) -> Moment:
    """As soon as there is a run_start event."""
    return Moment(Exchange.silence, _run_start, waiting=("task/2", "task/3"))


def headers(stage: Stage) -> Moment:
    """While the endpoint says nothing to eight agents, and more tasks wait."""
    tasks = [f"task/{number}" for number in range(1, 31)]

    async def eight_requests(running: Running) -> None:
        await running.until(lambda: len(running.endpoint.requests) >= 8, "8 requests")

    return Moment(
        Exchange.silence, eight_requests, under_way=tasks[:8], waiting=tasks[8:], options={"agents": 8}
    )


def stream(stage: Stage) -> Moment:
    """In the middle of a stream that goes on, after a task that is over."""

    async def answer(exchange: Exchange) -> None:
        if exchange.request.task == "task/0":
            await passing(exchange)
            return
        await exchange.send(wire.head())
        while True:
            await exchange.send(wire.chunked(wire.event(wire.delta(content="some "))))
            sent.append(exchange.request.task)
            await exchange.pause(0.01)

    sent: list[str] = []
    return Moment(answer, _after_answer(sent, 3), waiting=("task/2",), over=("task/0",))


def second_attempt(stage: Stage) -> Moment:
    """While the second attempt waits for its answer; the first one is over and stays what it was."""

    async def answer(exchange: Exchange) -> None:
        await (exchange.code(FAILING) if exchange.request.attempt == 1 else exchange.silence())

    async def two_requests(running: Running) -> None:
        await running.until(lambda: len(running.endpoint.requests) == 2, "the second attempt's request")

    return Moment(answer, two_requests)


def backoff(stage: Stage) -> Moment:
    """While it sleeps before a try."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send(wire.json_error(429, retry_after=3600))
        sent.append(exchange.request.task)

    sent: list[str] = []
    return Moment(answer, _after_answer(sent), options={"timeouts": {"total_s": 600}})


def _verifying(stage: Stage, code: str, *notes: str) -> Moment:
    """While code runs that has noted these."""

    async def answer(exchange: Exchange) -> None:
        await exchange.code(noting(stage, code))

    async def come(running: Running) -> None:
        await running.until(lambda: all(is_noted(stage, note) for note in notes), "the verification")

    return Moment(answer, come, options={"verify": {"timeout_s": SLEEP_S}})


def verification(stage: Stage) -> Moment:
    """In the middle of a verification that writes into its workspace all the time."""
    return _verifying(
        stage,
        "note('begun', 0)\n"
        f"end = time.monotonic() + {SLEEP_S}\n"
        "number = 0\n"
        "while time.monotonic() < end:\n"
        "    number += 1\n"
        "    os.makedirs(f'folder-{number % 50}', exist_ok=True)\n"
        "    open(f'folder-{number % 50}/file', 'w').close()\n",
        "begun",
    )


def stubborn(stage: Stage) -> Moment:
    """In the middle of a verification that ignores every signal that can be ignored."""
    return _verifying(
        stage,
        "for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        f"note('begun', 0)\ntime.sleep({SLEEP_S})\n",
        "begun",
    )


def family(stage: Stage) -> Moment:
    """In the middle of a verification with children and grandchildren in its group, one of them stopped."""
    return _verifying(
        stage,
        "if os.fork() == 0:\n"
        "    if os.fork() == 0:\n"
        "        note('grandchild', 0)\n"
        f"        time.sleep({SLEEP_S})\n"
        "    note('child', 0)\n"
        "    os.kill(os.getpid(), signal.SIGSTOP)\n"
        f"time.sleep({SLEEP_S})\n",
        "child",
        "grandchild",
    )


def slot(stage: Stage) -> Moment:
    """While two agents verify, four wait for a slot, and two more tasks wait."""
    tasks = [f"task/{number}" for number in range(1, 9)]

    async def answer(exchange: Exchange) -> None:
        await exchange.code(noting(stage, f"note(f'begun-{{os.getpid()}}', 0)\ntime.sleep({SLEEP_S})\n"))

    async def two_verify_and_four_wait(running: Running) -> None:
        def files() -> int:
            return sum("test_solution.py" in names for _, _, names in os.walk(running.workspaces))

        await running.until(lambda: files() == 6, "the files of 6 attempts")
        await running.until(lambda: len(os.listdir(stage.notes)) == 2, "2 verifications")

    options = {"agents": 6, "verify": {"timeout_s": SLEEP_S, "slots": 2}}
    return Moment(answer, two_verify_and_four_wait, under_way=tasks[:6], waiting=tasks[6:], options=options)


MOMENTS: Mapping[str, Callable[[Stage], Moment]] = {
    "as soon as run_start is there": run_start,
    "waiting for headers": headers,
    "in mid-stream": stream,
    "in the second attempt": second_attempt,
    "sleeping before a try": backoff,
    "in mid-verification": verification,
    "in a verification that ignores signals": stubborn,
    "in a verification with grandchildren": family,
    "waiting for a slot": slot,
}


def _signalled(
    prepare: Callable[[Stage], Moment], *numbers: signal.Signals, through: Sequence[str] = ()
) -> Play:
    """Send the first signal when the moment has come, and then the others, over and over."""

    async def play(stage: Stage) -> str:
        moment = prepare(stage)
        t_signal = 0

        async def act(running: Running) -> None:
            nonlocal t_signal
            await moment.come(running)
            t_signal = time.monotonic_ns()
            running.signal(numbers[0])
            for number in itertools.cycle(numbers[1:]):
                await asyncio.sleep(0.01)  # signals of one kind that come together are one
                if running.has_ended:
                    break
                running.signal(number)

        observed = await stage.run(
            moment.answer,
            tasks=[*moment.over, *moment.under_way, *moment.waiting],
            act=act,
            through=through,
            within_s=WITHIN_S,
            **moment.options,
        )
        return _ended_in_order(observed, moment, {128 + number for number in numbers}, t_signal)

    return play


def _ended_in_order(observed: Observation, moment: Moment, statuses: set[int], t_signal: int) -> str:
    seconds = (observed.t_ended - t_signal) / 1e9
    expected = " or ".join(map(str, sorted(statuses)))
    require(observed.status in statuses, f"expected exit {expected}; {observed.ending}")
    require(seconds <= LIMIT_S, f"ended {seconds:.1f} s after the signal, the limit is {LIMIT_S:g} s")
    require(not observed.events.problems, "; ".join(observed.events.problems))
    last = observed.event_file.read_bytes().splitlines()[-1]
    require(b'"run_end"' in last, f"the last event is {last[:80]!r}")
    for task in moment.over:
        require(
            observed.outcome(task).outcome == "passed", f"{observed.outcome(task)} was over before the signal"
        )
    for task in (*moment.under_way, *moment.waiting):
        outcome = observed.outcome(task)
        found = (outcome.outcome, outcome.reason)
        require(found == ("error", "interrupted"), f"outcome, reason of {task}: {found}")
    asked = {request.task for request in observed.requests}
    for task in asked & set(moment.under_way):
        require(observed.outcome(task).attempts > 0, f"0 attempts of {task}, and it was under way")
        verdict = observed.attempts(task)[-1].verdict
        require(verdict == "interrupted", f"verdict {verdict} of {task}, which was under way")
    interrupted = len(moment.under_way) + len(moment.waiting)
    return f"exit {observed.status} after {seconds:.2f} s, {interrupted} tasks interrupted"


for _name, _moment in MOMENTS.items():
    for _number in (signal.SIGTERM, signal.SIGINT):
        case("exit.signals", f"{_number.name} {_name}")(_signalled(_moment, _number))

case("exit.signals", "SIGTERM again and again")(_signalled(verification, signal.SIGTERM, signal.SIGTERM))
case("exit.signals", "SIGINT again and again")(_signalled(headers, signal.SIGINT, signal.SIGINT))
case("exit.signals", "both again and again")(
    _signalled(stubborn, signal.SIGINT, signal.SIGTERM, signal.SIGINT)
)


@case("exit.signals", "SIGTERM while connecting")
async def while_connecting(stage: Stage) -> str:
    with full_port() as url:

        async def come(running: Running) -> None:
            await _run_start(running)
            end = time.monotonic() + 0.1
            await running.until(lambda: time.monotonic() > end, "a tenth of a second")

        def elsewhere(document: dict[str, Any]) -> None:
            document.update(base_url=url)

        options = {"timeouts": {"connect_s": 60, "total_s": 60}, "change": elsewhere}
        moment = Moment(passing, come, waiting=("task/2",), options=options)
        return await _signalled(lambda stage: moment, signal.SIGTERM)(stage)


DELAYS_S = (0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2)


def _at_the_start(number: signal.Signals) -> Play:
    """Before run_start a runtime may die of the signal; nothing must be left then either."""

    async def play(stage: Stage) -> str:
        begun = 0
        for delay_s in DELAYS_S:
            t_signal = 0

            async def act(running: Running, delay_s: float = delay_s) -> None:
                nonlocal t_signal
                end = time.monotonic() + delay_s
                await running.until(lambda: time.monotonic() >= end, "the delay")
                t_signal = time.monotonic_ns()
                running.signal(number)

            observed = await stage.run(Exchange.silence, act=act, within_s=WITHIN_S, judged=False)
            if observed.events.t_start is not None:
                _ended_in_order(observed, Moment(Exchange.silence, act), {128 + number}, t_signal)
                begun += 1
            else:
                require(
                    observed.status != 0, f"{number.name} after {delay_s} s: exit 0, and nothing was done"
                )
            left = _left(observed)
            require(not left, f"{number.name} after {delay_s} s left behind: {left[:1]}")
        times = f"{len(DELAYS_S) - begun} times before run_start, {begun} after"
        return f"{number.name} after 0 to {DELAYS_S[-1]} s: {times}"

    return play


def _left(observed: Observation) -> list[str]:
    return [*observed.survivors, *observed.workspaces_left, *["a zombie"] * observed.zombies]


for _number in (signal.SIGTERM, signal.SIGINT):
    case("exit.signals", f"{_number.name} at the start")(_at_the_start(_number))


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
            _signalled(verification, _number, through=_through)
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


@case("exit.disk", "full in the middle of the run")
async def disk_full(stage: Stage) -> str:
    """One agent verifies, one waits for the endpoint, one fills the disk with events."""
    disk = stage.folder / "disk"
    disk.mkdir()

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
        change=lambda document: document.update(events=str(disk / "events.jsonl")),
        through=_small_disk(disk),
        within_s=WITHIN_S,
    )
    return _failed(observed, (1,))


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
    left = _left(observed)
    require(not left, f"left behind: {left[:1]}")
    said = lines[0].replace(str(observed.folder.parent), "…")
    return f"exit {observed.status}, nothing left: {said}"

"""Verification: the processes that a verifier leaves behind."""

import contextlib
import os
import signal
import time

from agentdyno.conformance.assertions import PASSED, is_alive, noted, noting, same, still_alive, tell
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import PASSING, Stage

# verify.group


async def killed_with_the_leader(stage: Stage, body: str) -> Observation:
    """Require that processes that are noted as `pids` are dead soon after their leader has ended."""
    left: list[list[int]] = []
    first = noting(stage, f"print('1 failed in 0.00s', flush=True)\n{body}\nos._exit(1)\n")

    async def answer(exchange: Exchange) -> None:
        if exchange.request.attempt == 1:
            await exchange.code(first)
        else:
            left.append(await still_alive(noted(stage, "pids")))
            await exchange.code(PASSING)

    observed = await stage.run(answer, max_retries=1, verify={"timeout_s": 20}, within_s=25)
    attempt = observed.attempt()
    same((attempt.verdict, attempt.timed_out), ("failed", False))
    require(bool(left), f"no second request; {observed.outcome().reason}")
    require(not left[0], f"{len(left[0])} of {len(noted(stage, 'pids'))} processes are still alive")
    return observed


GROUPS = {
    "a child": """
child = os.fork()
if child == 0:
    while True:
        time.sleep(1)
note("pids", [child])
""",
    "a child that closes its outputs": """
child = os.fork()
if child == 0:
    os.close(1)
    os.close(2)
    note("closed", True)
    while True:
        time.sleep(1)
wait_for("closed")
note("pids", [child])
""",
    "a child of a child that has ended": """
if os.fork() == 0:
    if os.fork() == 0:
        note("pids", [os.getpid()])
        while True:
            time.sleep(1)
    os._exit(0)
os.wait()
wait_for("pids")
""",
    "a child that ignores signals": """
child = os.fork()
if child == 0:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    note("ignoring", True)
    while True:
        time.sleep(1)
wait_for("ignoring")
note("pids", [child])
""",
    "a child that is stopped": """
child = os.fork()
if child == 0:
    while True:
        os.kill(os.getpid(), signal.SIGSTOP)
os.waitid(os.P_PID, child, os.WSTOPPED)
note("pids", [child])
""",
    "50 children that write": """
children = []
for _ in range(50):
    child = os.fork()
    if child == 0:
        while True:
            os.write(2, b"x" * 1000)
    children.append(child)
note("pids", children)
""",
}
"""What a leader leaves in its group."""


def _enter_group(name: str, body: str) -> None:
    @case("verify.group", name)
    async def killed(stage: Stage) -> str:
        await killed_with_the_leader(stage, body)
        return "killed when its leader had ended"


for _name, _body in GROUPS.items():
    _enter_group(_name, _body)


@case("verify.group", "a leader that a signal ends")
async def leader_ended_by_a_signal(stage: Stage) -> str:
    observed = await killed_with_the_leader(
        stage, f"{GROUPS['a child']}\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    same((observed.attempt().exit_code, observed.attempt().signal), (None, int(signal.SIGKILL)))
    return "signal 9, and its child killed"


# verify.descendants


AWAY = """
begun, begin = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        note("away", os.getpid())
        os.write(begin, b"x")
        end = time.monotonic() + 8
        while time.monotonic() < end and not os.path.exists(os.path.join(NOTES, "enough")):
            {does}
        os._exit(0)
    os._exit(0)
os.wait()
os.read(begun, 1)
"""
"""Starts a process in a session of its own that does something for a while and holds both pipes."""


async def not_waited_for(
    stage: Stage, does: str, ends: str = "os._exit(1)", *, timeout_s: float = 12, verdict: str = "failed"
) -> None:
    """Require that an attempt is over although a descendant that nobody can reach goes on."""
    first = noting(stage, f"{AWAY.format(does=does)}\nprint('1 failed in 0.00s', flush=True)\n{ends}\n")
    alive: list[bool] = []

    async def answer(exchange: Exchange) -> None:
        if exchange.request.attempt == 1:
            await exchange.code(first)
        else:
            alive.append(is_alive(noted(stage, "away")))
            tell(stage, "enough")
            await exchange.code(PASSING)

    observed = await stage.run(answer, max_retries=1, verify={"timeout_s": timeout_s}, escapes=True)
    with contextlib.suppress(ProcessLookupError):  # one that waits for a pipe has not seen that it is enough
        os.kill(noted(stage, "away"), signal.SIGKILL)
    same((observed.attempt().verdict, observed.attempt().timed_out), (verdict, verdict == "timed_out"))
    require(alive == [True], "the attempt was over only when the descendant had ended")


@case("verify.descendants", "one that sleeps")
async def one_that_sleeps(stage: Stage) -> str:
    await not_waited_for(stage, "time.sleep(0.01)")
    return "it held both pipes, and the attempt was over"


@case("verify.descendants", "one that writes without end")
async def one_that_writes(stage: Stage) -> str:
    """Written to stderr, so that the summary stays the end of stdout."""
    first = noting(stage, f"{AWAY.format(does='os.write(2, bytes(65536))')}\n{PASSED}os._exit(0)\n")

    async def answer(exchange: Exchange) -> None:
        await exchange.code(first)

    started = time.monotonic()
    observed = await stage.run(answer, max_retries=0, verify={"timeout_s": 12}, escapes=True)
    took_s = time.monotonic() - started
    tell(stage, "enough")
    attempt = observed.attempt()
    same((attempt.verdict, attempt.timed_out), ("passed", False))
    require(took_s < 12, f"the run took {took_s:.1f} s, as long as the descendant went on writing")
    return f"over after {took_s:.1f} s while it went on"


@case("verify.descendants", "one that lives on without the pipes")
async def one_without_pipes(stage: Stage) -> str:
    closes = "time.sleep(0.01) if 'closed' in globals() else (os.close(1), os.close(2), note('closed', 1), "
    await not_waited_for(stage, closes + "globals().update(closed=True))", "wait_for('closed')\nos._exit(1)")
    return "it had closed both pipes, and the attempt was over"


@case("verify.descendants", "a stopped leader's")
async def a_stopped_leaders(stage: Stage) -> str:
    """The leader is killed at its timeout; who holds its pipes is not waited for then either."""
    endless = "while True:\n    time.sleep(1)"
    await not_waited_for(stage, "time.sleep(0.01)", endless, timeout_s=1, verdict="timed_out")
    return "killed at the timeout, and the descendant not waited for"

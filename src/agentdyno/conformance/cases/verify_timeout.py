"""Verification: a verifier that does not end in time."""

import os
import signal

from agentdyno.conformance.assertions import EARLY_S, same
from agentdyno.conformance.case import case
from agentdyno.conformance.cases.verify_output import PATIENCE_S
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.notes import PASSED, is_noted, noted, noting, still_alive
from agentdyno.conformance.stage import PASSING, PROMPTS, Stage
from agentdyno.conformance.violation import require

TIMEOUTS_S = (1.0, 5.0)
"""The timeout of code that is to be stopped; the second where the first is over before the code has begun, on
a machine with other work.
"""

LATE_S = 10.0
"""How late after its timeout a verifier may be gone, on a machine with other work."""


async def stopped(stage: Stage, body: str) -> str:
    """Require that code is stopped at its timeout, with all processes that it noted as `pids`."""
    first = noting(stage, f"{body}\nwhile True:\n    time.sleep(1)\n")
    left: list[list[int]] = []

    async def answer(exchange: Exchange) -> None:
        if exchange.request.attempt == 1:
            await exchange.code(first)
        else:
            left.append(await still_alive(noted(stage, "pids") if is_noted(stage, "pids") else []))
            await exchange.code(PASSING)

    for timeout_s in TIMEOUTS_S:
        left.clear()
        verify = {"timeout_s": timeout_s}
        observed = await stage.run(answer, max_retries=1, verify=verify, within_s=timeout_s + PATIENCE_S / 2)
        if is_noted(stage, "pids"):
            break
    count = len(noted(stage, "pids"))
    attempt = observed.attempt()
    same((attempt.verdict, attempt.timed_out), ("timed_out", True))
    same((attempt.exit_code, attempt.signal), (None, int(signal.SIGKILL)))
    require(bool(left), f"no second request; {observed.outcome().reason}")
    require(not left[0], f"{len(left[0])} of {count} processes are still alive")
    last = observed.requests[1].messages[-1]["content"]
    require(last == PROMPTS["timed_out"], f"the next message is {last[:80]!r}")
    assert observed.requests[0].t_answer is not None
    took_s = (observed.requests[1].t - observed.requests[0].t_answer) / 1e9
    require(took_s >= timeout_s - EARLY_S, f"stopped after {took_s:.3f} s, expected {timeout_s:g} s")
    require(took_s <= timeout_s + LATE_S, f"stopped after {took_s:.1f} s, expected {timeout_s:g} s")
    return f"{count} processes killed after {timeout_s:g} s" if count > 1 else f"killed after {timeout_s:g} s"


def stops(name: str, body: str) -> None:
    """Enter a case in which this is stopped."""

    @case("verify.timeout", name)
    async def play(stage: Stage) -> str:
        return await stopped(stage, body)


stops("endless loop", "note('pids', [os.getpid()])\nwhile True: pass")
stops(
    "every signal ignored",
    """
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, 32, 33}:
    signal.signal(number, signal.SIG_IGN)
note("pids", [os.getpid()])
""",
)
stops("stopped itself", "note('pids', [os.getpid()])\nos.kill(os.getpid(), signal.SIGSTOP)")
stops(
    "outputs closed",
    "note('pids', [os.getpid()])\nos.close(1)\nos.close(2)",
)
stops(
    "left its group",
    """
note("pids", [os.getpid()])
try:
    os.setpgid(0, os.getpgid(os.getppid()))
except PermissionError:
    pass  # the leader of a session cannot leave its group
""",
)
stops(
    "200 children",
    """
children = []
for _ in range(200):
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.pause()
        os._exit(0)
    children.append(child)
note("pids", [os.getpid(), *children])
""",
)
stops(
    "a child of a child that has ended",
    """
if os.fork() == 0:
    if os.fork() == 0:
        note("grandchild", os.getpid())
        while True:
            signal.pause()
    os._exit(0)
os.wait()
wait_for("grandchild")
note("pids", [os.getpid(), json.load(open(os.path.join(NOTES, "grandchild")))])
""",
)


@case("verify.timeout", "output until then is not a pass")
async def output_until_then(stage: Stage) -> str:
    return await stopped(stage, f"{PASSED}note('pids', [os.getpid()])")


@case("verify.timeout", "not reached")
async def not_reached(stage: Stage) -> str:
    """The code ends after the whole seconds of the timeout, and well before the rest."""
    for timeout_s in (1.9, 4.9):
        code = f"""
import time
ticks = int(open("/proc/self/stat").read().rpartition(")")[2].split()[19])
since_spawn_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / {os.sysconf("SC_CLK_TCK")}
time.sleep(max(0, {int(timeout_s) + 0.2} - since_spawn_s))
{PASSING}"""

        async def answer(exchange: Exchange, code: str = code) -> None:
            await exchange.code(code)

        observed = await stage.run(answer, max_retries=0, verify={"timeout_s": timeout_s})
        if not observed.attempt().timed_out:
            break
    attempt = observed.attempt()
    same((attempt.verdict, attempt.timed_out, attempt.exit_code), ("passed", False, 0))
    return f"{int(timeout_s) + 0.2} s of {timeout_s} s, and not stopped"

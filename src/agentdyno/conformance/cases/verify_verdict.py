"""Verification: the time that a test process may take, and the verdict on what it printed."""

import os
import signal

from agentdyno.conformance.assertions import EARLY_S, PASSED, is_noted, noted, noting, same, still_alive
from agentdyno.conformance.case import case
from agentdyno.conformance.cases.verify_output import PATIENCE_S
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.rules import NotPossible, require
from agentdyno.conformance.stage import FAILING, PASSING, PROMPTS, Stage, task
from agentdyno.errors import UserError
from agentdyno.rundata.events import Attempt
from agentdyno.verifiers import cold

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


async def judged(stage: Stage, code: str, verdict: str, **verify: object) -> Attempt:
    """Require the verdict of one attempt."""

    async def answer(exchange: Exchange) -> None:
        await exchange.code(code)

    tests = "from solution import *\n\n\ndef test():\n    assert f() == 1\n"
    observed = await stage.run(
        answer,
        tasks=[task("task/1", tests=tests)],
        max_retries=0,
        verify={"timeout_s": PATIENCE_S, **verify},
        within_s=2 * PATIENCE_S,
    )
    attempt = observed.attempt()
    how = f"exit code {attempt.exit_code}, signal {attempt.signal}"
    require(attempt.verdict == verdict, f"verdict {attempt.verdict}, expected {verdict}; {how}")
    outcome = "passed" if verdict == "passed" else "failed"
    require(
        observed.outcome().outcome == outcome, f"outcome {observed.outcome().outcome}, expected {outcome}"
    )
    return attempt


async def under_pytest(stage: Stage, code: str, verdict: str) -> Attempt:
    """The same, with the verifier that benchmarks use."""
    try:
        verifier = cold()
    except UserError as refusal:
        raise NotPossible(str(refusal)) from None
    return await judged(stage, code, verdict, argv=list(verifier.argv), env=dict(verifier.environment))


def proves(name: str, code: str, verdict: str) -> None:
    """Enter a case in which code run by itself gets this verdict."""

    @case("verify.verdict", name)
    async def play(stage: Stage) -> str:
        attempt = await judged(stage, code, verdict)
        how = f"exit code {attempt.exit_code}" if attempt.signal is None else f"signal {attempt.signal}"
        return f"{how}: {verdict}"


def proves_under_pytest(name: str, code: str, verdict: str) -> None:
    """Enter a case in which code tested by pytest gets this verdict."""

    @case("verify.verdict", f"pytest: {name}")
    async def play(stage: Stage) -> str:
        attempt = await under_pytest(stage, code, verdict)
        return f"exit code {attempt.exit_code}: {verdict}"


proves("exit code 0 and no summary", "pass\n", "no_summary")
proves("a summary on stderr", "import sys\nprint('1 passed in 0.00s', file=sys.stderr)\n", "no_summary")
proves("a pass and another exit code", "print('1 passed in 0.00s')\nraise SystemExit(3)\n", "failed")
proves(
    "a pass and a signal",
    "import os\nprint('1 passed in 0.00s', flush=True)\nos.kill(os.getpid(), 9)\n",
    "failed",
)
proves("a failure and exit code 0", FAILING.replace("SystemExit(1)", "SystemExit(0)"), "failed")
proves("a skip and exit code 0", "print('1 passed, 1 skipped in 0.00s')\n", "unproven")
# The rules of the verdict know only what is printed; that code can lie to them is the same for all.
proves("a summary that the code itself prints", "print('9 passed in 0.01s')\n", "passed")

proves_under_pytest("passes", "def f():\n    return 1\n", "passed")
proves_under_pytest("fails", "def f():\n    return 2\n", "failed")
proves_under_pytest("cannot be imported", "def f(:\n", "failed")
proves_under_pytest("os._exit(0)", "import os\nos._exit(0)\n", "no_summary")
proves_under_pytest(
    "os._exit(0) after a summary",
    "import os\nprint('1 passed in 0.01s', flush=True)\nos._exit(0)\n",
    "no_summary",
)
proves_under_pytest(
    "skips its module",
    "import pytest\npytest.skip('not today', allow_module_level=True)\n",
    "unproven",
)

"""Verification: what proves that the tests pass."""

from agentdyno.conformance.case import case
from agentdyno.conformance.cases.verify_output import PATIENCE_S
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.stage import FAILING, Stage, task
from agentdyno.conformance.violation import NotPossible, require
from agentdyno.errors import UserError
from agentdyno.rundata.events import Attempt
from agentdyno.verifiers import cold


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

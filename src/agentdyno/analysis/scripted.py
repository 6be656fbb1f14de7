"""Whether the verdicts of a run are those that the simulated endpoint's script planned."""

from collections.abc import Callable

from agentdyno.analysis.gate import Evidence, Gate
from agentdyno.analysis.metric import Kind
from agentdyno.rundata.events import Attempt
from agentdyno.tasks.plan import Failure, plan

JUDGED = frozenset(("passed", "failed", "unproven", "no_summary", "timed_out", "no_code"))
"""The verdicts on a reply that was understood."""


def as_scripted(evidence: Evidence) -> list[str]:
    """Every reply that the script makes pass, passes, and no other does.

    A right reply that the verifier was stopped on counts in `right_in_time`.
    """
    wrong = _unlike_the_script(evidence, lambda attempt: attempt.verdict != "timed_out")
    if not wrong:
        return []
    reasons = evidence.run.journal.unplanned_failures
    first = next((attempt for attempt in wrong if (attempt.task, attempt.attempt) in reasons), wrong[0])
    reason = reasons.get((first.task, first.attempt))
    planned = "fail" if first.verdict == "passed" else "pass"
    how = f"signal {first.signal}" if first.exit_code is None else f"exit code {first.exit_code}"
    return [
        f"{len(wrong)} verdicts are not those of the script, the first: {first.task} attempt {first.attempt} "
        f"was to {planned}, and the verdict is {first.verdict} ({how})" + (f", “{reason}”" if reason else "")
    ]


def right_in_time(evidence: Evidence) -> list[str]:
    """The verifier was stopped on no reply that the script makes pass."""
    late = _unlike_the_script(evidence, lambda attempt: attempt.verdict == "timed_out")
    if not late:
        return []
    return [
        f"the verifier was stopped on {len(late)} right replies, the first: {late[0].task} "
        f"attempt {late[0].attempt}"
    ]


def _unlike_the_script(evidence: Evidence, counts: Callable[[Attempt], bool]) -> list[Attempt]:
    """The attempts that passed against the plan, or did not; none where there is no script."""
    run = evidence.run
    if run.journal.seed is None:
        return []
    plans = plan(run.task_ids, run.journal.seed)
    # `null` lets all code pass.
    fails = (Failure.NO_CODE,) if run.cell.verifier == "null" else tuple(Failure)
    return [
        attempt
        for attempt in run.events.attempts.without("usage", "request_sha256", "completion_sha256")
        if attempt.verdict in JUDGED
        and attempt.task in plans
        and counts(attempt)
        and (plans[attempt.task].failure(attempt.attempt) in fails) == (attempt.verdict == "passed")
    ]


AS_SCRIPTED = Gate(
    "outcomes as scripted",
    as_scripted,
    "if a right reply fails, its reference does not pass its tests here, perhaps for want of a library in "
    ".venv/verifier; if a wrong one passes, the tests are too weak, or the runtime does not judge as "
    "verdicts.json of the contract's vectors",
)
RIGHT_IN_TIME = Gate(
    "right in time",
    right_in_time,
    "lower --verify-slots, or raise --verify-timeout",
    is_fault=False,
    kinds=(Kind.OUTCOME, Kind.TIME, Kind.PROCESSOR_TIME),
)

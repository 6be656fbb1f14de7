"""Gates: yes/no questions that decide whether a row is valid. A failure says why, and what to do."""

from collections.abc import Callable, Mapping, Sequence

from agentdyno.analysis.events import accounting
from agentdyno.analysis.ledger import match
from agentdyno.analysis.run_data import RunData
from agentdyno.experiment.cell import REAL

LATENESS_LIMIT_MS = 10.0
CONCURRENCY_SHARE = 0.99

Figures = Mapping[str, float | None]
"""A run's metrics by name."""

Gate = Callable[[RunData, Figures], list[str]]
"""Asks one question of one run; an empty list is a yes."""


def ended_in_order(run: RunData, figures: Figures) -> list[str]:
    """The runtime ended by itself, with status 0 and nothing left behind."""
    ending, found = run.ending, []
    if ending.problem is not None:
        found.append(ending.problem)
    elif ending.exit_code is not None and ending.exit_code != 0:
        how = f"signal {-ending.exit_code}" if ending.exit_code < 0 else f"status {ending.exit_code}"
        said = f": {ending.last_stderr_line}" if ending.last_stderr_line else ""
        found.append(f"the runtime ended with {how}{said}; see runs/{run.folder.name}/runtime.stderr")
    if ending.survivors:
        found.append(f"processes that outlived the runtime and were killed: {ending.survivors}")
    if ending.workspaces_left:
        found.append(f"workspaces that were left behind and removed: {ending.workspaces_left}")
    return found


def tasks_accounted_for(run: RunData, figures: Figures) -> list[str]:
    """Every event line is by the contract, and every task has exactly one outcome that follows from its
    attempts.
    """
    return [*run.events.problems, *accounting(run.events, run.task_ids, run.max_retries)]


def journal_agrees(run: RunData, figures: Figures) -> list[str]:
    """Every completion that the runtime reports is one that the endpoint served, to the same request body and
    within the attempt's time.
    """
    if not run.journal.is_whole:
        return ["the endpoint did not end in order, so its journal may lack requests; see endpoint.stderr"]
    found = match(run.events.attempts, run.journal.requests)
    unknown = [
        f"{attempt.task} attempt {attempt.attempt}"
        for attempt in run.events.attempts
        if attempt.completion_sha256 is not None and (attempt.task, attempt.attempt) not in found
    ]
    if unknown:
        return [
            f"{len(unknown)} completions reported that the endpoint did not serve to a request of that task, "
            f"attempt and request_sha256, the first: {unknown[0]}"
        ]
    elsewhen = [
        f"{attempt.task} attempt {attempt.attempt}"
        for attempt in run.events.attempts
        if (request := found.get((attempt.task, attempt.attempt))) is not None
        and not attempt.t_begin <= request.t_arrive <= attempt.t_end
    ]
    if not elsewhen:
        return []
    return [
        f"{len(elsewhen)} attempts whose request the endpoint got at another time, the first: {elsewhen[0]}; "
        "the runtime's times are not CLOCK_MONOTONIC"
    ]


def no_errors(run: RunData, figures: Figures) -> list[str]:
    """No task ended as an error: what was not worked on to the end was not measured."""
    errors = [outcome for outcome in run.events.outcomes if outcome.outcome == "error"]
    if not errors or run.ending.interrupted:
        return []
    first = errors[0]
    return [f"tasks that ended as errors: {len(errors)}, the first: {first.task}, {first.reason}"]


def asked_once(run: RunData, figures: Figures) -> list[str]:
    """No attempt took a second try: the simulated endpoint does not fail, so the runtime must have."""
    again = sum(attempt.transport_retries for attempt in run.events.attempts)
    if run.cell.profile.startswith(REAL) or again == 0:
        return []
    first = next(attempt for attempt in run.events.attempts if attempt.transport_retries)
    return [
        f"{again} requests were made again though the endpoint had not failed, the first for {first.task} "
        f"attempt {first.attempt}: see its lines in journal.jsonl and events.jsonl"
    ]


def concurrency_reached(run: RunData, figures: Figures) -> list[str]:
    """The endpoint saw all agents at once. The `instant` profile answers too soon for that and is not
    asked.
    """
    if run.cell.profile == "instant":
        return []
    wanted = CONCURRENCY_SHARE * min(run.cell.agents, len(run.task_ids))
    reached = figures["max_in_flight"] or 0
    if reached >= wanted:
        return []
    return [
        f"the endpoint saw {reached:.0f} requests at once where {run.cell.agents} agents "
        "should have had one each: the runtime caps its connections, or the profile answers too soon"
    ]


def endpoint_on_time(run: RunData, figures: Figures) -> list[str]:
    """What the endpoint sent left when it was due; otherwise the endpoint was measured and not the
    runtime.
    """
    late = figures["endpoint_lateness_ms_p99"]
    if late is None or late <= LATENESS_LIMIT_MS:
        return []
    return [
        f"the endpoint was late, p99 {late:.1f} ms (limit {LATENESS_LIMIT_MS:.0f} ms): "
        "lower --verify-slots or --agents, or give it a free core"
    ]


FAULTS: Sequence[Gate] = (
    ended_in_order,
    tasks_accounted_for,
    journal_agrees,
    no_errors,
    asked_once,
    concurrency_reached,
)
"""What only a runtime, or a bug of ours, can fail."""

CONDITIONS: Sequence[Gate] = (endpoint_on_time,)
"""What a busy machine can fail as well: the row is not valid, but nothing is broken."""

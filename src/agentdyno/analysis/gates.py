"""The gates of a single run (docs/measuring.md has all of them)."""

from collections.abc import Sequence
from statistics import median

from agentdyno.analysis.claims import AS_REQUESTED, CLAIMS
from agentdyno.analysis.disturbances import DISTURBANCES
from agentdyno.analysis.gate import Evidence, Gate
from agentdyno.analysis.joins import UNSERVED
from agentdyno.analysis.metric import Kind
from agentdyno.analysis.metrics import LATE_MS, wall_s
from agentdyno.analysis.scripted import AS_SCRIPTED, RIGHT_IN_TIME
from agentdyno.rundata.cell import REAL
from agentdyno.rundata.events import accounting

ENDED, ACCOUNTED, ENOUGH = "ended in order", "tasks accounted for", "enough samples"
"""Names of gates that other modules need."""

CONCURRENCY_SHARE = 0.99
LATENESS_LIMIT_MS = 10.0
LATE_SHARE_LIMIT = 0.005
ERROR_SHARE_LIMIT = 0.01
"""For a real endpoint, which sometimes returns errors; the simulated endpoint allows none."""
IMBALANCE_LIMIT_MS, IMBALANCE_LIMIT_SHARE = 1.0, 0.005
"""The larger limit applies. The share is of the attempt's wall time."""
LITTLE_LIMIT = 0.10
OVERLAPPING_MS = 1000.0
"""Answers of a real endpoint that take as long overlap for all agents, if the runtime asks for all."""
LEAST_ATTEMPTS = 20
"""A p95 needs this many."""


def events_only_grew(evidence: Evidence) -> list[str]:
    """Nobody rewrote the runtime's events while the harness watched them grow."""
    changed = evidence.run.outcome.events_changed
    return [] if changed is None else [f"{changed} during the run"]


def ended_in_order(evidence: Evidence) -> list[str]:
    """The runtime ended by itself with status 0 and left neither processes nor workspaces behind."""
    run, found = evidence.run, []
    outcome = run.outcome
    if outcome.problem is not None:
        found.append(outcome.problem)
    elif outcome.exit_code is not None and outcome.exit_code != 0:
        how = f"signal {-outcome.exit_code}" if outcome.exit_code < 0 else f"status {outcome.exit_code}"
        said = f": {outcome.last_stderr_line}" if outcome.last_stderr_line else ""
        found.append(f"the runtime ended with {how}{said}")
    if outcome.survivors:
        found.append(f"processes that outlived the runtime and were killed: {outcome.survivors}")
    if outcome.workspaces_left:
        found.append(f"workspaces that were left behind and removed: {outcome.workspaces_left}")
    return found


def tasks_accounted_for(evidence: Evidence) -> list[str]:
    """Every event line keeps the contract. Each task has exactly one outcome, and its attempts lead to it."""
    run = evidence.run
    return [*run.events.problems, *accounting(run.events, run.task_ids, run.max_retries)]


def journal_agrees(evidence: Evidence) -> list[str]:
    """The endpoint served every completion that the runtime reports: for the same request body and within the
    attempt's time.
    """
    run = evidence.run
    if not run.journal.is_whole:
        return ["the endpoint did not end in order, so its journal may lack requests"]
    attempts, unknown, outside = run.events.attempts, [], []
    arrived = run.journal.requests.column("t_arrive")
    fields = attempts.of("task", "attempt", "completion_sha256", "t_begin", "t_end")
    for its, position in zip(fields, evidence.joined.served_by, strict=True):
        task, number, completion, begin, end = its
        if position == UNSERVED:
            if completion is not None:
                unknown.append(f"{task} attempt {number}")
        elif not begin <= arrived[position] <= end:
            outside.append(f"{task} attempt {number}")
    if unknown:
        return [
            f"{len(unknown)} reported completions match no request in the journal by task, attempt and "
            f"request_sha256, the first: {unknown[0]}"
        ]
    if not outside:
        return []
    return [
        f"{len(outside)} attempts whose request arrived at the endpoint before t_begin or after t_end, "
        f"the first: {outside[0]}"
    ]


def ledger_balances(evidence: Evidence) -> list[str]:
    """The parts of every attempt sum to its wall time, within 1 ms or 0.5%."""
    unbalanced = [
        entry
        for entry in evidence.entries
        if entry.imbalance > max(IMBALANCE_LIMIT_MS, IMBALANCE_LIMIT_SHARE * entry.wall)
    ]
    if not unbalanced:
        return []
    worst = max(unbalanced, key=lambda entry: entry.imbalance)
    return [
        f"the parts of {len(unbalanced)} attempts do not sum to their wall time, the worst: {worst.task} "
        f"attempt {worst.attempt}, {worst.parts.total:.1f} ms of {worst.wall:.1f} ms"
    ]


def few_errors(evidence: Evidence) -> list[str]:
    """No task ended as an error, because the work on such a task is incomplete."""
    run = evidence.run
    errors = [outcome for outcome in run.events.outcomes if outcome.outcome == "error"]
    allowed = ERROR_SHARE_LIMIT * len(run.task_ids) if run.cell.profile.startswith(REAL) else 0
    if len(errors) <= allowed or run.outcome.interrupted:
        return []
    first = errors[0]
    return [f"tasks that ended as errors: {len(errors)}, the first: {first.task}, {first.reason}"]


def asked_once(evidence: Evidence) -> list[str]:
    """No attempt took a second try: the simulated endpoint does not fail, so the runtime must have failed."""
    run = evidence.run
    again = sum(run.events.attempts.column("transport_retries"))
    if run.cell.profile.startswith(REAL) or again == 0:
        return []
    first = next(attempt for attempt in run.events.attempts if attempt.transport_retries)
    return [
        f"the runtime repeated {again} requests although the endpoint had not failed, the first for "
        f"{first.task} attempt {first.attempt}"
    ]


def begun_on_schedule(evidence: Evidence) -> list[str]:
    """No task began before its intended start."""
    run = evidence.run
    t_start = run.events.t_start
    early = [
        task
        for task, begin in run.events.attempts.of("task", "t_begin")
        if t_start is not None and begin < t_start + run.starts.get(task, 0)
    ]
    return [f"{len(early)} tasks began before their intended start, the first: {early[0]}"] if early else []


def concurrency_reached(evidence: Evidence) -> list[str]:
    """The endpoint had the requests of all agents in flight at once. The gate does not apply to the `instant`
    profile and to real endpoints that answer as fast, as requests need not overlap there, nor to tasks with
    intended starts.
    """
    run = evidence.run
    if run.cell.profile == "instant" or run.starts or _answers_fast(evidence):
        return []
    wanted = CONCURRENCY_SHARE * min(run.cell.agents, len(run.task_ids))
    reached = evidence.figures["max_in_flight"] or 0
    if reached >= wanted:
        return []
    return [
        f"the endpoint had at most {reached:.0f} requests in flight where {run.cell.agents} agents should "
        "have had one each"
    ]


def _answers_fast(evidence: Evidence) -> bool:
    """Whether a real endpoint answers so fast that agents may be served one after the other."""
    times = [entry.parts.model for entry in evidence.entries]
    return evidence.run.cell.profile.startswith(REAL) and (not times or median(times) < OVERLAPPING_MS)


def littles_law(evidence: Evidence) -> list[str]:
    """The endpoint's mean number of served requests in flight equals the rate of the completions in the
    runtime's events, times their mean duration (J. D. C. Little, "A Proof for the Queuing Formula: L = λW",
    Operations Research 9, 1961). A larger number means that the runtime made requests without reporting them.
    Requests that the endpoint did not serve are failed tries, and the events report their number.
    """
    run, reported, wall = evidence.run, evidence.entries, wall_s(evidence.run)
    if not wall or not reported or run.outcome.interrupted:
        return []
    served = [request.open_s for request in run.journal.requests if request.is_served]
    measured = sum(served) / wall
    rate, time = len(reported) / wall, sum(entry.parts.model for entry in reported) / 1000 / len(reported)
    # Of answers that take some milliseconds, a tenth is less than two programs' clock readings agree to.
    allowed = max(LITTLE_LIMIT * measured, IMBALANCE_LIMIT_MS / 1000 * len(served) / wall)
    if abs(rate * time - measured) > allowed:
        return [
            f"Little's law: the events report {rate:.2f} completions/s of {time:.3f} s each, which makes "
            f"{rate * time:.1f} in flight; the endpoint had {measured:.1f} in flight on average"
        ]
    asked = run.events.attempts.of("transport_retries", "t_request")
    tries = sum(retries + (t_request is not None) for retries, t_request in asked)
    if len(run.journal.requests) > tries:
        return [f"the endpoint had {len(run.journal.requests)} requests, and the events report {tries} tries"]
    return []


def endpoint_on_time(evidence: Evidence) -> list[str]:
    """The endpoint sent its chunks at their due times; otherwise its lateness counts as the runtime's."""
    late, share = (evidence.figures[name] for name in ("endpoint_lateness_ms_p99", "endpoint_late_share"))
    if late is not None and late > LATENESS_LIMIT_MS:
        return [f"the endpoint was late, p99 {late:.1f} ms (limit {LATENESS_LIMIT_MS:.0f} ms)"]
    if share is not None and share > LATE_SHARE_LIMIT:
        return [
            f"{share:.1%} of the endpoint's chunks were more than {LATE_MS:.0f} ms late "
            f"(limit {LATE_SHARE_LIMIT:.1%})"
        ]
    return []


def enough_samples(evidence: Evidence) -> list[str]:
    """The run has enough attempts for a p95."""
    attempts = len(evidence.entries)
    if attempts >= LEAST_ATTEMPTS or evidence.run.outcome.interrupted:
        return []
    return [f"{attempts} attempts with a ledger are too few for a p95 (at least {LEAST_ATTEMPTS})"]


GATES: Sequence[Gate] = (
    Gate(
        "events only grew",
        events_only_grew,
        "events are appended and never rewritten; code under test that did this may have done more, "
        "see SECURITY.md",
    ),
    Gate(ENDED, ended_in_order, "see runtime.stderr in the run's folder"),
    Gate(ACCOUNTED, tasks_accounted_for, "see events.jsonl in the run's folder and CONTRACT.md"),
    Gate(
        "journal agrees",
        journal_agrees,
        "hash the sent body as canonical JSON, and take times from CLOCK_MONOTONIC; "
        "see endpoint.stderr if the journal is incomplete",
    ),
    AS_REQUESTED,
    AS_SCRIPTED,
    Gate(
        "ledger balances",
        ledger_balances,
        "the runtime took a time too early or too late; compare the attempt's lines in events.jsonl and "
        "journal.jsonl",
        kinds=(Kind.TIME,),
    ),
    Gate("error rate", few_errors, "see the reasons in tasks.csv"),
    Gate(
        "asked once",
        asked_once,
        "compare the attempt's lines in journal.jsonl and events.jsonl",
        kinds=(Kind.TIME, Kind.PROCESSOR_TIME),
    ),
    Gate(
        "begun on schedule",
        begun_on_schedule,
        "wait for start_after_ns of the tasks file, as in CONTRACT.md",
        kinds=(Kind.TIME, Kind.MEMORY, Kind.CONCURRENCY),
    ),
    Gate(
        "concurrency reached",
        concurrency_reached,
        "the runtime limits its connections, or the endpoint answers too fast",
        kinds=(Kind.MEMORY, Kind.TIME, Kind.CONCURRENCY),
    ),
    Gate(
        "Little's law",
        littles_law,
        "report every request in the event of its attempt",
    ),
    *CLAIMS,
    Gate(
        "endpoint on time",
        endpoint_on_time,
        "lower --verify-slots or --agents, or give the endpoint a free core",
        is_fault=False,
        kinds=(Kind.TIME,),
    ),
    RIGHT_IN_TIME,
    Gate(ENOUGH, enough_samples, "raise --limit", is_fault=False, kinds=(Kind.TIME,)),
    *DISTURBANCES,
)
"""In the order in which a user should fix their failures."""

KINDS = {gate.name: gate.kinds for gate in GATES}
"""The kinds of figures of which each gate speaks."""

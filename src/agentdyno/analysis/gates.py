"""The gates of a single run (docs/measuring.md has all of them)."""

from collections.abc import Sequence

from agentdyno.analysis.gate import Evidence, Gate
from agentdyno.analysis.ledger import match
from agentdyno.analysis.metrics import LATE_MS, wall_s
from agentdyno.rundata.cell import REAL
from agentdyno.rundata.events import accounting

ENDED, ACCOUNTED, ENOUGH = "ended in order", "tasks accounted for", "enough samples"
"""Names of gates that others ask for."""

CONCURRENCY_SHARE = 0.99
LATENESS_LIMIT_MS = 10.0
LATE_SHARE_LIMIT = 0.005
ERROR_SHARE_LIMIT = 0.01
"""Of a real endpoint, which may refuse now and then; the simulated one never fails."""
IMBALANCE_LIMIT_MS, IMBALANCE_LIMIT_SHARE = 1.0, 0.005
"""The larger of the two holds; the share is of the attempt's wall time."""
LITTLE_LIMIT = 0.10
LEAST_ATTEMPTS = 20
"""So many have a 95th percentile."""
STEAL_LIMIT = 0.02
"""Share of the machine's processor time."""
THROTTLED_LIMIT_S = 0.1


def ended_in_order(evidence: Evidence) -> list[str]:
    """The runtime ended by itself, with status 0 and nothing left behind."""
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
    """Every event line is by the contract, and every task has exactly one outcome that follows from its
    attempts.
    """
    run = evidence.run
    return [*run.events.problems, *accounting(run.events, run.task_ids, run.max_retries)]


def journal_agrees(evidence: Evidence) -> list[str]:
    """Every completion that the runtime reports is one that the endpoint served, to the same request body and
    within the attempt's time.
    """
    run = evidence.run
    if not run.journal.is_whole:
        return ["the endpoint did not end in order, so its journal may lack requests"]
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
        f"{len(elsewhen)} attempts whose request the endpoint got at another time, the first: {elsewhen[0]}"
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
    """No task ended as an error: what was not worked on to the end was not measured."""
    run = evidence.run
    errors = [outcome for outcome in run.events.outcomes if outcome.outcome == "error"]
    allowed = ERROR_SHARE_LIMIT * len(run.task_ids) if run.cell.profile.startswith(REAL) else 0
    if len(errors) <= allowed or run.outcome.interrupted:
        return []
    first = errors[0]
    return [f"tasks that ended as errors: {len(errors)}, the first: {first.task}, {first.reason}"]


def asked_once(evidence: Evidence) -> list[str]:
    """No attempt took a second try: the simulated endpoint does not fail, so the runtime must have."""
    run = evidence.run
    again = sum(attempt.transport_retries for attempt in run.events.attempts)
    if run.cell.profile.startswith(REAL) or again == 0:
        return []
    first = next(attempt for attempt in run.events.attempts if attempt.transport_retries)
    return [
        f"{again} requests were made again though the endpoint had not failed, the first for {first.task} "
        f"attempt {first.attempt}"
    ]


def begun_on_schedule(evidence: Evidence) -> list[str]:
    """No task was begun before its start."""
    run = evidence.run
    t_start = run.events.t_start
    early = [
        attempt.task
        for attempt in run.events.attempts
        if t_start is not None and attempt.t_begin < t_start + run.starts.get(attempt.task, 0)
    ]
    return [f"{len(early)} tasks were begun before their start, the first: {early[0]}"] if early else []


def concurrency_reached(evidence: Evidence) -> list[str]:
    """The endpoint saw all agents at once. The `instant` profile answers too soon for that, and where tasks
    have starts of their own they need not overlap: these are not asked.
    """
    run = evidence.run
    if run.cell.profile == "instant" or run.starts:
        return []
    wanted = CONCURRENCY_SHARE * min(run.cell.agents, len(run.task_ids))
    reached = evidence.figures["max_in_flight"] or 0
    if reached >= wanted:
        return []
    return [
        f"the endpoint saw {reached:.0f} requests at once where {run.cell.agents} agents "
        "should have had one each"
    ]


def littles_law(evidence: Evidence) -> list[str]:
    """What the endpoint had open on average is the rate of the completions that the runtime's events tell of,
    times how long each was open (J. D. C. Little, "A Proof for the Queuing Formula: L = λW", Operations
    Research 9, 1961). Where it had more, there were requests that no event tells of.
    """
    wall, seen, told = wall_s(evidence.run), evidence.figures["mean_in_flight"], evidence.entries
    if not wall or not told or seen is None or evidence.run.outcome.interrupted:
        return []
    rate, time = len(told) / wall, sum(entry.parts.model for entry in told) / 1000 / len(told)
    if abs(rate * time - seen) <= LITTLE_LIMIT * seen:
        return []
    return [
        f"Little's law: the {rate:.2f} completions/s that the runtime's events tell of, {time:.3f} s each, "
        f"are {rate * time:.1f} at once, and the endpoint had {seen:.1f} open on average"
    ]


def endpoint_on_time(evidence: Evidence) -> list[str]:
    """What the endpoint sent left when it was due; otherwise the endpoint was measured and not the
    runtime.
    """
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
    """There are attempts enough for a 95th percentile."""
    attempts = len(evidence.entries)
    if attempts >= LEAST_ATTEMPTS or evidence.run.outcome.interrupted:
        return []
    return [f"{attempts} attempts with a ledger are too few to tell a tail (at least {LEAST_ATTEMPTS})"]


def no_swapping(evidence: Evidence) -> list[str]:
    """The machine moved no page to or from swap meanwhile."""
    pages = evidence.run.outcome.swapped_pages
    return [f"the machine swapped {pages} pages meanwhile"] if pages else []


def no_throttling(evidence: Evidence) -> list[str]:
    """Nobody took the processors away: no hypervisor, no quota, no heat."""
    outcome, found = evidence.run.outcome, []
    if outcome.steal_share is not None and outcome.steal_share > STEAL_LIMIT:
        found.append(
            f"the hypervisor took {outcome.steal_share:.1%} of the processor time (limit {STEAL_LIMIT:.0%})"
        )
    if outcome.throttled_s is not None and outcome.throttled_s > THROTTLED_LIMIT_S:
        found.append(f"a quota of the control group held the processes back for {outcome.throttled_s:.1f} s")
    if outcome.thermal_throttles:
        found.append(f"the processors throttled {outcome.thermal_throttles} times because of heat")
    return found


GATES: Sequence[Gate] = (
    Gate(ENDED, ended_in_order, "see runtime.stderr in the run's folder"),
    Gate(ACCOUNTED, tasks_accounted_for, "see events.jsonl in the run's folder and CONTRACT.md"),
    Gate(
        "journal agrees",
        journal_agrees,
        "hash the body that is sent, as canonical JSON, and take times of CLOCK_MONOTONIC; "
        "see endpoint.stderr if the journal is cut short",
    ),
    Gate(
        "ledger balances",
        ledger_balances,
        "a time was taken before or after what it stands for; compare the attempt's lines in events.jsonl "
        "and journal.jsonl",
    ),
    Gate("error rate", few_errors, "the reason of each is in tasks.csv"),
    Gate("asked once", asked_once, "see its lines in journal.jsonl and events.jsonl"),
    Gate(
        "begun on schedule", begun_on_schedule, "wait for start_after_ns of the tasks file, as in CONTRACT.md"
    ),
    Gate(
        "concurrency reached",
        concurrency_reached,
        "the runtime caps its connections, or the profile answers too soon",
    ),
    Gate(
        "Little's law",
        littles_law,
        "tell of every request that is made, in the event of its attempt",
    ),
    Gate(
        "endpoint on time",
        endpoint_on_time,
        "lower --verify-slots or --agents, or give it a free core",
        is_fault=False,
    ),
    Gate(ENOUGH, enough_samples, "raise --limit", is_fault=False),
    Gate("no swap", no_swapping, "free memory, or `swapoff -a` while measuring", is_fault=False),
    Gate(
        "no throttling or steal",
        no_throttling,
        "measure on a machine, or at an hour, with processors of its own",
        is_fault=False,
    ),
)
"""In the order in which their failures are to be mended."""

"""The figures of one run."""

from dataclasses import dataclass

from agentdyno.analysis import ledger
from agentdyno.analysis.events import Attempt
from agentdyno.analysis.run_data import RunData
from agentdyno.analysis.statistics import percentile

KIB_PER_MIB = 1024
NS_PER_S = 1e9
PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}

UNITS: dict[str, str] = {
    "peak_rss_mib": "MiB",
    "tree_peak_pss_mib": "MiB",
    "pass_rate": "share",
    "first_attempt_pass": "tasks",
    "recovered": "tasks",
    "failed": "tasks",
    "errors": "tasks",
    "avg_retries": "retries/task",
    "wall_s": "s",
    "tasks_per_s": "tasks/s",
    "cpu_s_per_task": "s/task",
    "all_begun_ms": "ms",
    **{
        f"{part}_ms_{name}": "ms" for part in ("overhead", "model", "verify", "queue") for name in PERCENTILES
    },
    "max_in_flight": "requests",
    "endpoint_lateness_ms_p99": "ms",
}
"""Every metric of a row, in the order in which they are written, with its unit."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task of one run; times in ms, summed over its attempts, None where an attempt has no ledger."""

    task: str
    outcome: str
    attempts: int
    transport_retries: int
    wall_ms: float
    model_ms: float | None
    queue_ms: float | None
    verify_ms: float | None
    overhead_ms: float | None
    reason: str | None


def entries(run: RunData) -> list[ledger.Entry]:
    """The ledger of every attempt that got a completion and is found in the journal."""
    return [ledger.entry(*found) for found in ledger.completed(run)]


def task_rows(run: RunData) -> list[TaskRow]:
    """A row per task outcome, in the order in which the tasks ended."""
    ledgers = {(found.task, found.attempt): found for found in entries(run)}
    first_tasks = ledger.begun_with(run.events, run.cell.agents)
    attempts_of: dict[str, list[Attempt]] = {}
    for attempt in run.events.attempts:
        attempts_of.setdefault(attempt.task, []).append(attempt)
    rows = []
    for outcome in run.events.outcomes:
        attempts = attempts_of.get(outcome.task, [])
        found = [ledgers.get((attempt.task, attempt.attempt)) for attempt in attempts]
        whole = [entry for entry in found if entry is not None]
        has_all = bool(found) and len(whole) == len(found)
        rows.append(
            TaskRow(
                task=outcome.task,
                outcome=outcome.outcome,
                attempts=outcome.attempts,
                transport_retries=sum(attempt.transport_retries for attempt in attempts),
                wall_ms=sum(
                    attempt.t_end - ledger.t_due(attempt, run.events, first_tasks) for attempt in attempts
                )
                / ledger.NS_PER_MS,
                model_ms=sum(entry.model for entry in whole) if has_all else None,
                queue_ms=sum(entry.queue for entry in whole) if has_all else None,
                verify_ms=sum(entry.verify for entry in whole) if has_all else None,
                overhead_ms=sum(entry.overhead for entry in whole) if has_all else None,
                reason=outcome.reason,
            )
        )
    return rows


def metrics(run: RunData) -> dict[str, float | None]:
    """Every metric of UNITS for one run; None where the run does not tell.

    Memory counts from the run_start event on: before it, the process was not the runtime yet. Percentiles are
    over attempts.
    """
    events, ending = run.events, run.ending
    tasks = len(run.task_ids)
    first = sum(outcome.outcome == "passed" and outcome.attempts == 1 for outcome in events.outcomes)
    recovered = sum(outcome.outcome == "passed" and outcome.attempts > 1 for outcome in events.outcomes)
    retries = sum(max(outcome.attempts - 1, 0) for outcome in events.outcomes)
    started = [
        sample for sample in run.samples if events.t_start is not None and sample["t"] >= events.t_start
    ]
    trees = [sample["tree_pss_kib"] for sample in started if sample["tree_pss_kib"] is not None]
    wall = (
        (events.t_end - events.t_start) / NS_PER_S
        if events.t_start is not None and events.t_end is not None
        else None
    )
    begun = ledger.begun_with(events, run.cell.agents).values()
    late_ms = [late / 1000 for request in run.journal.requests for late in request.late_us]
    ledgers = entries(run)
    found: dict[str, float | None] = {
        "peak_rss_mib": max((sample["peak_rss_kib"] for sample in started), default=0) / KIB_PER_MIB or None,
        "tree_peak_pss_mib": max(trees, default=0) / KIB_PER_MIB or None,
        "pass_rate": (first + recovered) / tasks,
        "first_attempt_pass": first,
        "recovered": recovered,
        "failed": sum(outcome.outcome == "failed" for outcome in events.outcomes),
        "errors": sum(outcome.outcome == "error" for outcome in events.outcomes),
        "avg_retries": retries / tasks,
        "wall_s": wall,
        "tasks_per_s": tasks / wall if wall else None,
        "cpu_s_per_task": ending.own_cpu_s / tasks if ending.own_cpu_s is not None else None,
        "all_begun_ms": (max(begun) - events.t_start) / ledger.NS_PER_MS
        if events.t_start is not None and begun
        else None,
        "max_in_flight": max((request.in_flight for request in run.journal.requests), default=None),
        "endpoint_lateness_ms_p99": percentile(late_ms, 0.99),
    }
    parts = {
        "overhead": [entry.overhead for entry in ledgers],
        "model": [entry.model for entry in ledgers],
        "verify": [entry.verify for entry in ledgers],
        "queue": [entry.queue for entry in ledgers],
    }
    for part, values in parts.items():
        for name, share in PERCENTILES.items():
            found[f"{part}_ms_{name}"] = percentile(values, share)
    return {name: found[name] for name in UNITS}

"""The metrics of one run, and its steady state: the time after the warm-up and before the tasks run out."""

import statistics
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agentdyno.analysis import ledger
from agentdyno.analysis.due import Due, begun_with, intended_starts
from agentdyno.analysis.ledger import Entry
from agentdyno.analysis.registry import MEASURED, PERCENTILES
from agentdyno.analysis.statistics import percentile, percentile_of_counts
from agentdyno.format import printable
from agentdyno.rundata.columns import Columns, by_task
from agentdyno.rundata.raw_run import RawRun

LEAST_TASKS = 20
"""A rate over fewer tasks than this is not reliable."""


@dataclass(frozen=True, slots=True)
class SteadyState:
    """The steady state of one run, from `t_from` to `t_to` in nanoseconds of CLOCK_MONOTONIC.

    `tasks` is the number of tasks that ended in this time.
    """

    t_from: int
    t_to: int
    tasks: int

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        return (self.t_to - self.t_from) / 1e9


def steady_state(run: RawRun) -> SteadyState | None:
    """The steady state with all N agents busy; None where it has too few tasks for a rate.

    The steady state begins when N tasks have ended. This warm-up is the same for all runtimes: each agent has
    then worked on a whole task on average, and has warm connections and caches. The steady state ends when
    the last task begins, because then fewer than N agents have work. So a run needs more than 2 N tasks. A
    run with intended starts does not aim at N busy agents and has no steady state.
    """
    ended = sorted(run.events.outcomes.column("t"))
    last = max((begin for begin, n in run.events.attempts.of("t_begin", "attempt") if n == 1), default=None)
    if run.starts or len(ended) < run.cell.agents or last is None:
        return None
    t_from, t_to = ended[run.cell.agents - 1], last
    tasks = sum(t_from < t <= t_to for t in ended)
    return SteadyState(t_from, t_to, tasks) if tasks >= LEAST_TASKS else None


KIB_PER_MIB = 1024
NS_PER_S = 1e9

LATE_MS = 25.0
"""From when on a chunk counts as late in `endpoint_late_share`."""


class TaskRow(NamedTuple):
    """One task of one run; times in ms, summed over its attempts, None where an attempt has no ledger.

    `wall_ms` is from when it was to begin, whether or not an agent was free; `begin_ms`, which is in it,
    until it was begun.
    """

    task: str
    outcome: str
    attempts: int
    transport_retries: int
    wall_ms: float
    begin_ms: float
    model_ms: float | None
    queue_ms: float | None
    verify_ms: float | None
    overhead_ms: float | None
    reason: str | None


def task_rows(run: RawRun, entries: Columns[Entry]) -> Columns[TaskRow]:
    """A row per task outcome, in the order in which the tasks ended."""
    waited, lasted = _times_of_attempts(run)
    retries = run.events.attempts.column("transport_retries")
    attempts_of, entries_of = by_task(run.events.attempts), by_task(entries)
    rows = Columns(TaskRow)
    for outcome in run.events.outcomes:
        attempts = attempts_of.get(outcome.task, ())
        whole = [entries[at] for at in entries_of.get(outcome.task, ())]
        has_all = bool(attempts) and len(whole) == len(attempts)
        begin, spent = (sum(times[at] for at in attempts) for times in (waited, lasted))
        rows.append(
            TaskRow(
                task=outcome.task,
                outcome=outcome.outcome,
                attempts=outcome.attempts,
                transport_retries=sum(retries[at] for at in attempts),
                wall_ms=(begin + spent) / ledger.NS_PER_MS,
                begin_ms=begin / ledger.NS_PER_MS,
                model_ms=sum(entry.parts.model for entry in whole) if has_all else None,
                queue_ms=sum(entry.parts.queue for entry in whole) if has_all else None,
                verify_ms=sum(entry.parts.verify for entry in whole) if has_all else None,
                overhead_ms=sum(entry.overhead for entry in whole) if has_all else None,
                reason=printable(outcome.reason) if outcome.reason is not None else None,
            )
        )
    return rows


def _times_of_attempts(run: RawRun) -> tuple["array[int]", "array[int]"]:
    """How long each attempt waited from its due time on, and how long it then took, in ns."""
    due = Due(run, intended_starts(run))
    waited, lasted = array("q"), array("q")
    for task, number, t_begin, t_end in run.events.attempts.of("task", "attempt", "t_begin", "t_end"):
        waited.append(t_begin - due.of(task, number, t_begin))
        lasted.append(t_end - t_begin)
    return waited, lasted


def metrics(run: RawRun, entries: Columns[Entry], tasks: Columns[TaskRow]) -> dict[str, float | None]:
    """Every metric of MEASURED for one run; None where the run does not tell."""
    window = steady_state(run)
    found = {
        **_memory(run),
        **_outcomes(run),
        **_rates(run, window),
        **_beginning(run),
        **_times(run, window, entries, tasks),
        **_instrument(run),
    }
    return {name: found[name] for name in MEASURED}


def wall_s(run: RawRun) -> float | None:
    """From `run_start` to `run_end`."""
    t_start, t_end = run.events.t_start, run.events.t_end
    return (t_end - t_start) / NS_PER_S if t_start is not None and t_end is not None else None


def _memory(run: RawRun) -> dict[str, float | None]:
    """Peaks, from the run_start event on: before it, the process was not the runtime yet."""
    t_start = run.events.t_start

    def peak(field: str) -> float | None:
        looks = run.samples.of("t", field)
        kib = max((kib or 0 for t, kib in looks if t_start is not None and t >= t_start), default=0)
        return kib / KIB_PER_MIB or None

    cgroup_kib = run.outcome.cgroup_peak_kib
    return {
        "peak_rss_mib": peak("peak_rss_kib"),
        "tools_peak_pss_mib": peak("tools_pss_kib"),
        "tree_peak_pss_mib": peak("tree_pss_kib"),
        "tree_peak_cgroup_mib": None if cgroup_kib is None else cgroup_kib / KIB_PER_MIB,
    }


def _outcomes(run: RawRun) -> dict[str, float | None]:
    outcomes, tasks = run.events.outcomes, len(run.task_ids)
    first = sum(outcome.outcome == "passed" and outcome.attempts == 1 for outcome in outcomes)
    recovered = sum(outcome.outcome == "passed" and outcome.attempts > 1 for outcome in outcomes)
    return {
        "pass_rate": (first + recovered) / tasks,
        "first_attempt_pass": first,
        "recovered": recovered,
        "failed": sum(outcome.outcome == "failed" for outcome in outcomes),
        "errors": sum(outcome.outcome == "error" for outcome in outcomes),
        "avg_retries": sum(max(outcome.attempts - 1, 0) for outcome in outcomes) / tasks,
    }


def _rates(run: RawRun, window: SteadyState | None) -> dict[str, float | None]:
    outcome, tasks, wall = run.outcome, len(run.task_ids), wall_s(run)
    return {
        "wall_s": wall,
        "tasks_per_s": tasks / wall if wall else None,
        "steady_s": window.seconds if window else None,
        "steady_tasks_per_s": window.tasks / window.seconds if window else None,
        "cpu_s_per_task": None if outcome.own_cpu_s is None else outcome.own_cpu_s / tasks,
        "tools_cpu_s_per_task": None if outcome.tools_cpu_s is None else outcome.tools_cpu_s / tasks,
    }


def _beginning(run: RawRun) -> dict[str, float | None]:
    """The cold start: from the program's execution until its run, its first request, and all agents."""
    t_executed, t_start = run.outcome.t_executed, run.events.t_start
    first = min(run.journal.requests.column("t_arrive"), default=None)
    begun = begun_with(run.events, run.cell.agents).values()
    has_begun = t_start is not None and begun and not run.starts

    def since(begin: int | None, end: int | None) -> float | None:
        return None if begin is None or end is None else (end - begin) / ledger.NS_PER_MS

    return {
        "start_ms": since(t_executed, t_start),
        "first_request_ms": None if run.starts else since(t_executed, first),
        "all_begun_ms": since(t_start, max(begun)) if has_begun else None,
    }


def _times(
    run: RawRun, window: SteadyState | None, entries: Sequence[Entry], tasks: Sequence[TaskRow]
) -> dict[str, float | None]:
    times: dict[str, Iterable[float]] = {
        "overhead": (entry.overhead for entry in entries),
        "overhead_uncorrected": (entry.overhead - entry.parts.begin for entry in entries),
        "steady_overhead": (
            entry.overhead
            for entry in entries
            if window and entry.t_begin >= window.t_from and entry.t_end <= window.t_to
        ),
        "model": (entry.parts.model for entry in entries),
        "verify": (entry.parts.verify for entry in entries),
        "queue": (entry.parts.queue for entry in entries),
        "task": (row.wall_ms for row in tasks),
        "task_uncorrected": (row.wall_ms - row.begin_ms for row in tasks),
    }
    found: dict[str, float | None] = {}
    for part, values in times.items():
        ordered = sorted(values)
        for name, share in PERCENTILES.items():
            found[f"{part}_ms_{name}"] = percentile(ordered, share)
    queued = [row.queue_ms for row in tasks if row.queue_ms is not None]
    return found | {
        "task_ms_mean": statistics.fmean(row.wall_ms for row in tasks) if tasks else None,
        "queue_ms_mean": statistics.fmean(queued) if queued else None,
    }


def _instrument(run: RawRun) -> dict[str, float | None]:
    """What the endpoint saw, and what measuring itself took."""
    journal, wall = run.journal, wall_s(run)
    late_ms = {late_us / 1000: chunks for late_us, chunks in journal.lateness.items()}
    late = sum(chunks for ms, chunks in late_ms.items() if ms > LATE_MS)

    def share(cpu_s: float | None) -> float | None:
        return cpu_s / wall if cpu_s is not None and wall else None

    return {
        "max_in_flight": max(journal.requests.column("in_flight"), default=None),
        "mean_in_flight": journal.open_s / wall if wall else None,
        "endpoint_lateness_ms_p99": percentile_of_counts(late_ms, 0.99),
        "endpoint_late_share": late / journal.lateness.total() if late_ms else None,
        "endpoint_cpu_share": share(journal.cpu_s),
        "harness_cpu_share": share(run.outcome.harness_cpu_s),
        "sampler_cpu_share": share(run.outcome.sampler_cpu_s),
        "foreign_cpu_share": run.outcome.foreign_share,
    }

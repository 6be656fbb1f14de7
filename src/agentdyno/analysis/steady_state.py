"""The time in which a run is neither beginning nor running out of tasks."""

from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.ledger import Entry
from agentdyno.rundata.raw_run import RawRun

LEAST_TASKS = 20
"""A rate over fewer tasks than this says little."""


@dataclass(frozen=True, slots=True)
class SteadyState:
    """The plateau of one run, from `t_from` to `t_to` in nanoseconds of CLOCK_MONOTONIC, and the tasks that
    ended in it.
    """

    t_from: int
    t_to: int
    tasks: int

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return (self.t_to - self.t_from) / 1e9


def steady_state(run: RawRun) -> SteadyState | None:
    """The plateau at full N, or None where the run has none worth a rate.

    It begins when as many tasks as agents have ended, which is the warm-up, the same for all runtimes: each
    agent has then had a whole task on average, connections and caches with it. It ends when the last task is
    begun, after which fewer than N agents have work. So it takes more than twice as many tasks as agents. A
    run with starts of its own does not aim at N and has none.
    """
    ended = sorted(outcome.t for outcome in run.events.outcomes)
    begun = [attempt.t_begin for attempt in run.events.attempts if attempt.attempt == 1]
    if run.starts or len(ended) < run.cell.agents or not begun:
        return None
    t_from, t_to = ended[run.cell.agents - 1], max(begun)
    tasks = sum(t_from < t <= t_to for t in ended)
    return SteadyState(t_from, t_to, tasks) if tasks >= LEAST_TASKS else None


def within(window: SteadyState, run: RawRun, entries: Sequence[Entry]) -> list[Entry]:
    """The attempts that began and ended in the window."""
    inside = {
        (attempt.task, attempt.attempt)
        for attempt in run.events.attempts
        if attempt.t_begin >= window.t_from and attempt.t_end <= window.t_to
    }
    return [entry for entry in entries if (entry.task, entry.attempt) in inside]

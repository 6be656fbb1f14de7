"""The steady state of a run: the time after the warm-up and before the tasks run out."""

from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.ledger import Entry
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
    ended = sorted(outcome.t for outcome in run.events.outcomes)
    begun = [attempt.t_begin for attempt in run.events.attempts if attempt.attempt == 1]
    if run.starts or len(ended) < run.cell.agents or not begun:
        return None
    t_from, t_to = ended[run.cell.agents - 1], max(begun)
    tasks = sum(t_from < t <= t_to for t in ended)
    return SteadyState(t_from, t_to, tasks) if tasks >= LEAST_TASKS else None


def within(window: SteadyState, run: RawRun, entries: Sequence[Entry]) -> list[Entry]:
    """The attempts that began and ended within `window`."""
    inside = {
        (attempt.task, attempt.attempt)
        for attempt in run.events.attempts
        if attempt.t_begin >= window.t_from and attempt.t_end <= window.t_to
    }
    return [entry for entry in entries if (entry.task, entry.attempt) in inside]

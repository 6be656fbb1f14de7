"""Where an attempt's wall time went, from the runtime's events and the endpoint's journal."""

import statistics
from array import array
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from agentdyno.analysis.due import Due, first_due
from agentdyno.analysis.free_slots import UNKNOWN, free_since
from agentdyno.analysis.joins import UNSERVED, UNWITNESSED, Joined, join
from agentdyno.rundata.cell import REAL
from agentdyno.rundata.columns import Columns
from agentdyno.rundata.events import Attempt
from agentdyno.rundata.journal import Request
from agentdyno.rundata.raw_run import RawRun

NS_PER_MS = 1_000_000


class Parts(NamedTuple):
    """The parts of one attempt in ms, in chronological order.

    Each part is measured by itself and is at least 0, so the parts need not sum to the wall time. If the sum
    is wrong, two clocks or two programs disagree, and a gate fails.
    """

    begin: float
    """From the attempt's due time until the runtime began the attempt."""
    prompt: float
    """Messages, body and connection, until the runtime began to write; without failed tries."""
    transport: float
    """The failed tries and the pauses after them."""
    send: float
    """Until the endpoint had read the request."""
    model: float
    """From the arrival of the request to the departure of the finish reason, by the endpoint's clock; and the
    wait for the rest of the stream, which the contract allows and of which the endpoint decides.
    """
    stream: float
    """Until the runtime had parsed the end of the reply."""
    extract: float
    """Extraction, workspace and files, until the runtime requested a slot."""
    queue: float
    """The wait for a verification slot while all were taken."""
    spawn: float
    """Until the test process ran; and the wait for a slot while one was free."""
    verify: float
    """The lifetime of the test process, by its receipt, or else by the runtime's events."""
    bookkeeping: float
    """Verdict, feedback, removal of the workspace; without a verification, everything after the reply."""

    @property
    def total(self) -> float:
        """The sum of all parts."""
        return float(sum(self))


PARTS = Parts._fields
"""The names of the parts, in chronological order."""

NOT_OVERHEAD = ("transport", "model", "queue", "verify")
"""The parts that are not overhead. The other parts are work of the runtime."""


FIGURES = (*PARTS, "wall", "overhead")
"""The parts of an attempt, its wall time and its overhead."""


class Entry(NamedTuple):
    """The ledger of one attempt, which took place from `t_begin` to `t_end`, in ns of CLOCK_MONOTONIC.

    `wall` is the time from the attempt's due time to its end, in ms.
    """

    task: str
    attempt: int
    verdict: str
    t_begin: int
    t_end: int
    wall: float
    parts: Parts

    @property
    def overhead(self) -> float:
        """`wall` minus the parts that are not the runtime's, in ms.

        The overhead is not a sum of parts, because time that no part covers is overhead too.
        """
        return float(self.wall - sum(getattr(self.parts, name) for name in NOT_OVERHEAD))

    @property
    def imbalance(self) -> float:
        """The difference between the sum of the parts and the wall time, in ms."""
        return abs(self.parts.total - self.wall)


def entries(run: RawRun, joined: Joined | None = None) -> Columns[Entry]:
    """The ledger of every attempt with a completion that the journal contains, in the order of the events."""
    served_by, witnessed_by = joined or join(run)
    due = Due(run, first_due(run))
    relayed = run.cell.profile.startswith(REAL)
    attempts, requests = run.events.attempts, run.journal.requests
    started, exited = _verifications(run, witnessed_by)
    slots = _slots(run, exited)
    timed = attempts.without("usage", "request_sha256", "completion_sha256", "reason")
    return Columns(
        Entry,
        (
            _entry(
                attempt,
                requests[position],
                due.of(attempt.task, attempt.attempt, attempt.t_begin),
                (None if started[place] == UNKNOWN else started[place], exited[place]),
                slots[place],
                relayed=relayed,
            )
            for place, (attempt, position) in enumerate(zip(timed, served_by, strict=True))
            if position != UNSERVED
        ),
    )


def _reply_over(attempt: Attempt, request: Request, t_last: int) -> int:
    """When the runtime need not wait for the endpoint any more: at `t_last`, when it had the finish reason;
    or, if the endpoint sent the end of the stream later, as LiteLLM, Azure and others do, when that left or
    when the runtime went on without it. Of a tail that is longer than a runtime waits, the journal has
    nothing but the moment when the runtime left.
    """
    if request.t_finish is None or request.t_over is None or request.t_over <= request.t_finish:
        return t_last
    went_on = attempt.t_queue if attempt.t_queue is not None else attempt.t_end
    return max(t_last, min(request.t_over, went_on))


Span = tuple[int | None, int]
"""When a verification started, None if it did not, and when it ended, or the attempt if there was none."""


def _verifications(run: RawRun, witnessed_by: Sequence[int]) -> tuple["array[int]", "array[int]"]:
    """When each attempt's verification started, UNKNOWN for none, and ended; by its receipt where there is
    one, because a runtime may notice late that a test process has ended.
    """
    started, exited = array("q"), array("q")
    reported = run.events.attempts.of("t_started", "t_exit", "t_end")
    for (t_started, t_exit, t_end), position in zip(reported, witnessed_by, strict=True):
        begin = UNKNOWN if t_started is None else t_started
        end = t_end if t_exit is None else t_exit
        if run.receipts is not None and position != UNWITNESSED:
            begin, its_end, closed = (
                run.receipts.column(name)[position] for name in ("t_start", "t_end", "t_closed")
            )
            end = min(end, closed) if its_end is None else its_end
        started.append(begin)
        exited.append(end)
    return started, exited


def _slots(run: RawRun, exited: Sequence[int]) -> Sequence[int]:
    """Since when each attempt could have had a verification slot; UNKNOWN where the run does not tell."""
    if run.slots is None or run.is_of_0_1:
        return array("q", [UNKNOWN]) * len(exited)
    spawned = array("q", (UNKNOWN if t is None else t for t in run.events.attempts.column("t_spawn")))
    return free_since(spawned, exited, run.slots)


def _entry(
    attempt: Attempt, request: Request, t_due: int, verification: Span, t_slot: int, *, relayed: bool
) -> Entry:
    # An attempt with a completion should have both times; a runtime that omits one still gets a ledger.
    t_request, t_last = attempt.t_request or attempt.t_begin, attempt.t_last or attempt.t_end
    t_finish, t_over = request.t_finish, _reply_over(attempt, request, t_last)
    if relayed and t_finish is not None:
        # Journals of version 0.1.0 have only the end of the stream, which a real model may send later.
        t_finish = min(t_finish, t_last)
    # An attempt that was cut short was until its end in the part that it had reached.
    t_queue, t_end = attempt.t_queue, attempt.t_end
    t_started, exited = verification
    spawned = t_end if attempt.t_spawn is None else attempt.t_spawn
    started = t_end if t_started is None else t_started
    slot = spawned if t_slot == UNKNOWN or t_queue is None else max(t_queue, t_slot)
    transport = attempt.transport_ns / NS_PER_MS
    return Entry(
        task=attempt.task,
        attempt=attempt.attempt,
        verdict=attempt.verdict,
        t_begin=attempt.t_begin,
        t_end=attempt.t_end,
        wall=(attempt.t_end - t_due) / NS_PER_MS,
        parts=Parts(
            begin=_between(t_due, attempt.t_begin),
            prompt=max(0.0, _between(attempt.t_begin, t_request) - transport),
            transport=transport,
            send=_between(t_request, request.t_arrive),
            model=_between(request.t_arrive, t_finish) + _between(t_last, t_over),
            stream=_between(t_finish, t_last),
            extract=_between(t_over, t_queue),
            queue=_between(t_queue, slot),
            spawn=0.0 if attempt.t_spawn is None else _between(slot, started),
            verify=_between(t_started, exited),
            bookkeeping=_between(t_over if t_queue is None else exited, t_end),
        ),
    )


def _between(begin: int | None, end: int | None) -> float:
    """The time between two moments in ms; 0 where one is missing or `end` is not after `begin`."""
    return max(0, end - begin) / NS_PER_MS if begin is not None and end is not None else 0.0


def means(runs: Iterable[Sequence[Entry]]) -> list[float] | None:
    """The means of FIGURES, in their order, over all attempts; None where no attempt has a ledger."""
    kept = list(runs)
    if not any(kept):
        return None
    parts = [statistics.fmean(getattr(entry.parts, name) for entry in chain(*kept)) for name in PARTS]
    wall, overhead = (
        statistics.fmean(getattr(entry, name) for entry in chain(*kept)) for name in FIGURES[-2:]
    )
    return [*parts, wall, overhead]

"""Joins what runtime, endpoint and verifier say of one attempt."""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from agentdyno.rundata.columns import Columns
from agentdyno.rundata.events import Attempt
from agentdyno.rundata.journal import Request
from agentdyno.rundata.raw_run import RawRun
from agentdyno.rundata.receipts import GONE, Receipt

UNSERVED = -1
"""The position of no request."""


def match(attempts: Columns[Attempt], requests: Columns[Request]) -> Sequence[int]:
    """For each attempt the position of the request that served it: same task, attempt and body.

    UNSERVED for attempts without a completion, and for those whose request the journal lacks.
    """
    first: dict[tuple[str | None, int | None], int] = {}
    others: dict[tuple[str | None, int | None, str | None], int] = {}
    fields = ("task", "attempt", "request_sha256")
    for position, (task, number, sha256, is_served) in enumerate(requests.of(*fields, "is_served")):
        if is_served and first.setdefault((task, number), position) != position:
            others[task, number, sha256] = position
    hashes = requests.column("request_sha256")
    found = array("q")
    for task, number, sha256, completion in attempts.of(*fields, "completion_sha256"):
        position = others.get((task, number, sha256), UNSERVED)
        if position == UNSERVED:
            position = first.get((task, number), UNSERVED)
        is_same = completion is not None and position != UNSERVED and hashes[position] == sha256
        found.append(position if is_same else UNSERVED)
    return found


class Joined(NamedTuple):
    """For each attempt, in the order of the events, the position of its request and of its receipt."""

    served_by: Sequence[int]
    witnessed_by: Sequence[int]


def join(run: RawRun) -> Joined:
    """Find the request and the receipt of each attempt."""
    served_by = match(run.events.attempts, run.journal.requests)
    return Joined(served_by, witnesses(run, served_by))


UNWITNESSED = -1
"""The position of no receipt."""

VERIFIED = ("passed", "failed", "unproven", "no_summary", "timed_out")
"""The verdicts that take a verification."""

SIGKILL = 9

Key = tuple[str | None, str | None, int | None, int | None]
"""The hashes of solution and tests, exit code and signal; the last two are None where both were killed."""


def witnesses(run: RawRun, served_by: Sequence[int]) -> Sequence[int]:
    """For each attempt the position of its receipt, UNWITNESSED where there is none.

    A receipt is an attempt's if it was made within the attempt's time, on the code block of the reply that
    the endpoint sent and on the task's tests, and if it ended as the attempt says.
    Equal verifications at the same time can be told apart by nothing, and need not be: a receipt goes to the
    attempt that ends first (earliest deadline first, which finds a match for all if there is one).
    """
    found = array("q", [UNWITNESSED]) * len(run.events.attempts)
    if run.receipts is None:
        return found
    receipts = _by_key(run, run.receipts)
    attempts: dict[Key, list[tuple[int, int, int]]] = defaultdict(list)
    for position, (key, begin, end) in enumerate(_verified(run, served_by)):
        if key is not None:
            attempts[key].append((begin, end, position))
    killed: dict[Key, list[tuple[int, int, int]]] = {}
    for key, waiting in attempts.items():
        left = _assign(sorted(waiting), receipts.get(key, ()), found)
        if left and key[3] == SIGKILL:
            killed[(*key[:2], None, None)] = left
    for key, waiting in killed.items():
        _assign(sorted(waiting), receipts.get(key, ()), found)
    return found


def _by_key(run: RawRun, receipts: Columns[Receipt]) -> dict[Key, list[tuple[int, int]]]:
    """When receipts that can be believed were made, in order, and their positions."""
    found: dict[Key, list[tuple[int, int]]] = defaultdict(list)
    fields = ("problem", "by_attempt", "t_start", "solution_sha256", "tests_sha256", "exit_code", "signal")
    for position, (problem, by_attempt, t_start, *key) in enumerate(receipts.of(*fields)):
        is_believed = problem is None or (problem == GONE and run.cell.verifier == "null")
        if t_start is not None and is_believed and not by_attempt:
            found[tuple(key)].append((t_start, position))
    for made in found.values():
        made.sort()
    return found


def _verified(run: RawRun, served_by: Sequence[int]) -> Iterator[tuple[Key | None, int, int]]:
    """For each attempt what its receipt must say, None where it needs none; and from when to when it is."""
    solutions = run.journal.requests.column("solution_sha256")
    fields = ("task", "verdict", "exit_code", "signal", "t_spawn", "t_exit", "t_end")
    for attempt, position in zip(run.events.attempts.of(*fields), served_by, strict=True):
        task, verdict, code, number, t_spawn, t_exit, t_end = attempt
        if verdict not in VERIFIED or position == UNSERVED or t_spawn is None:
            yield None, 0, 0
        else:
            key = (solutions[position], run.tests_sha256.get(task), code, number)
            yield key, t_spawn, t_end if t_exit is None else t_exit


def _assign(
    attempts: Sequence[tuple[int, int, int]], receipts: Sequence[tuple[int, int]], found: "array[int]"
) -> list[tuple[int, int, int]]:
    """Give each receipt to an attempt that it can be of; returns the attempts without one."""
    waiting: list[tuple[int, int, int]] = []
    at = 0
    for t, position in receipts:
        while at < len(attempts) and attempts[at][0] <= t:
            begin, end, attempt = attempts[at]
            heappush(waiting, (end, attempt, begin))
            at += 1
        while waiting and waiting[0][0] < t:
            heappop(waiting)
        if waiting:
            found[heappop(waiting)[1]] = position
    return [each for each in attempts if found[each[2]] == UNWITNESSED]

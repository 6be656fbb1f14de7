"""Joins what runtime, endpoint and verifier say of one attempt."""

from array import array
from bisect import bisect_left, insort
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from signal import SIGKILL
from typing import NamedTuple

from agentdyno.rundata.columns import Columns
from agentdyno.rundata.events import Attempt
from agentdyno.rundata.journal import Request
from agentdyno.rundata.raw_run import RawRun
from agentdyno.rundata.receipts import Receipt

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

Key = tuple[str | None, str | None, int | None, int | None]
"""The hashes of solution and tests, exit code and signal of a verification."""


def witnesses(run: RawRun, served_by: Sequence[int]) -> Sequence[int]:
    """For each attempt the position of its receipt, UNWITNESSED where there is none.

    A receipt is an attempt's if it was made within the attempt's time, on the code block of the reply that
    the endpoint sent and on the task's tests, and if it ended as the attempt says. Equal verifications at the
    same time can be told apart by their times alone: in the order in which receipts begin, each goes to the
    attempt that ends first of those that do not end before the receipt. That finds a match for all if there
    is one, because an attempt that has begun before a receipt has begun before all later ones too.
    """
    found = array("q", [UNWITNESSED]) * len(run.events.attempts)
    if run.receipts is None:
        return found
    spawned = run.events.attempts.column("t_spawn")
    started, ended = run.receipts.column("t_start"), run.receipts.column("t_end")
    reported = deque(sorted(_verified(run, served_by), key=spawned.__getitem__))
    reported_key, reported_end, key_of = _reported(run, served_by), _ends(run), _keys(run.receipts)
    under_way: dict[Key, list[tuple[int, int]]] = defaultdict(list)
    for position in sorted(_believed(run.receipts), key=started.__getitem__):
        t = started[position]
        while reported and spawned[reported[0]] <= t:
            attempt = reported.popleft()
            insort(under_way[reported_key(attempt)], (reported_end(attempt), attempt))
        key = key_of(position)
        waiting = under_way[key]
        del waiting[: bisect_left(waiting, (t, 0))]
        end = t if ended[position] is None else ended[position]
        at = bisect_left(waiting, (end, 0))
        if at < len(waiting):
            found[waiting.pop(at)[1]] = position
        if not waiting:
            del under_way[key]
    return found


def _verified(run: RawRun, served_by: Sequence[int]) -> Iterator[int]:
    """The positions of the attempts that need a receipt and can have one."""
    fields = run.events.attempts.of("verdict", "t_spawn")
    for position, (verdict, t_spawn) in enumerate(fields):
        if verdict in VERIFIED and t_spawn is not None and served_by[position] != UNSERVED:
            yield position


def _believed(receipts: Columns[Receipt]) -> Iterator[int]:
    """The positions of the receipts that tell of a verification."""
    for position, (problem, by_attempt, t_start) in enumerate(
        receipts.of("problem", "by_attempt", "t_start")
    ):
        if problem is None and not by_attempt and t_start is not None:
            yield position


def _reported(run: RawRun, served_by: Sequence[int]) -> Callable[[int], Key]:
    """What the receipt of an attempt must say."""
    attempts, solutions = run.events.attempts, run.journal.requests.column("solution_sha256")
    tasks, codes, numbers = (attempts.column(name) for name in ("task", "exit_code", "signal"))
    tests = dict(zip(run.task_ids, run.tests_sha256, strict=True))
    return lambda at: (
        solutions[served_by[at]],
        tests.get(tasks[at]),
        codes[at],
        numbers[at],
    )


def _keys(receipts: Columns[Receipt]) -> Callable[[int], Key]:
    """What a receipt says. One without an end is of a verification that was killed with its group."""
    names = ("solution_sha256", "tests_sha256", "exit_code", "signal", "t_end")
    solutions, tests, codes, numbers, ends = (receipts.column(name) for name in names)
    return lambda at: (
        solutions[at],
        tests[at],
        codes[at],
        SIGKILL if ends[at] is None else numbers[at],
    )


def _ends(run: RawRun) -> Callable[[int], int]:
    """When the verification of an attempt was over, by the runtime."""
    exited, ended = (run.events.attempts.column(name) for name in ("t_exit", "t_end"))

    def end(at: int) -> int:
        found: int = ended[at] if exited[at] is None else exited[at]
        return found

    return end


DIGEST_BYTES = 16
MOST_ATTEMPTS = 1000
"""Later attempts share one place: a damaged journal may have any number."""


def digests(run: RawRun) -> dict[str, bytes]:
    """For each task the `digest` of the request of each attempt, one after the other.

    An attempt with several requests has the digest of all their digests, one without any has zeros.
    """
    found: dict[str, bytes] = {}
    several: dict[tuple[str, int], set[bytes]] = {}
    for task, attempt, sha256 in run.journal.requests.of("task", "attempt", "request_sha256"):
        if task is None or not attempt or sha256 is None:
            continue
        attempt = min(attempt, MOST_ATTEMPTS)
        its, before = digest(sha256), found.get(task, b"")
        at = (attempt - 1) * DIGEST_BYTES
        there = before[at : at + DIGEST_BYTES]
        if not any(there):
            found[task] = before[:at].ljust(at, b"\0") + its + before[at + DIGEST_BYTES :]
        elif there != its:
            several.setdefault((task, attempt), {there}).add(its)
    for (task, attempt), each in several.items():
        at = (attempt - 1) * DIGEST_BYTES
        found[task] = found[task][:at] + _short(b"".join(sorted(each))) + found[task][at + DIGEST_BYTES :]
    return found


def digest(sha256: str) -> bytes:
    """16 bytes for a hash that takes 64 in hexadecimal."""
    return _short(sha256.encode())


def _short(what: bytes) -> bytes:
    return blake2b(what, digest_size=DIGEST_BYTES).digest()

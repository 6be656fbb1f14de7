from collections.abc import Sequence
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from agentdyno.analysis.slots import Span, lifetimes, slots
from agentdyno.rundata.columns import Columns
from agentdyno.rundata.events import Attempt, RunEvents, TaskOutcome
from agentdyno.rundata.journal import Journal
from agentdyno.rundata.raw_run import RawRun, Sample
from analysis.synthetic import CELL, OUTCOME, attempt

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=30).map(
    lambda begins: [(begin, begin + lasts) for begin, lasts in begins]
)


def run_of(spans: Sequence[Span]) -> RawRun:
    """A run of tasks 0, 1, …, each of one attempt, which takes its span."""
    events = RunEvents(t_start=0, t_end=100)
    for number, (begin, end) in enumerate(spans):
        event = attempt(str(number)) | {"t_begin": begin, "t_end": end}
        del event["event"]
        events.attempts.append(Attempt(**event))
        events.outcomes.append(TaskOutcome(str(number), end, "passed", 1, None))
    names = [str(number) for number in range(len(spans))]
    return RawRun(
        cell=CELL, block=1, folder=Path(), tasks_file=Path(), task_ids=names, starts={}, max_retries=3,
        outcome=OUTCOME, events=events, journal=Journal(), samples=Columns(Sample),
        model="", request={}, prompts_file=None, tests_sha256=[], slots=None, receipts=None,
    )  # fmt: skip


def under_way(spans: Sequence[Span], t: int) -> list[str]:
    return [str(number) for number, (begin, end) in enumerate(spans) if begin <= t < end]


@given(SPANS)
def test_no_two_tasks_are_in_a_slot_at_once_and_slots_are_as_few_as_can_be(spans: list[Span]) -> None:
    found = slots(run_of(spans))
    at_once = [under_way(spans, begin) for begin, _ in spans]
    assert all(len({found[task] for task in tasks}) == len(tasks) for tasks in at_once)
    assert sorted(set(found.values())) == list(range(max(map(len, at_once), default=0)))


@given(SPANS, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(spans: list[Span], random: Random) -> None:
    run = run_of(spans)
    before = slots(run)
    run.events.attempts = Columns(Attempt, random.sample(list(run.events.attempts), len(spans)))
    run.events.outcomes = Columns(TaskOutcome, random.sample(list(run.events.outcomes), len(spans)))
    assert slots(run) == before


def test_a_task_has_the_lowest_slot_that_is_free_when_it_begins() -> None:
    spans = [(0, 10), (1, 4), (2, 3), (4, 8), (3, 5), (10, 11)]
    assert slots(run_of(spans)) == {"0": 0, "1": 1, "2": 2, "4": 2, "3": 1, "5": 0}


def test_a_task_lasts_from_its_first_attempt_to_its_outcome() -> None:
    run = run_of([(5, 10)])
    (first,) = run.events.attempts
    run.events.attempts.append(first._replace(attempt=2, t_begin=10, t_end=20))
    run.events.outcomes = Columns(TaskOutcome, [TaskOutcome("0", 25, "passed", 2, None)])
    assert lifetimes(run.events) == {"0": (5, 25)}


def test_a_task_without_an_outcome_lasts_to_the_end_of_its_last_attempt() -> None:
    run = run_of([(0, 10)])
    run.events.outcomes = Columns(TaskOutcome)
    assert lifetimes(run.events) == {"0": (0, 10)}


def test_a_task_that_never_began_has_no_slot() -> None:
    run = run_of([(0, 10)])
    run.events.outcomes.append(TaskOutcome("1", 20, "error", 0, "interrupted"))
    assert slots(run) == {"0": 0}

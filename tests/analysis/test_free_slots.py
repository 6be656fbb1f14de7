"""Since when a verification slot was free for an attempt."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agentdyno.analysis.free_slots import UNKNOWN
from agentdyno.analysis.free_slots import free_since as free_since_each

SPANS = st.lists(
    st.none() | st.tuples(st.integers(0, 40), st.integers(0, 9)).map(lambda span: (span[0], sum(span))),
    max_size=12,
)


def free_since(held: list[tuple[int, int] | None], slots: int) -> dict[int, int]:
    """The moments by position, of those that had a slot."""
    spawned = [UNKNOWN if span is None else span[0] for span in held]
    found = free_since_each(spawned, [0 if span is None else span[1] for span in held], slots)
    return {position: since for position, since in enumerate(found) if since != UNKNOWN}


@given(SPANS)
def test_the_only_slot_is_free_since_it_was_given_back(held: list[tuple[int, int] | None]) -> None:
    found = free_since(held, slots=1)
    in_order = sorted((span[0], position) for position, span in enumerate(held) if span is not None)
    assert found.keys() == {position for _, position in in_order}
    for (_, before), (begin, position) in pairwise(in_order):
        span = held[before]
        assert span is not None
        assert found[position] == min(begin, span[1])


@given(SPANS, st.integers(1, 4))
def test_a_slot_is_free_for_an_attempt_when_as_many_are_busy_as_others_have(
    held: list[tuple[int, int] | None], slots: int
) -> None:
    kept = [span for span in held if span is not None]
    for position, since in free_since(held, slots).items():
        span = held[position]
        assert span is not None
        assert since <= span[0]
        # At that moment one of the earlier verifications gave its slot back, or there were too many at once.
        assert since in {0, span[0], *(end for begin, end in kept if begin <= span[0])}


def test_two_slots_by_hand() -> None:
    # The third waits for the second to end at 20, the fourth for the first to end at 30, and takes it at 33.
    assert free_since([(10, 30), (15, 20), (21, 50), (33, 40)], slots=2) == {0: 0, 1: 0, 2: 20, 3: 30}

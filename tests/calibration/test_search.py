"""The search for the largest number that holds."""

from hypothesis import given
from hypothesis import strategies as st

from agentdyno.calibration.measurement import bracket


@given(st.integers(0, 3_000), st.integers(1, 2_000), st.integers(1, 2_000), st.floats(0.01, 1.0))
def test_the_bracket_encloses_the_limit_as_closely_as_asked(
    limit: int, start: int, more: int, precision: float
) -> None:
    least, most = max(1, start // 8), start + more
    tried = []

    def holds(number: int) -> bool:
        tried.append(number)
        return number <= limit

    good, bad = bracket(holds, start=start, least=least, most=most, precision=precision)
    assert all(least <= number <= most for number in tried)
    assert len(tried) == len(set(tried))
    if limit < least:
        assert (good, bad) == (None, least)
    elif limit >= most:
        assert (good, bad) == (most, None)
    else:
        assert good is not None
        assert bad is not None
        assert good <= limit < bad
        assert bad - good == 1 or bad <= good * (1 + precision)


def test_it_doubles_then_bisects() -> None:
    tried = []

    def holds(number: int) -> bool:
        tried.append(number)
        return number <= 1_500

    assert bracket(holds, start=320, least=10, most=20_000, precision=0.1) == (1_396, 1_522)
    assert tried == [320, 640, 1_280, 2_560, 1_810, 1_522, 1_396]

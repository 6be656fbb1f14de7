"""Numbers of things in words."""

from collections.abc import Sequence

MISSING = "–"
"""What stands where there is no figure."""

INVALID = "✗"
"""The mark of a row that is not valid, which is there in a pipe and without colours as well."""


def counted(number: int, thing: str) -> str:
    """`1 run`, `3 runs`, `1,000 agents`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def listed(names: Sequence[str], most: int = 4) -> str:
    """`a`, `a and b`, `a, b and c`; names beyond `most` are counted."""
    shown = list(names) if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def capitalised(sentence: str) -> str:
    """With a capital at its beginning, and all else as it is."""
    return sentence[:1].upper() + sentence[1:]


def runs(number: int) -> str:
    """`one run`, `3 runs`."""
    return "one run" if number == 1 else counted(number, "run")


def figure(value: float) -> str:
    """Three significant digits where that takes a fraction, else the whole number."""
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 9.995 else f"{value:.2f}"


def percent(share: float) -> str:
    """`0.3%`, `12%`: as little as is needed."""
    return f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}"


def times(ratio: float) -> str:
    """A ratio, as `0.45×`."""
    return f"{_ratios([ratio])[0]}×"


def between(ci95: tuple[float, float] | None) -> str:
    """An interval, as `95% interval 0.44 to 0.47`; what stands in its place with too few runs."""
    if ci95 is None:
        return "no interval"
    low, high = _ratios(ci95)
    return f"95% interval {low} to {high}"


def _ratios(values: Sequence[float]) -> list[str]:
    """With a digit more where two would make a small one nothing, or one near 1 seem to be 1."""
    fine = any(value < 0.095 or 0 < abs(value - 1) < 0.005 for value in values)
    return [f"{value:.{3 if fine else 2}f}" for value in values]

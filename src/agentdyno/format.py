"""How numbers, ratios, intervals and lists are written, wherever a person reads them."""

import math
import unicodedata
from collections.abc import Callable, Sequence

MISSING = "–"
"""What stands where there is no figure."""

INVALID = "✗"
"""The mark of a row that is not valid, which is there in a pipe and without colours as well."""

Ends = tuple[float, float]
"""The low and the high end of an interval."""


def printable(text: str) -> str:
    """The text with U+FFFD for every character that a terminal would obey: control characters, and those that
    change the direction of writing. What a runtime or a server says may hold them.
    """
    return "".join("\ufffd" if _is_obeyed(character) else character for character in text)


def _is_obeyed(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf") and character not in "\t\n\u200d"


def figure(value: float | None, digits: int | None = None) -> str:
    """`digits` decimals, or, without `digits`, as many as can be read: whole numbers with thousands set off
    from 100 up, three significant digits from 1 up, two below.
    """
    if value is None:
        return MISSING
    if digits is not None:
        return f"{value:,.{digits}f}"
    size = abs(value)
    if size == 0 or size >= 99.95:
        return f"{value:,.0f}"
    if size < 0.000_095:  # more zeros than anybody counts
        return f"{value:.1e}"
    if size >= 0.995:
        return f"{value:.{1 if size >= 9.995 else 2}f}"
    exponent = int(f"{size:.1e}".partition("e")[2])
    return f"{value:.{1 - exponent}f}"


def percent(share: float) -> str:
    """`0.3%`, `12%`: as little as is needed."""
    return f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}"


def relative(share: float) -> str:
    """A relative change with its sign, as `+4.8%`."""
    return f"{share:+.1%}" if math.isfinite(share) else "from nothing"


def ratio(value: float | None) -> str:
    """A ratio, as `×1.33`."""
    return MISSING if value is None else f"×{multiple(value)}"


def multiple(value: float) -> str:
    """A ratio without its sign: two decimals, three where two would make a small one nothing or one near 1
    seem to be 1, and three significant digits from 10 up.
    """
    return _multiples([value])[0]


def interval(ends: Ends | None, written: Callable[[float], str] = figure) -> str:
    """`12.1 to 13.4`, each end as `written`."""
    return MISSING if ends is None else " to ".join(map(written, ends))


def ratio_interval(ends: Ends | None) -> str:
    """The interval of a ratio, as `0.44 to 0.47`."""
    return MISSING if ends is None else " to ".join(_multiples(ends))


def ci95(ends: Ends | None) -> str:
    """The interval of a ratio in a sentence, as `95% CI 0.44 to 0.47`; `no 95% CI` where there is none."""
    return "no 95% CI" if ends is None else f"95% CI {ratio_interval(ends)}"


def counted(number: int, thing: str) -> str:
    """`1 run`, `3 runs`, `1,000 agents`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def runs(number: int) -> str:
    """`one run`, `3 runs`."""
    return "one run" if number == 1 else counted(number, "run")


def listed(names: Sequence[str], most: int = 4) -> str:
    """`a`, `a and b`, `a, b and c`; names beyond `most` are counted."""
    shown = list(names) if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def capitalised(sentence: str) -> str:
    """With a capital at its beginning, and all else as it is."""
    return sentence[:1].upper() + sentence[1:]


def _multiples(values: Sequence[float]) -> list[str]:
    """All of them with the decimals that one of them takes."""
    fine = any(value < 0.095 or 0 < abs(value - 1) < 0.005 for value in values)
    return [figure(value, None if value >= 9.995 else 3 if fine else 2) for value in values]

"""The colour, dash and shape of each runtime, the same in every figure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agentdyno.analysis.reference import FLOOR

Shades = tuple[str, str]
"""A dark and a light shade of one hue."""

GREY: Shades = ("#6d6d6d", "#8a8a8a")
"""Of `floor`, which is the limit and no contender."""

HUES: dict[str, Shades] = {
    "C++": ("#2468c4", "#4a90e2"),
    "Rust": ("#b5490f", "#e0702a"),
    "Go": ("#0b7d6b", "#1ea88f"),
    "Python": ("#84690a", "#b08d1a"),
    "TypeScript": ("#a03c8c", "#cf6bbb"),
}
"""A hue for each language that has a runtime here."""

SPARE: list[Shades] = [("#5b5bd0", "#8585ee"), ("#4d7a1f", "#6fa336"), ("#b23a56", "#dd6680")]
"""For other languages, in the order in which they come, over and over."""

DASHES: list[list[int]] = [[], [6, 3], [2, 2], [8, 3, 2, 3]]
SHAPES = ["circle", "square", "triangle-up", "diamond"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a runtime is drawn: `colour` is that of its language, in one of two shades; with `dash` and `shape`
    it differs from other runtimes of the language.
    """

    language: str
    colour: str
    dash: list[int]
    shape: str


def palette(runtimes: Iterable[str], languages: Mapping[str, str]) -> dict[str, Style]:
    """The style of each runtime; `languages` are by runtime, and one whose language is not known has a hue of
    its own.
    """
    shades_of = dict(HUES)
    seen: dict[str, int] = {}
    spare = 0
    styles = {}
    for runtime in runtimes:
        language = languages.get(runtime, runtime)
        if runtime == FLOOR:
            styles[runtime] = Style(language, GREY[0], DASHES[0], SHAPES[0])
            continue
        if language not in shades_of:
            shades_of[language] = SPARE[spare % len(SPARE)]
            spare += 1
        variant = seen[language] = seen.get(language, -1) + 1
        styles[runtime] = Style(
            language,
            shades_of[language][variant % 2],
            DASHES[variant % len(DASHES)],
            SHAPES[variant % len(SHAPES)],
        )
    return styles

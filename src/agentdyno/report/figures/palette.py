"""The colour, dash and shape of each runtime, the same in every figure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agentdyno.analysis.ratio import FLOOR

Shades = tuple[str, str]
"""Two shades of one hue, each with a contrast of 3 at least to white and to near-black."""

GREY = "#757575"
"""Of `floor`, which is the limit and no contender."""

HUES: dict[str, Shades] = {
    "C++": ("#4671f0", "#7488f5"),
    "Rust": ("#b14a17", "#e46a4a"),
    "Go": ("#1f9f97", "#12808a"),
    "Python": ("#a08f12", "#7d7012"),
    "TypeScript": ("#9a4bbd", "#bf74d9"),
}
"""Of each language that has a runtime here. The first shades differ for colour-blind readers as well."""

SPARE: list[Shades] = [("#c2417c", "#dd6096"), ("#5d8f2c", "#477a1e"), ("#8f5f45", "#b07c5f")]
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
            styles[runtime] = Style(language, GREY, DASHES[0], SHAPES[0])
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


OWN = "runtime"

PHASES = {
    "model": "#4a78c8",
    "queue": "#a8892a",
    "verify": "#269a86",
    "transport": "#8a63c9",
    OWN: "#cb3556",
}
"""Who was at work; what no other was is the runtime's own, its overhead."""

OWN_PARTS = {
    "begin": "#8a55c8",
    "prompt": "#b08d1c",
    "send": "#c2457e",
    "stream": "#3f86c8",
    "extract": "#2f7d5f",
    "spawn": "#e0653a",
    "bookkeeping": "#7a7a7a",
}
"""The parts of it, in the order in which they come."""

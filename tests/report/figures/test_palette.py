from itertools import combinations, pairwise, product

import numpy
import pytest

from agentdyno.report.figures.marks import GREY, HUES, OWN_PARTS, PHASES, SPARE, palette

WHITE, NEAR_BLACK = "#ffffff", "#1b2026"

SEEN_BY = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
IEEE TVCG 15, 2009, at severity 1; on linear RGB.
"""

NOTICEABLE = 0.05
"""In OKLab, where the least difference that can be seen side by side is about 0.02."""


def linear(colour: str) -> numpy.ndarray:
    channels = numpy.array([int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)])
    return numpy.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """By WCAG 2."""
    luminances = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (luminances[1] + 0.05) / (luminances[0] + 0.05)


def oklab(rgb: numpy.ndarray) -> numpy.ndarray:
    """B. Ottosson, "A perceptual color space for image processing", 2020."""
    cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return numpy.array(lab) @ numpy.cbrt(numpy.array(cones) @ numpy.clip(rgb, 0, 1))


def difference(one: str, other: str, seen_by: str) -> float:
    seen = [oklab(numpy.array(SEEN_BY[seen_by]) @ linear(colour)) for colour in (one, other)]
    return float(numpy.linalg.norm(seen[0] - seen[1]))


EVERY = [
    GREY,
    *(shade for shades in (*HUES.values(), *SPARE) for shade in shades),
    *PHASES.values(),
    *OWN_PARTS.values(),
]


@pytest.mark.parametrize("colour", EVERY)
def test_every_colour_can_be_told_from_white_and_from_near_black(colour: str) -> None:
    assert contrast(colour, WHITE) >= 3
    assert contrast(colour, NEAR_BLACK) >= 3


@pytest.mark.parametrize("seen_by", SEEN_BY)
def test_languages_and_the_floor_differ_for_colour_blind_readers(seen_by: str) -> None:
    first = [GREY, *(shades[0] for shades in HUES.values())]
    for one, other in combinations(first, 2):
        assert difference(one, other, seen_by) >= NOTICEABLE, (one, other)


@pytest.mark.parametrize(("seen_by", "parts"), list(product(SEEN_BY, (PHASES, OWN_PARTS))))
def test_neighbours_in_a_bar_differ_for_colour_blind_readers(seen_by: str, parts: dict[str, str]) -> None:
    colours = list(parts.values())
    for one, other in pairwise(colours):
        assert difference(one, other, seen_by) >= NOTICEABLE, (one, other)


def test_a_language_has_its_hue_and_its_runtimes_differ_in_shade_dash_and_shape() -> None:
    styles = palette(["go", "rust", "go-tuned"], {"go": "Go", "go-tuned": "Go", "rust": "Rust"})
    assert (styles["go"].colour, styles["go-tuned"].colour) == HUES["Go"]
    assert styles["go"].dash != styles["go-tuned"].dash
    assert styles["go"].shape != styles["go-tuned"].shape
    assert styles["rust"].colour == HUES["Rust"][0]


def test_the_floor_is_grey_and_other_languages_have_hues_that_are_left() -> None:
    styles = palette(["floor", "mine", "yours"], {"floor": "C", "mine": "Zig", "yours": "Elixir"})
    assert styles["floor"].colour == GREY
    assert [styles["mine"].colour, styles["yours"].colour] == [SPARE[0][0], SPARE[1][0]]

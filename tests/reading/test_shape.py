"""A JSON value is held to its type; what does not fit is named with its place."""

from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.shape import Count, Json, Text, Unfit, shaped


@dataclass(frozen=True)
class Point:
    name: Text
    at: tuple[float, float]
    count: Count = 3


class Document(TypedDict):
    kind: Literal["run", "sweep"]
    points: list[Point]
    more: NotRequired[dict[str, bool] | None]


GOOD = {"kind": "run", "points": [{"name": "a", "at": [1, 2.5], "unknown": 1}], "later": [None]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def test_a_value_of_its_type_is_made_and_unknown_fields_of_objects_stay() -> None:
    found = shaped(GOOD, Document)
    assert found == {"kind": "run", "points": [Point("a", (1, 2.5), 3)], "later": [None]}


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ({"kind": "walk"}, "kind", 'must be one of "run", "sweep", and is "walk"'),
        ({"kind": True}, "kind", "must be one of"),
        ({"points": None}, "points", "must be a list, and is null"),
        ({"points": [{}]}, "points[0].name", "is missing"),
        ({"points": [{"name": "", "at": [1, 2]}]}, "points[0].name", "must be a text that is not empty"),
        ({"points": [{"name": "a", "at": [1]}]}, "points[0].at", "must be a list of 2, and is a list of 1"),
        ({"points": [{"name": "a", "at": [1, "2"]}]}, "points[0].at[1]", 'must be a number, and is "2"'),
        ({"points": [{"name": "a", "at": [1, float("nan")]}]}, "points[0].at[1]", "and is NaN"),
        ({"points": [{"name": "a", "at": [1, 1e300]}]}, "points[0].at[1]", "must be a finite number"),
        ({"points": [{"name": "a", "at": [1, 10**4000]}]}, "points[0].at[1]", "more than 63 bits"),
        ({"points": [{"name": "a", "at": [1, 2], "count": -1}]}, "points[0].count", "must be 0 or more"),
        ({"points": [{"name": "a", "at": [1, 2], "count": True}]}, "points[0].count", "must be a whole"),
        ({"points": [{"name": "a", "at": [1, 2], "count": 2**63}]}, "points[0].count", "of 63 bits"),
        ({"more": {"a b": 0}}, 'more["a b"]', "must be true or false, and is 0"),
        ({"later": "\ud800"}, "later", "holds half a surrogate pair"),
        ({"later": {"\ud800": 1}}, "later", "holds half a surrogate pair"),
        ({"later": [{"x": 1e400}]}, "later[0].x", "must be a finite number"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(
    change: dict[str, object], place: str, reason: str
) -> None:
    with pytest.raises(Unfit) as unfit:
        shaped(GOOD | change, Document)
    assert (unfit.value.place, reason in unfit.value.reason) == (place, True), str(unfit.value)


def test_what_lies_too_deep_is_refused_before_it_ends_a_writer() -> None:
    value: Json = 1
    for _ in range(500):
        value = [value]
    with pytest.raises(Unfit, match="within each other"):
        shaped({"a": value}, dict[str, Json])


@given(JSON)
def test_any_value_is_made_or_refused_in_one_printable_line(value: object) -> None:
    for kind in (Document, Point, list[Count], dict[str, Json]):
        said = "fits"
        try:
            shaped(value, kind)
        except Unfit as unfit:
            said = str(unfit)
        assert said.encode().isascii()
        assert "\n" not in said

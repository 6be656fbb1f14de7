from solution import *


def is_right(needs):
    parts = set(needs) | {part for before in needs.values() for part in before}
    order = build_order(needs)
    return (
        sorted(order) == sorted(parts)
        and isinstance(order, list)
        and all(order.index(earlier) < order.index(part) for part in needs for earlier in needs[part])
    )


def test_only_one_order():
    assert build_order({}) == []
    assert build_order({"a": []}) == ["a"]
    assert build_order({"wheel": ["spoke"], "spoke": []}) == ["spoke", "wheel"]
    assert build_order({"c": ["b"], "b": ["a"]}) == ["a", "b", "c"]


def test_several_orders():
    assert is_right({"a": [], "b": [], "c": []})
    assert is_right({"roof": ["wall"], "wall": ["floor"], "door": ["wall"], "floor": []})
    assert is_right({"x": ["u", "v", "w"], "v": ["u"], "w": ["v"], "y": ["x", "u"]})
    assert is_right({"d": ["b", "c"], "b": ["a"], "c": ["a"], "e": ["d", "a"]})


def test_named_twice():
    assert build_order({"b": ["a", "a"]}) == ["a", "b"]


def test_no_order():
    assert build_order({"lid": ["jar"], "jar": ["lid"]}) is None
    assert build_order({"a": ["a"]}) is None
    assert build_order({"a": [], "b": ["a", "d"], "c": ["b"], "d": ["c"]}) is None


def test_input_is_left_alone():
    needs = {"b": ["a"]}
    build_order(needs)
    assert needs == {"b": ["a"]}

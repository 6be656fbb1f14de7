from solution import *


def is_right(*bridges):
    plan = stroll([(bridge[0], bridge[1]) for bridge in bridges])
    crossed = sorted("".join(sorted(plan[index : index + 2])) for index in range(len(plan) - 1))
    return crossed == sorted("".join(sorted(bridge)) for bridge in bridges)


def test_no_bridges():
    assert stroll([]) == []


def test_possible():
    assert is_right("ab")
    assert is_right("ab", "cb")
    assert is_right("ab", "ab")
    assert is_right("ab", "ab", "ab")
    assert is_right("ab", "bc", "ca")
    assert is_right("xb", "ab", "bc", "ca")
    assert is_right("ab", "bc", "ca", "cd", "de", "ec")
    assert is_right("ab", "bc", "ca", "ad", "de", "ea", "bf")
    assert is_right("ab", "ac", "ad", "bc", "bd", "cd", "ce", "de")


def test_impossible():
    assert stroll([("a", "b"), ("a", "c"), ("a", "d")]) is None
    assert stroll([("a", "b"), ("c", "d")]) is None
    assert stroll([("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]) is None
    assert (
        stroll([("a", "b"), ("a", "b"), ("a", "c"), ("a", "c"), ("a", "d"), ("b", "d"), ("c", "d")]) is None
    )


def test_input_is_left_alone():
    bridges = [("a", "b"), ("b", "c")]
    stroll(bridges)
    assert bridges == [("a", "b"), ("b", "c")]

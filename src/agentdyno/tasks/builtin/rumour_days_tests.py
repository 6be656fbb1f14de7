from solution import *


def check(candidate):
    assert candidate({}, "x") == {"x": 0}
    assert candidate({"a": []}, "a") == {"a": 0}
    assert candidate({"a": ["b"], "b": ["c", "a"], "c": []}, "a") == {"a": 0, "b": 1, "c": 2}
    assert candidate({"a": ["b"], "b": ["c", "a"], "c": []}, "b") == {"b": 0, "c": 1, "a": 1}
    assert candidate({"a": ["b"], "b": ["c", "a"], "c": []}, "c") == {"c": 0}
    assert candidate({"a": ["b", "c"], "b": ["d"], "c": ["e"], "e": ["d"], "d": ["f"]}, "a") == {
        "a": 0,
        "b": 1,
        "c": 1,
        "d": 2,
        "e": 2,
        "f": 3,
    }
    quiet = {"a": ["b"], "b": ["c", "d", "e", "f"]}
    assert candidate(quiet, "a") == {"a": 0, "b": 1}
    assert candidate(quiet, "b") == {"b": 0, "c": 1, "d": 1, "e": 1, "f": 1}
    assert candidate({"a": ["b"], "b": ["c", "d", "e"]}, "a") == {"a": 0, "b": 1, "c": 2, "d": 2, "e": 2}
    assert candidate({"a": ["a", "b"], "b": ["a", "b"]}, "a") == {"a": 0, "b": 1}


def test_rumour_days():
    check(rumour_days)

from solution import *


def check(candidate):
    scores = {"Ivo": 70, "Ada": 68, "Bea": 70, "Kim": 75}
    assert candidate({}, 3) == []
    assert candidate(scores, 0) == []
    assert candidate(scores, 1) == [(1, "Ada")]
    assert candidate(scores, 2) == [(1, "Ada"), (2, "Bea"), (2, "Ivo")]
    assert candidate(scores, 3) == [(1, "Ada"), (2, "Bea"), (2, "Ivo")]
    assert candidate(scores, 4) == [(1, "Ada"), (2, "Bea"), (2, "Ivo"), (4, "Kim")]
    assert candidate({"z": 1, "y": 1, "x": 1, "w": 2}, 9) == [(1, "x"), (1, "y"), (1, "z"), (4, "w")]
    assert candidate({"a": -2, "b": -10}, 2) == [(1, "b"), (2, "a")]


def test_podium():
    check(podium)

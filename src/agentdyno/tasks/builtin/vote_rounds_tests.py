from solution import *


def check(candidate):
    assert candidate([]) == []
    assert candidate([[], []]) == []
    assert candidate([["a"]]) == ["a"]
    assert candidate([["a"], ["a"], ["b"]]) == ["a"]
    assert candidate([["y"], ["x"]]) == ["x", "y"]
    assert candidate([["a", "b"], ["b"], ["c", "b"], ["a"], ["b"]]) == ["b"]
    assert candidate([["a"], ["a"], ["b"], ["b"], ["c"]]) == ["a", "b"]
    assert candidate([["a"], ["a"], ["b"], ["b"], ["c", "b"]]) == ["b"]
    assert candidate([["a"], ["a"], ["b"], ["b"], ["c", "d", "a"]]) == ["a"]
    assert candidate([["a", "z"], ["b", "z"], ["c", "z"]]) == ["a", "b", "c"]
    assert candidate([["a"], ["a"], ["b", "a"], ["c", "a"]]) == ["a"]
    assert candidate([["a"], ["a"], ["b"], ["c", "b"], ["b"], []]) == ["b"]
    assert candidate([["d"], ["e", "d"], ["f"], ["f"], ["g"], ["g"], ["g"]]) == ["g"]


def test_vote_rounds():
    check(vote_rounds)

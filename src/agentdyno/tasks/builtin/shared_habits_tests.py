from solution import *


def check(candidate):
    assert candidate([], 1) == set()
    assert candidate([[]], 1) == set()
    assert candidate([["run"]], 1) == {"run"}
    assert candidate([["run"]], 2) == set()
    assert candidate([["run", "nap", "run"]], 1) == {"run", "nap"}
    assert candidate([["run", "nap", "run"]], 2) == set()
    assert candidate([["run", "run", "nap"], ["nap", "run", "run", "run"]], 2) == {"run"}
    assert candidate([["run", "run", "nap"], ["nap", "run", "run", "run"]], 3) == set()
    assert candidate([["a", "a", "b", "b"], ["b", "b", "a", "a"]], 2) == {"a", "b"}
    assert candidate([["a", "a", "b"], ["b", "b", "a"]], 2) == set()
    assert candidate([["a"], ["a"], []], 1) == set()
    assert candidate([["a"], ["b"], ["a", "b"]], 1) == set()
    assert candidate([["x", "y", "y", "y"]], 3) == {"y"}


def test_shared_habits():
    check(shared_habits)

from solution import *


def check(candidate):
    assert candidate([]) is True
    assert candidate(["cat"]) is True
    assert candidate(["cat", "cot"]) is True
    assert candidate(["cat", "cot", "cots"]) is True
    assert candidate(["cots", "cot", "cat"]) is True
    assert candidate(["rice", "price", "prick", "brick"]) is True
    assert candidate(["rice", "price", "brick"]) is False
    assert candidate(["rice", "price", "pride", "ride", "rid"]) is True
    assert candidate(["cat", "coat"]) is False
    assert candidate(["coat", "cat"]) is False
    assert candidate(["cat", "cat"]) is False
    assert candidate(["cat", "cot", "cat"]) is False
    assert candidate(["cat", "dog"]) is False
    assert candidate(["cat", "act"]) is False
    assert candidate(["a", ""]) is True
    assert candidate(["ab", ""]) is False
    assert candidate(["abc", "a"]) is False
    assert candidate(["", "a", "b"]) is True
    assert candidate(["cat", "cats", "carts"]) is False


def test_is_ladder():
    check(is_ladder)

from solution import *


def check(candidate):
    assert candidate([]) == []
    assert candidate(["b", "a"]) == ["a", "b"]
    assert candidate(["The Zoo", "Ant", "A Bee", "An"]) == ["An", "Ant", "A Bee", "The Zoo"]
    assert candidate(["beta", "Alpha", "Gamma"]) == ["Alpha", "beta", "Gamma"]
    assert candidate(["The The", "tea", "Theory"]) == ["tea", "The The", "Theory"]
    assert candidate(["Another Day", "an Apple"]) == ["Another Day", "an Apple"]
    assert candidate(["'Tis", "Tea", "To"]) == ["Tea", "'Tis", "To"]
    assert candidate(["The", "Sun", "A", "Moon"]) == ["A", "Moon", "Sun", "The"]
    assert candidate(["a cat", "Cat", "the CAT!"]) == ["a cat", "Cat", "the CAT!"]
    assert candidate(["the CAT!", "Cat", "a cat", "an arc"]) == ["an arc", "the CAT!", "Cat", "a cat"]
    assert candidate(["new york", "newark"]) == ["new york", "newark"]
    assert candidate(["X 2", "X 10", "A-Z"]) == ["A-Z", "X 10", "X 2"]


def test_shelf_order():
    check(shelf_order)

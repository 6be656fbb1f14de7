from solution import *


def test_initials():
    assert initials("ada king") == "A.K."
    assert initials("") == ""
    assert initials("Zoe") == "Z."
    assert initials("  a   B c ") == "A.B.C."


def test_names_that_fit():
    assert short_names([], 5) == []
    assert short_names(["Bo Li", " x  y "], 6) == ["Bo Li", " x  y "]
    assert short_names(["exact"], 5) == ["exact"]


def test_shortened():
    assert short_names(["Ada King", "Ada Augusta King", "Montgomery"], 9) == ["Ada King", "A.A. King", "M."]
    assert short_names(["Ada Augusta King"], 9) == ["A.A. King"]
    assert short_names(["Ada Augusta King"], 8) == ["A.A.K."]
    assert short_names(["jan van der Berg"], 12) == ["J.V.D. Berg"]


def test_initials_may_be_too_long():
    assert short_names(["a b c d"], 2) == ["A.B.C.D."]
    assert short_names(["ab"], 1) == ["A."]

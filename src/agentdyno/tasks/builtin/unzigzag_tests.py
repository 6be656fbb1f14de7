from solution import *


def test_order_of_rails():
    assert rail_order(0, 3) == []
    assert rail_order(5, 1) == [0, 1, 2, 3, 4]
    assert rail_order(5, 2) == [0, 2, 4, 1, 3]
    assert rail_order(6, 3) == [0, 4, 1, 3, 5, 2]
    assert rail_order(9, 4) == [0, 6, 1, 5, 7, 2, 4, 8, 3]
    assert rail_order(3, 9) == [0, 1, 2]


def test_zigzag():
    assert zigzag("planet", 3) == "pelnta"
    assert zigzag("abcdefg", 2) == "acegbdf"
    assert zigzag("same", 1) == "same"


def test_unzigzag():
    assert unzigzag("pelnta", 3) == "planet"
    assert unzigzag("acegbdf", 2) == "abcdefg"
    assert unzigzag("", 4) == ""
    assert unzigzag("x", 4) == "x"


def test_there_and_back():
    text = "the quick brown fox jumps over a lazy dog"
    for rails in range(1, 12):
        assert unzigzag(zigzag(text, rails), rails) == text

from solution import *


def test_value():
    assert ternary_value("0") == 0
    assert ternary_value("+") == 1
    assert ternary_value("-+") == -2
    assert ternary_value("+-0") == 6
    assert ternary_value("+--+") == 16


def test_small_numbers():
    expected = ["--", "-0", "-+", "-", "0", "+", "+-", "+0", "++"]
    assert [balanced_ternary(number) for number in range(-4, 5)] == expected


def test_larger_numbers():
    assert balanced_ternary(5) == "+--"
    assert balanced_ternary(-13) == "---"
    assert balanced_ternary(14) == "+---"
    assert balanced_ternary(81) == "+0000"


def test_there_and_back():
    for number in range(-200, 201):
        assert ternary_value(balanced_ternary(number)) == number

from solution import *


def check(candidate):
    assert candidate("", 4) == ""
    assert candidate("no digits here", 2) == "no digits here"
    assert candidate("card 4929 1122 call 5550", 4) == "card **** 1122 call 5550"
    assert candidate("12345", 0) == "*****"
    assert candidate("12345", 5) == "12345"
    assert candidate("12345", 4) == "*2345"
    assert candidate("12  345", 2) == "12  *45"
    assert candidate("12-345", 2) == "12-*45"
    assert candidate("1 2 3 4", 1) == "* * * 4"
    assert candidate("30 0 10", 2) == "** * 10"
    assert candidate(" 987 ", 2) == " *87 "
    assert candidate("a1 b23", 1) == "a1 b*3"
    assert candidate("1 b234 5", 2) == "1 b**4 5"
    assert candidate("11\n22", 2) == "11\n22"
    assert candidate("7 x 88 9", 1) == "7 x ** 9"


def test_mask_numbers():
    check(mask_numbers)

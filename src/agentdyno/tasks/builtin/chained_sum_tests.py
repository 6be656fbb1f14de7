from solution import *


def check(candidate):
    assert candidate("") == 0
    assert candidate("+ -") == 0
    assert candidate("42") == 42
    assert candidate("2 + 3 * 4") == 20
    assert candidate("2*3+4") == 10
    assert candidate("7-9/2") == -1
    assert candidate("0-7/2") == -3
    assert candidate("9 / 2") == 4
    assert candidate("0-1/1") == -1
    assert candidate("0-2/1") == -2
    assert candidate("20/2/5") == 2
    assert candidate("1-2-3") == -4
    assert candidate("4 + * 2") == 8
    assert candidate("4*-2") == 2
    assert candidate("- 5 + 1") == 6
    assert candidate("5 + 1 *") == 6
    assert candidate("1 / 0") is None
    assert candidate("1 / 0 * 3") is None
    assert candidate("0 / 3 + 2") == 2
    assert candidate("3 * 0 + 2") == 2
    assert candidate("10 + 200") == 210


def test_chained_sum():
    check(chained_sum)

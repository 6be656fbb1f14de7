from solution import *


def is_right(letters):
    arranged = no_twins(letters)
    return sorted(arranged) == sorted(letters) and all(
        arranged[index] != arranged[index + 1] for index in range(len(arranged) - 1)
    )


def test_one_arrangement():
    assert no_twins("") == ""
    assert no_twins("x") == "x"
    assert no_twins("aab") == "aba"
    assert no_twins("bbaab") == "babab"


def test_several_arrangements():
    assert is_right("ab")
    assert is_right("aabb")
    assert is_right("abc")
    assert is_right("aabbcc")
    assert is_right("mississippi")
    assert is_right("aaabc")
    assert is_right("zzzzyyxw")
    assert is_right("hello wooorld")


def test_impossible():
    assert no_twins("aa") is None
    assert no_twins("aaab") is None
    assert no_twins("abbbb") is None
    assert no_twins("xxxxxyz") is None

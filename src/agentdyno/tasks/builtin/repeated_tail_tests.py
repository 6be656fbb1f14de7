from solution import *


def check(candidate):
    assert candidate("") == ""
    assert candidate("a") == "a"
    assert candidate("ab") == "ab"
    assert candidate("aa") == "a"
    assert candidate("aaa") == "a"
    assert candidate("aaaa") == "aa"
    assert candidate("abab") == "ab"
    assert candidate("xabab") == "xab"
    assert candidate("ababx") == "ababx"
    assert candidate("abcbcbc") == "abc"
    assert candidate("hello  ") == "hello "
    assert candidate("go home home") == "go home"
    assert candidate("tutu tutu tutu") == "tutu tutu"
    assert candidate("mississ") == "miss"
    assert candidate("zzyzzy") == "zzy"
    assert candidate("n" + "xy" * 3) == "nxy"
    assert candidate("q" + "abc" * 5) == "q" + "abc" * 3


def test_repeated_tail():
    check(repeated_tail)

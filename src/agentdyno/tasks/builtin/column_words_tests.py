from solution import *


def test_examples():
    assert column_words(["cd", "ao", "tg"]) == ["cat", "dog"]
    assert column_words(["ab", "", "cd"]) == ["a", "c", "b", "d"]


def test_nothing_to_read():
    assert column_words([]) == []
    assert column_words([""]) == []
    assert column_words(["   ", " "]) == []


def test_ragged_lines():
    assert column_words(["x", "xyz", "xy"]) == ["xxx", "yy", "z"]
    assert column_words(["abc", "d", "ef"]) == ["ade", "b", "f", "c"]


def test_words_do_not_cross_columns():
    assert column_words(["pq"]) == ["p", "q"]
    assert column_words(["a b", "a b"]) == ["aa", "bb"]


def test_only_spaces_part_words():
    assert column_words(["a", "\t", "b", " ", "c"]) == ["a\tb", "c"]

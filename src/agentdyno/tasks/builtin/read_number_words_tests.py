from solution import *


def check(candidate):
    assert candidate("") == 0
    assert candidate("thumb") == 1
    assert candidate("hand thumb") == 6
    assert candidate("hand hand thumb thumb") == 12
    assert candidate("hand short thumb") == 4
    assert candidate("hand short thumb thumb") == 5
    assert candidate("short hand") == -5
    assert candidate("crate") == 60
    assert candidate("crate crate") == 120
    assert candidate("thumb thumb crate") == 120
    assert candidate("hand crate crate thumb") == 361
    assert candidate("hand short thumb crate hand") == 245
    assert candidate("crate short thumb") == 59
    assert candidate("thumb short thumb crate") == 0
    assert candidate("thumb short thumb crate crate") == 60
    assert candidate("short thumb crate hand") == -55


def test_read_number_words():
    check(read_number_words)

from solution import *


def refuses(line):
    try:
        quoted_fields(line)
    except ValueError:
        return True
    return False


def test_plain():
    assert quoted_fields("") == [""]
    assert quoted_fields("a;b;c") == ["a", "b", "c"]
    assert quoted_fields(";") == ["", ""]
    assert quoted_fields(" a ; b") == [" a ", " b"]


def test_quotes():
    assert quoted_fields('red;"dark;blue";') == ["red", "dark;blue", ""]
    assert quoted_fields('x"a"y') == ["xay"]
    assert quoted_fields('"";"a""b"') == ["", "ab"]
    assert quoted_fields('"a;"b;c') == ["a;b", "c"]


def test_backslashes():
    assert quoted_fields('"say \\"hi\\"";x') == ['say "hi"', "x"]
    assert quoted_fields('"a\\\\";b') == ["a\\", "b"]
    assert quoted_fields('"\\n"') == ["n"]
    assert quoted_fields("c\\;d") == ["c\\", "d"]


def test_open_quotes():
    assert refuses('"a')
    assert refuses('a;"')
    assert refuses('"a\\"')
    assert not refuses('"a"')

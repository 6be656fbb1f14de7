from solution import *


def refuses(lines):
    try:
        outline_numbers(lines)
    except ValueError:
        return True
    return False


def test_flat_and_nested():
    assert outline_numbers([]) == []
    assert outline_numbers(["a", "b", "c"]) == ["1 a", "2 b", "3 c"]
    assert outline_numbers(["Soup", "  Water", "  Salt", "Bread"]) == [
        "1 Soup",
        "1.1 Water",
        "1.2 Salt",
        "2 Bread",
    ]


def test_numbers_start_again():
    lines = ["a", "  b", "    c", "    d", "  e", "    f", "g", "  h", "    i"]
    numbers = [line.split(" ")[0] for line in outline_numbers(lines)]
    assert numbers == ["1", "1.1", "1.1.1", "1.1.2", "1.2", "1.2.1", "2", "2.1", "2.1.1"]


def test_more_than_nine():
    assert outline_numbers(["x"] * 11)[-1] == "11 x"


def test_spaces_within_and_after_stay():
    assert outline_numbers(["a  b "]) == ["1 a  b "]


def test_broken_outlines():
    assert refuses(["  a"])
    assert refuses(["a", "    b"])
    assert refuses(["a", " b"])
    assert refuses(["a", "   b"])
    assert refuses(["a", ""])
    assert refuses(["a", "  "])
    assert not refuses(["a", "  b", "c", "  d"])

from solution import *


def moved(queue, urgent):
    people = queue.split()
    count = bring_forward(people, set(urgent.split()))
    return count, " ".join(people)


def test_nobody_moves():
    assert moved("", "X") == (0, "")
    assert moved("a b", "") == (0, "a b")
    assert moved("X a b", "X Z") == (0, "X a b")
    assert moved("X Y a", "X Y") == (0, "X Y a")


def test_short_way():
    assert moved("a X", "X") == (1, "X a")
    assert moved("a b X c", "X") == (1, "X a b c")
    assert moved("a b c X", "X") == (1, "X a b c")


def test_three_at_most():
    assert moved("a b c d X", "X") == (1, "a X b c d")
    assert moved("a b c d e f X g", "X") == (1, "a b c X d e f g")


def test_never_past_urgent():
    assert moved("a b c d X Y", "X Y") == (2, "a X Y b c d")
    assert moved("a X b Y", "X Y") == (2, "X Y a b")
    assert moved("a b X c Y d Z", "X Y Z") == (3, "X Y a Z b c d")
    assert moved("X a b c d Y", "X Y") == (1, "X a Y b c d")

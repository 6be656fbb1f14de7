from solution import *


def keeps_the_peace(people, quarrels):
    first, second = two_camps(people, quarrels)
    return (
        isinstance(first, set)
        and isinstance(second, set)
        and first | second == set(people)
        and not first & second
        and all((one in first) != (other in first) for one, other in quarrels)
    )


def test_everybody_gets_along():
    assert two_camps([], []) == (set(), set())
    assert keeps_the_peace(["Ann", "Bo"], [])


def test_possible():
    assert keeps_the_peace(["Ann", "Bo"], [("Bo", "Ann")])
    assert keeps_the_peace(["a", "b", "c", "d"], [("a", "b"), ("c", "b"), ("c", "d"), ("d", "a")])
    assert keeps_the_peace(["e", "d", "c", "b", "a"], [("a", "b"), ("d", "e"), ("b", "c")])
    assert keeps_the_peace(list("uvwxyz"), [("u", "z"), ("v", "z"), ("w", "z"), ("x", "z"), ("y", "z")])
    assert keeps_the_peace(["a", "b"], [("a", "b"), ("b", "a")])
    path = [str(number) for number in range(12)]
    assert keeps_the_peace(path, list(zip(path[1:], path, strict=False)))


def test_impossible():
    assert two_camps(["Ann", "Bo", "Cy"], [("Ann", "Bo"), ("Bo", "Cy"), ("Cy", "Ann")]) is None
    assert two_camps(["x", "y", "a", "b", "c"], [("x", "y"), ("a", "b"), ("c", "b"), ("a", "c")]) is None
    ring = [("1", "2"), ("2", "3"), ("3", "4"), ("4", "5"), ("5", "1")]
    assert two_camps(["1", "2", "3", "4", "5"], ring) is None

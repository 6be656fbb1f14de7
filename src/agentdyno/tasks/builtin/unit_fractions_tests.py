from fractions import Fraction

from solution import *


def is_right(numerator, denominator):
    parts = unit_fractions(numerator, denominator)
    return (
        all(type(part) is int and part > 1 for part in parts)
        and parts == sorted(set(parts))
        and sum(Fraction(1, part) for part in parts) == Fraction(numerator, denominator)
    )


def test_small_fractions():
    for denominator in range(2, 14):
        for numerator in range(1, denominator):
            assert is_right(numerator, denominator)


def test_not_in_lowest_terms():
    assert is_right(6, 8)
    assert is_right(10, 100)


def test_single_parts():
    assert is_right(1, 2)
    assert is_right(1, 1000)


def test_larger_fractions():
    assert is_right(19, 20)
    assert is_right(31, 311)

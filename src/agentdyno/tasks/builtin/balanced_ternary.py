def ternary_value(digits: str) -> int:
    """
    The number that balanced ternary digits stand for: each place is worth three times the place to its
    right, and its digit is '+' (one), '0' (none) or '-' (minus one).

    >>> ternary_value("+-0")
    6
    """
    value = 0
    for digit in digits:
        value = 3 * value + {"-": -1, "0": 0, "+": 1}[digit]
    return value


def balanced_ternary(number: int) -> str:
    """
    Write a number, which may be negative, in balanced ternary digits as ternary_value reads them, without
    leading zeros; zero itself is "0".

    >>> balanced_ternary(6)
    '+-0'
    >>> balanced_ternary(-2)
    '-+'
    """
    if number == 0:
        return "0"
    digits = ""
    while number:
        remainder = (number + 1) % 3 - 1
        digits = "-0+"[remainder + 1] + digits
        number = (number - remainder) // 3
    return digits

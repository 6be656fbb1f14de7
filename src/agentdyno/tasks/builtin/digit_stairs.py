def digit_stairs(number: int) -> int:
    """
    Cut the digits of a number that is not negative into as few pieces as possible, without changing their
    order, so that within each piece every digit is greater than the one before it, and return the sum of
    the pieces read as numbers. Leading zeros of a piece do no harm.

    >>> digit_stairs(13245)
    258
    >>> digit_stairs(5)
    5
    """
    total = 0
    piece = ""
    for digit in str(number):
        if piece and digit <= piece[-1]:
            total += int(piece)
            piece = ""
        piece += digit
    return total + int(piece)

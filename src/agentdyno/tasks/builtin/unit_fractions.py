def unit_fractions(numerator: int, denominator: int) -> list[int]:
    """
    The scribes of old wrote a fraction as a sum of fractions 1/d with different whole numbers d. Given a
    fraction greater than 0 and smaller than 1, return the d's of such a sum in rising order; any exact sum
    will do.

    >>> unit_fractions(1, 7)
    [7]
    """
    found = []
    while numerator > 0:
        smallest = -(-denominator // numerator)
        found.append(smallest)
        numerator, denominator = numerator * smallest - denominator, denominator * smallest
    return found

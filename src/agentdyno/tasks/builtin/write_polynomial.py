def write_polynomial(coefficients: list[int]) -> str:
    """
    Write a polynomial in x the way people do. The coefficients are given from the constant upwards; the
    text starts with the highest power. Terms with coefficient 0 are left out, a coefficient of 1 or -1 is
    not written before an x, and a power of 1 is not written. Between terms is a plus or minus with a space
    on either side; a minus before the first term has no space. The polynomial without terms is "0".

    >>> write_polynomial([4, -1, 0, 3])
    '3x^3 - x + 4'
    >>> write_polynomial([0, 0, -1])
    '-x^2'
    """
    text = ""
    for power in range(len(coefficients) - 1, -1, -1):
        coefficient = coefficients[power]
        if coefficient == 0:
            continue
        if text:
            text += " - " if coefficient < 0 else " + "
        elif coefficient < 0:
            text = "-"
        if abs(coefficient) != 1 or power == 0:
            text += str(abs(coefficient))
        if power > 0:
            text += "x" if power == 1 else f"x^{power}"
    return text or "0"

def rail_order(length: int, rails: int) -> list[int]:
    """
    The positions 0 .. length-1 in the order in which a zigzag over the rails meets them, rail by rail: the
    zigzag starts on the top rail, goes down one rail per position, turns at the bottom rail, and so on.

    >>> rail_order(6, 3)
    [0, 4, 1, 3, 5, 2]
    """
    period = max(2 * rails - 2, 1)
    return sorted(
        range(length), key=lambda position: (min(position % period, period - position % period), position)
    )


def zigzag(text: str, rails: int) -> str:
    """
    Write the text as a zigzag over the rails and read it rail by rail.

    >>> zigzag("planet", 3)
    'pelnta'
    """
    return "".join(text[position] for position in rail_order(len(text), rails))


def unzigzag(text: str, rails: int) -> str:
    """
    Take a text that was made by zigzag with the same number of rails, and give back the original.

    >>> unzigzag("pelnta", 3)
    'planet'
    """
    original = [""] * len(text)
    for character, position in zip(text, rail_order(len(text), rails), strict=True):
        original[position] = character
    return "".join(original)

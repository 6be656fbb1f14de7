def no_twins(letters: str) -> str | None:
    """
    Rearrange the letters so that no two neighbours are the same, using every letter exactly as often as it
    was given; any such arrangement will do. Return None if there is none.

    >>> no_twins("aab")
    'aba'
    >>> no_twins("aaab") is None
    True
    """
    by_count = sorted(letters, key=lambda letter: (-letters.count(letter), letter))
    if by_count and by_count.count(by_count[0]) > (len(letters) + 1) // 2:
        return None
    arranged = [""] * len(letters)
    arranged[::2] = by_count[: (len(letters) + 1) // 2]
    arranged[1::2] = by_count[(len(letters) + 1) // 2 :]
    return "".join(arranged)

def versions_sorted(versions: list[str]) -> list[str]:
    """
    Sort version names from oldest to newest. A version is numbers parted by dots, compared number by
    number, where missing numbers count as 0; a name may end in a dash and a word, such as "2.0-beta", which
    makes it older than the same numbers without one, words among themselves being in alphabetical order.
    Versions that are equal by these rules, such as "1.0" and "1", keep the order in which they were given.

    >>> versions_sorted(["1.10", "1.9", "1.10-rc", "1.9.0"])
    ['1.9', '1.9.0', '1.10-rc', '1.10']
    """

    def age(version: str) -> tuple[list[int], bool, str]:
        digits, _, word = version.partition("-")
        numbers = [int(number) for number in digits.split(".")]
        while numbers and numbers[-1] == 0:
            numbers.pop()
        return numbers, not word, word

    return sorted(versions, key=age)

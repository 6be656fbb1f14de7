def stock_take(book: dict[str, int], counted: list[str]) -> dict[str, int]:
    """
    The book says how many of each thing should be in stock; `counted` lists what was found, one entry for
    one thing, or "3 x lamp" for three lamps. Return what the book has to be corrected by: for each thing
    whose numbers differ, found minus book, the things missing most first and those found in excess last,
    equal ones in alphabetical order. Things that the book does not know count as 0 there.

    >>> stock_take({"lamp": 4, "cup": 2}, ["cup", "3 x lamp", "cup", "pen"])
    {'lamp': -1, 'pen': 1}
    """
    found = dict.fromkeys(book, 0)
    for entry in counted:
        number, cross, thing = entry.partition(" x ")
        if not cross or not number.isdigit():
            number, thing = "1", entry
        found[thing] = found.get(thing, 0) + int(number)
    corrections = {thing: number - book.get(thing, 0) for thing, number in found.items()}
    ranked = sorted(corrections.items(), key=lambda correction: (correction[1], correction[0]))
    return {thing: difference for thing, difference in ranked if difference != 0}

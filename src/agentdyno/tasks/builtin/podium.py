def podium(scores: dict[str, int], places: int) -> list[tuple[int, str]]:
    """
    Make the table of a contest in which a low score is good. Equal scores share a place, and the places
    they use up are skipped: 1, 2, 2, 4. Return (place, name) of everybody whose place is at most `places`,
    best first, those who share a place in alphabetical order.

    >>> podium({"Ivo": 70, "Ada": 68, "Bea": 70, "Kim": 75}, 3)
    [(1, 'Ada'), (2, 'Bea'), (2, 'Ivo')]
    """
    table = []
    for name, score in sorted(scores.items(), key=lambda entry: (entry[1], entry[0])):
        place = 1 + sum(other < score for other in scores.values())
        if place <= places:
            table.append((place, name))
    return table

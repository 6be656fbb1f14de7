def two_camps(people: list[str], quarrels: list[tuple[str, str]]) -> tuple[set[str], set[str]] | None:
    """
    Split the people over two camps so that no two who quarrel share a camp. Return the two camps as a pair
    of sets, together holding everybody; a camp may be empty, and any split that keeps the peace will do.
    Return None if there is none.

    >>> two_camps(["Ann", "Bo", "Cy"], [("Ann", "Bo"), ("Bo", "Cy"), ("Cy", "Ann")]) is None
    True
    """
    camp_of: dict[str, int] = {}
    for person in people:
        if person in camp_of:
            continue
        camp_of[person] = 0
        asking = [person]
        while asking:
            current = asking.pop()
            for pair in quarrels:
                if current in pair:
                    other = pair[1] if pair[0] == current else pair[0]
                    if other not in camp_of:
                        camp_of[other] = 1 - camp_of[current]
                        asking.append(other)
                    elif camp_of[other] == camp_of[current]:
                        return None
    return {name for name in people if camp_of[name] == 0}, {name for name in people if camp_of[name] == 1}

def rumour_days(friends: dict[str, list[str]], first: str) -> dict[str, int]:
    """
    On day 0 one person knows a rumour. Each day, everybody who heard it the day before tells it to all of
    their friends; telling goes only from a person to those in that person's list. People with more than
    three friends keep a rumour to themselves, unless they are the first to know. Return for everybody who
    ever hears it the day on which that happens.

    >>> rumour_days({"a": ["b"], "b": ["c", "a"], "c": []}, "a")
    {'a': 0, 'b': 1, 'c': 2}
    """
    heard = {first: 0}
    telling = [first]
    for teller in telling:
        names = friends.get(teller, [])
        if len(names) > 3 and teller != first:
            continue
        for name in names:
            if name not in heard:
                heard[name] = heard[teller] + 1
                telling.append(name)
    return heard

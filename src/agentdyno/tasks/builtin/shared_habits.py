def shared_habits(diaries: list[list[str]], days: int) -> set[str]:
    """
    Each diary lists what its writer did on one day after another. A habit is something done on at least
    `days` days in a row, `days` being 1 or more. Return the habits that all the writers share; without
    diaries there are none.

    >>> sorted(shared_habits([["run", "run", "nap"], ["nap", "run", "run", "run"]], 2))
    ['run']
    """
    shared: set[str] | None = None
    for diary in diaries:
        habits = {
            diary[start]
            for start in range(len(diary) - days + 1)
            if len(set(diary[start : start + days])) == 1
        }
        shared = habits if shared is None else shared & habits
    return shared or set()

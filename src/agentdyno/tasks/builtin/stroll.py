def stroll(bridges: list[tuple[str, str]]) -> list[str] | None:
    """
    Bridges join islands. Plan a stroll that crosses every bridge exactly once, in either direction, and
    return the islands in the order in which they are visited, first and last included; any such stroll will
    do. Several bridges may join the same two islands. Return None if there is no such stroll, and [] if
    there are no bridges.

    >>> stroll([("a", "b"), ("c", "b")]) in (["a", "b", "c"], ["c", "b", "a"])
    True
    >>> stroll([("a", "b"), ("a", "c"), ("a", "d")]) is None
    True
    """
    if not bridges:
        return []
    around: dict[str, list[int]] = {}
    for number, ends in enumerate(bridges):
        for island in ends:
            around.setdefault(island, []).append(number)
    odd = [island for island, numbers in around.items() if len(numbers) % 2 == 1]
    crossed: set[int] = set()
    pending = [odd[0] if odd else bridges[0][0]]
    visited = []
    while pending:
        island = pending[-1]
        while around[island] and around[island][-1] in crossed:
            around[island].pop()
        if around[island]:
            number = around[island].pop()
            crossed.add(number)
            one, other = bridges[number]
            pending.append(other if island == one else one)
        else:
            visited.append(pending.pop())
    return visited if len(visited) == len(bridges) + 1 and len(odd) <= 2 else None

def cheapest_ferry(ferries: list[tuple[str, str, int]], start: str, goal: str) -> int | None:
    """
    Ferries (from, to, fare) run between harbours, in that direction only. A ticket for a journey costs the
    sum of the fares, except that the dearest ferry of a journey of two or more is free. Fares are not
    negative, and no harbour is called at twice in a journey. Return the lowest price for getting from start
    to goal, or None if there is no journey; staying where one is costs nothing.

    >>> cheapest_ferry([("a", "b", 7), ("b", "c", 9), ("a", "c", 8)], "a", "c")
    7
    """
    prices: list[int] = []

    def sail(harbour: str, visited: list[str], fares: list[int]) -> None:
        if harbour == goal:
            prices.append(sum(fares) - (max(fares) if len(fares) > 1 else 0))
            return
        for origin, target, fare in ferries:
            if origin == harbour and target not in visited:
                sail(target, [*visited, target], [*fares, fare])

    sail(start, [start], [])
    return min(prices) if prices else None

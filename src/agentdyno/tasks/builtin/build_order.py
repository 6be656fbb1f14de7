def build_order(needs: dict[str, list[str]]) -> list[str] | None:
    """
    Every workshop part has a list of parts that must be finished before it. A part that is only ever named
    in such a list needs nothing. Return all parts, each once, in an order in which they can be made one
    after the other; any such order will do. Return None if there is none.

    >>> build_order({"wheel": ["spoke"], "spoke": []})
    ['spoke', 'wheel']
    >>> build_order({"lid": ["jar"], "jar": ["lid"]}) is None
    True
    """
    waiting = {part: set(before) for part, before in needs.items()}
    for before in needs.values():
        for part in before:
            waiting.setdefault(part, set())
    order: list[str] = []
    while waiting:
        ready = [part for part, before in waiting.items() if before <= set(order)]
        if not ready:
            return None
        order.extend(ready)
        for part in ready:
            del waiting[part]
    return order

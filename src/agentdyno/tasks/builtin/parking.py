def parking(spots: int, events: list[str]) -> list[str]:
    """
    A street has parking spots 1 to `spots`, all free at first. "in NAME" lets a car take the free spot with
    the lowest number; if there is none, it waits in a queue. "out NAME" lets a car leave: its spot goes to
    the car at the head of the queue, or else becomes free; a car that is only waiting leaves the queue; for
    a car that is neither parked nor waiting nothing happens, and neither does for a car that comes in when
    it is there already. Return, in the order of the spots, the names of the parked cars, with "-" for a
    free spot.

    >>> parking(2, ["in a", "in b", "in c", "out a"])
    ['c', 'b']
    """
    parked = ["-"] * spots
    queue: list[str] = []
    for event in events:
        direction, name = event.split()
        if direction == "in":
            if name in parked or name in queue:
                continue
            if "-" in parked:
                parked[parked.index("-")] = name
            else:
                queue.append(name)
        elif name in parked:
            parked[parked.index(name)] = queue.pop(0) if queue else "-"
        elif name in queue:
            queue.remove(name)
    return parked

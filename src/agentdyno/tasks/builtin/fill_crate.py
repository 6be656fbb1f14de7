def fill_crate(weights: list[int], limit: int) -> list[int]:
    """
    Choose items for a crate that carries at most `limit`: return their positions in `weights`, in rising
    order, such that the chosen items together are not too heavy and none of those left out could still be
    added. Any such choice will do, the best one is not asked for. Weights are at least 1 and the limit is
    at least 0.

    >>> fill_crate([4, 9, 3], 7)
    [0, 2]
    """
    chosen = []
    for position, weight in enumerate(weights):
        if weight <= limit:
            chosen.append(position)
            limit -= weight
    return chosen

def fair_split(weights: list[int]) -> int:
    """
    Two people carry home a row of bags without changing its order: one takes the bags from the left end up
    to some point, the other takes the rest, and one bag at most may be left behind at that point for a
    later walk. Return the smallest possible difference between the loads of the two. Weights are not
    negative.

    >>> fair_split([3, 9, 2, 1])
    0
    >>> fair_split([5, 6])
    1
    """
    left, right = 0, sum(weights)
    smallest = right
    for weight in weights:
        right -= weight
        smallest = min(smallest, abs(left - right))
        left += weight
        smallest = min(smallest, abs(left - right))
    return smallest

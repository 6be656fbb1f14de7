def balanced_scales(pans: list[int]) -> bool:
    """
    A mobile is given as a list whose first half hangs on the left of its thread and whose second half on
    the right; if the number of weights is odd, the one in the middle hangs on the thread itself. It is
    balanced if both halves weigh the same and, where they have more than one weight, are balanced mobiles
    themselves.

    >>> balanced_scales([1, 1, 9, 2])
    False
    >>> balanced_scales([3, 3, 9, 3, 3])
    True
    """
    half = len(pans) // 2
    left, right = pans[:half], pans[len(pans) - half :]
    return sum(left) == sum(right) and (half <= 1 or (balanced_scales(left) and balanced_scales(right)))

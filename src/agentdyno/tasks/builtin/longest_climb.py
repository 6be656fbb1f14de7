def longest_climb(heights: list[int], most: int) -> list[int]:
    """
    A climber goes from left to right over some of the peaks, leaving out any number of them. Each step must
    go up, by at most `most` metres. Return the heights of a climb over as many peaks as possible; among
    those the one whose list of heights is the smallest, as Python compares lists.

    >>> longest_climb([5, 1, 9, 3, 4, 20], 4)
    [1, 3, 4]
    >>> longest_climb([1, 9, 2], 5)
    [1, 2]
    """
    best: list[list[int]] = []
    for index, height in enumerate(heights):
        before = [climb for climb in best[:index] if 0 < height - climb[-1] <= most]
        longest = max((len(climb) for climb in before), default=0)
        best.append([*min((climb for climb in before if len(climb) == longest), default=[]), height])
    longest = max((len(climb) for climb in best), default=0)
    return min((climb for climb in best if len(climb) == longest), default=[])

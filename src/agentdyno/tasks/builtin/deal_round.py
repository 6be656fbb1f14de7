def deal_round(piles: list[list[int]], skip: int) -> list[int]:
    """
    Take cards from the top (the end) of piles in turn: the first card from pile 0, and after each card
    taken from a pile, the turn passes over `skip` piles to the next one, going round in a circle. A pile
    that is empty when its turn comes is replaced by the next one in the circle that is not. Return the
    cards in the order in which they were taken, until all piles are empty. The piles themselves are not
    changed.

    >>> deal_round([[1, 2], [3], [4, 5]], 0)
    [2, 3, 5, 1, 4]
    >>> deal_round([[1, 2], [3], [4, 5]], 1)
    [2, 5, 3, 1, 4]
    """
    left = [list(pile) for pile in piles]
    taken = []
    turn = 0
    while any(left):
        while not left[turn % len(left)]:
            turn += 1
        taken.append(left[turn % len(left)].pop())
        turn += skip + 1
    return taken

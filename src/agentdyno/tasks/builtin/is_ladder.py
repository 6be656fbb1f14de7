from itertools import pairwise


def is_ladder(words: list[str]) -> bool:
    """
    A word ladder goes from each word to the next by one of three moves: changing one letter, adding one
    letter at either end, or removing one letter at either end. No word is on the ladder twice. Is the list
    a ladder? One with fewer than two words is.

    >>> is_ladder(["cat", "cot", "cots"])
    True
    >>> is_ladder(["cat", "coat"])
    False
    """
    if len(set(words)) != len(words):
        return False
    for word, following in pairwise(words):
        if len(word) == len(following):
            if sum(one != other for one, other in zip(word, following, strict=True)) != 1:
                return False
        else:
            shorter, longer = sorted((word, following), key=len)
            if shorter not in (longer[1:], longer[:-1]):
                return False
    return True

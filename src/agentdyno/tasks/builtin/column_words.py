from itertools import zip_longest


def column_words(lines: list[str]) -> list[str]:
    """
    A poster is printed as lines of characters. Read it by columns instead: column k is made of the k-th
    character of every line, from the top line to the bottom line. A line too short to have a k-th character
    counts as a space there. Return the words found in the columns, from the leftmost column to the
    rightmost; a word is an unbroken stretch of characters that are not spaces, and never runs from one
    column into the next.

    >>> column_words(["cd", "ao", "tg"])
    ['cat', 'dog']
    >>> column_words(["ab", "", "cd"])
    ['a', 'c', 'b', 'd']
    """
    words = []
    for column in zip_longest(*lines, fillvalue=" "):
        words.extend("".join(column).split(" "))
    return [word for word in words if word]

def repeated_tail(text: str) -> str:
    """
    A stuck key or a stuttering speaker leaves the end of a text repeated. Find the longest block that
    stands at least twice in a row at the very end of the text, and return the text with all its repeats at
    the end taken away but one. If nothing is repeated at the end, the text is returned unchanged.

    >>> repeated_tail("go home home home")
    'go home'
    >>> repeated_tail("banananana")
    'banana'
    >>> repeated_tail("abcbcbc")
    'abc'
    """
    for size in range(len(text) // 2, 0, -1):
        block = text[-size:]
        if text.endswith(block * 2):
            while text.endswith(block * 2):
                text = text[:-size]
            return text
    return text

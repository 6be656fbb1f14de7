def shelf_order(titles: list[str]) -> list[str]:
    """
    Put book titles into the order of a library shelf: without regard to capitals, to a leading "the", "a"
    or "an" (unless it is the only word), and to anything that is neither a letter, a digit nor a space.
    Titles that are then the same keep their order.

    >>> shelf_order(["The Zoo", "Ant", "A Bee", "An"])
    ['An', 'Ant', 'A Bee', 'The Zoo']
    """

    def key(title: str) -> list[str]:
        kept = "".join(character for character in title.lower() if character.isalnum() or character == " ")
        words = kept.split()
        return words[1:] if len(words) > 1 and words[0] in ("the", "a", "an") else words

    return sorted(titles, key=key)

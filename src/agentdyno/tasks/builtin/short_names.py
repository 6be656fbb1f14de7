def initials(name: str) -> str:
    """
    The first letters of the words of a name, in capitals, each with a full stop.

    >>> initials("ada king")
    'A.K.'
    """
    return "".join(word[0].upper() + "." for word in name.split())


def short_names(names: list[str], width: int) -> list[str]:
    """
    Names are to fit on badges of a given width. A name that is too long is shortened to the initials of all
    its words but the last, a space, and the last word in full; if that is still too long (or there is only
    one word), to the initials of all its words, which are used whatever their length. A name that fits
    stays exactly as it is.

    >>> short_names(["Ada King", "Ada Augusta King", "Montgomery"], 9)
    ['Ada King', 'A.A. King', 'M.']
    """
    badges = []
    for name in names:
        words = name.split()
        badge = name
        if len(badge) > width and len(words) > 1:
            badge = initials(" ".join(words[:-1])) + " " + words[-1]
        if len(badge) > width:
            badge = initials(name)
        badges.append(badge)
    return badges

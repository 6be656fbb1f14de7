def read_number_words(text: str) -> int:
    """
    On the market of Tolm, prices are spoken in words parted by spaces: "hand" is 5, "thumb" is 1 and
    "crate" is 60. Words for thumbs and hands add up. "crate" multiplies what was said since the beginning
    or since the last crate by 60, or stands for a single 60 when nothing was. "short" takes the very next
    word, a hand or a thumb, away instead of adding it. Return the price.

    >>> read_number_words("hand thumb")
    6
    >>> read_number_words("hand short thumb crate hand")
    245
    >>> read_number_words("crate crate")
    120
    """
    total = said = 0
    anything_said = False
    sign = 1
    for word in text.split():
        if word == "short":
            sign = -1
        elif word == "crate":
            total += 60 * (said if anything_said else 1)
            said, anything_said = 0, False
        else:
            said += sign * (5 if word == "hand" else 1)
            sign, anything_said = 1, True
    return total + said

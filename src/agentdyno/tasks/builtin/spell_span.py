def span_seconds(text: str) -> int:
    """
    The length in seconds of a span of time such as "1h 5s": whole numbers of d(ays), h(ours), m(inutes) and
    s(econds), parted by spaces.

    >>> span_seconds("1h 5s")
    3605
    """
    unit = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(part[:-1]) * unit[part[-1]] for part in text.split())


def spell_span(seconds: int, parts: int) -> str:
    """
    Write a span of time with at most `parts` parts (1 or more), the largest units first, leaving out units
    with a count of zero. What does not fit into the parts is cut off, not rounded. A span of zero is "0s";
    one that runs backwards gets a single minus in front.

    >>> spell_span(90061, 4)
    '1d 1h 1m 1s'
    >>> spell_span(86405, 2)
    '1d 5s'
    >>> spell_span(-7199, 1)
    '-1h'
    """
    left = abs(seconds)
    counted = []
    for letter, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            counted.append(f"{count}{letter}")
    spelled = " ".join(counted[:parts]) or "0s"
    return "-" + spelled if seconds < 0 else spelled

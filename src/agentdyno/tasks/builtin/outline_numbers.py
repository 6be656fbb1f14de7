def outline_numbers(lines: list[str]) -> list[str]:
    """
    An outline is written with two spaces of indentation per level. Return, for each line, its number such
    as "2.1.3" followed by a space and its text without the indentation. Numbers start at 1 on every level
    and start again whenever a line of a higher level came between. The first line is on level one; a line
    may be at most one level deeper than the line before it. Raise ValueError if a line breaks these rules
    or is blank, or if its indentation is an odd number of spaces.

    >>> outline_numbers(["Soup", "  Water", "  Salt", "Bread"])
    ['1 Soup', '1.1 Water', '1.2 Salt', '2 Bread']
    """
    counters: list[int] = []
    numbered = []
    for line in lines:
        text = line.lstrip(" ")
        indentation = len(line) - len(text)
        level = indentation // 2 + 1
        if not text.strip() or indentation % 2 or level > len(counters) + 1:
            raise ValueError(f"not a line of the outline: {line!r}")
        if level > len(counters):
            counters.append(0)
        counters = counters[:level]
        counters[-1] += 1
        numbered.append(".".join(str(counter) for counter in counters) + " " + text)
    return numbered

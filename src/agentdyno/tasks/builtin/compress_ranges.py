def expand_ranges(text: str) -> list[int]:
    """
    List the page numbers in a text such as "3-5,9", where "a-b" stands for every page from a to b.

    >>> expand_ranges("3-5,9")
    [3, 4, 5, 9]
    """
    pages: list[int] = []
    for part in text.split(",") if text else []:
        first, _, last = part.partition("-")
        pages.extend(range(int(first), int(last or first) + 1))
    return pages


def compress_ranges(pages: list[int]) -> str:
    """
    The reverse of expand_ranges: write the given page numbers (not negative, in any order, some perhaps
    more than once) as the shortest list of ranges, in rising order. Two neighbouring pages are written as
    "a,b", three or more as "a-b".

    >>> compress_ranges([9, 4, 3, 5, 4])
    '3-5,9'
    >>> compress_ranges([7, 8])
    '7,8'
    """
    runs: list[list[int]] = []
    for page in sorted(set(pages)):
        if runs and page == runs[-1][-1] + 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    parts = []
    for run in runs:
        if len(run) >= 3:
            parts.append(f"{run[0]}-{run[-1]}")
        else:
            parts.extend(str(page) for page in run)
    return ",".join(parts)

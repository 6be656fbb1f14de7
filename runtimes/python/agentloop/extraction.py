"""Finds the Python code block in a model's reply.

Source: the fenced code blocks of CommonMark 0.31, and runtimes/contract/vectors/extraction.json.
"""

import re
from collections.abc import Iterator

PYTHON_TAGS = frozenset({"python", "python3", "py", "py3"})
WHITE_SPACE = " \t\n\r\v\f"

_OPENING_FENCE = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})[ \t]*([^ \t]*).*", re.DOTALL)


def extract(reply: str) -> str | None:
    """Return the code block that answers, ending in exactly one LF, or None when the reply holds none.

    The longest block tagged as Python wins, the later of two as long. Untagged blocks stand in only when no
    block is tagged as Python; blocks with any other tag never count. What precedes the last `</think>` was
    only thought.
    """
    tagged: list[str] = []
    untagged: list[str] = []
    for tag, code in _code_blocks(reply.rpartition("</think>")[2]):
        if tag in PYTHON_TAGS:
            tagged.append(code)
        elif not tag:
            untagged.append(code)
    return max(reversed(tagged or untagged), key=lambda code: len(code.encode()), default=None)


def _code_blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield the tag and the code of every fenced block that holds more than white space."""
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for line in lines:
        opening = _OPENING_FENCE.fullmatch(line)
        if opening is None:
            continue
        indent, fence, tag = opening.groups()
        closing_fence = re.compile(rf" {{0,3}}{fence}{fence[0]}*[ \t]*")
        indentation = re.compile(f" {{0,{len(indent)}}}")
        content: list[str] = []
        for inner in lines:
            if closing_fence.fullmatch(inner):
                break
            content.append(indentation.sub("", inner, count=1))
        code = "\n".join(content)
        if code.strip(WHITE_SPACE):
            yield tag.lower(), code.rstrip("\n") + "\n"

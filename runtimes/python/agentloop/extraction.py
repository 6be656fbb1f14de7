"""Finds the Python code block in a model's reply.

Source: the fenced code blocks of CommonMark 0.31, and runtimes/contract/vectors/extraction.json.
"""

import re

PYTHON_TAGS = frozenset({"python", "python3", "py", "py3"})
WHITE_SPACE = " \t\n\r\v\f"

_OPENING = re.compile(r"( {0,3})(?:(`{3,})([^`]*)|(~{3,})(.*))", re.DOTALL)


def extract(reply: str) -> str | None:
    """Return the code block that answers, ending in exactly one LF, or None when the reply holds none.

    The longest block tagged as Python wins, the later of two as long; untagged blocks stand in only when no block
    is tagged as Python; blocks with any other tag never count. Thoughts up to the last `</think>` are passed over.
    """
    tagged: list[str] = []
    untagged: list[str] = []
    for tag, code in _code_blocks(reply.rpartition("</think>")[2]):
        if tag in PYTHON_TAGS:
            tagged.append(code)
        elif not tag:
            untagged.append(code)
    candidates = tagged or untagged
    return max(reversed(candidates), key=lambda code: len(code.encode("utf-8", "replace")), default=None)


def _code_blocks(text: str) -> list[tuple[str, str]]:
    """Return (tag, code) of every fenced block that holds more than white space."""
    blocks: list[tuple[str, str]] = []
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for line in lines:
        opening = _OPENING.fullmatch(line)
        if opening is None:
            continue
        indent = len(opening[1])
        fence = opening[2] or opening[4]
        words = (opening[3] or opening[5] or "").split()
        closing = re.compile(rf" {{0,3}}{re.escape(fence)}{re.escape(fence[0])}*[ \t]*")
        content: list[str] = []
        for inner in lines:
            if closing.fullmatch(inner):
                break
            content.append(_without_indent(inner, indent))
        code = "\n".join(content)
        if code.strip(WHITE_SPACE):
            blocks.append((words[0].lower() if words else "", code.rstrip("\n") + "\n"))
    return blocks


def _without_indent(line: str, indent: int) -> str:
    """Take away up to `indent` spaces from the start of `line`."""
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]

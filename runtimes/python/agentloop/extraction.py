"""Finds the Python code block in a model's reply.

Source: the fenced code blocks of CommonMark 0.31, and runtimes/contract/vectors/extraction.json.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

WHITE_SPACE = " \t\n\r\v\f"

_END_TOKEN = r"(?:<\|[A-Za-z0-9_]+\|>|</s>|<eos>|<end_of_turn>|<｜end▁of▁sentence｜>)"
_ONE_END_TOKEN = re.compile(_END_TOKEN)
_LEADING_THOUGHT = re.compile(
    rf"[{WHITE_SPACE}]*(?:<think>.*?</think>|<thinking>.*?</thinking>|\[THINK\].*?\[/THINK\])", re.DOTALL
)
_END_OF_THOUGHT = re.compile(r".*(?:</think>|</thinking>|\[/THINK\])", re.DOTALL)
_OPENING_FENCE = re.compile(r"( *)(`{3,}(?=[^`]*$)|~{3,})[ \t]*([^ \t]*).*", re.DOTALL)
_PYTHON_TAG = re.compile(r"py(?:thon)?[0-9.]*")


@dataclass(frozen=True, slots=True)
class _Block:
    """A fenced block; `section` counts the ends of thought before it."""

    section: int
    tag: str
    code: str


def extract(reply: str, entry_point: str = "") -> str | None:
    """Return the code block that answers, ending in exactly one LF, or None when the reply holds none.

    A block that defines the entry point wins over one that does not, then a block tagged as Python over one
    without a tag, then the longest, then the last. Blocks with any other tag never count. Blocks before an
    end of thought stand in only when no block after it counts.
    """
    text = _without_end_tokens(reply)
    begin = 0
    while thought := _LEADING_THOUGHT.match(text, begin):
        begin = thought.end()
    text = text[begin:]
    definition = _definition_of(entry_point) if entry_point else None
    best: tuple[tuple[int, bool, bool, int], str] | None = None
    for block in _blocks(text):
        tagged = _PYTHON_TAG.fullmatch(block.tag) is not None
        code = block.code.rstrip("\n") + "\n"
        if (block.tag and not tagged) or not code.strip(WHITE_SPACE):
            continue
        defines = definition is not None and definition.search(code) is not None
        rank = (block.section, defines, tagged, len(code.encode()))
        if best is None or rank >= best[0]:
            best = (rank, code)
    return best[1] if best else None


def _without_end_tokens(reply: str) -> str:
    """Return the reply without the end tokens at its end and the white space around them."""
    end = len(reply.rstrip(WHITE_SPACE))
    has_tokens = False
    while (token := reply.rfind("<", 0, end)) >= 0 and _ONE_END_TOKEN.fullmatch(reply, token, end):
        has_tokens = True
        end = token
        while end and reply[end - 1] in WHITE_SPACE:
            end -= 1
    return reply[:end] if has_tokens else reply


def _definition_of(name: str) -> re.Pattern[str]:
    name = re.escape(name)
    end_of_name = r"(?![0-9A-Za-z_\x80-\U0010ffff])"
    return re.compile(
        rf"^(?:(?:(?:async[ \t]+)?def|class)[ \t]+{name}{end_of_name}|{name}[ \t]*=(?!=))", re.MULTILINE
    )


def _blocks(text: str) -> Iterator[_Block]:
    """Yield every fenced block."""
    section = 0
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for line in lines:
        opening = _OPENING_FENCE.fullmatch(line)
        if opening is None and (thought := _END_OF_THOUGHT.match(line)):
            section += 1
            opening = _OPENING_FENCE.fullmatch(line, thought.end())
        if opening is None:
            continue
        indent, fence, tag = opening.groups()
        closing_fence = re.compile(
            rf" {{0,{len(indent) + 3}}}{fence}{fence[0]}*[ \t]*(?:{_END_TOKEN}[ \t]*)*"
        )
        indentation = re.compile(f" {{0,{len(indent)}}}")
        content: list[str] = []
        for inner in lines:
            if closing_fence.fullmatch(inner):
                break
            content.append(indentation.sub("", inner, count=1))
        yield _Block(section, tag.lower(), "\n".join(content))

"""The code block of a reply, by which a verification is known to be one of that reply.

The rules, by number, are those of runtimes/contract/vectors/README.md, *extraction.json*. Runtimes have code
of their own for them; this is the harness's, which must not believe theirs.
"""

import re
from typing import NamedTuple

_SPACE = " \t\n\r\v\f"
_TOKEN = r"(?:<\|\w+\|>|</s>|<eos>|<end_of_turn>|<｜end▁of▁sentence｜>)"
_LAST_TOKEN = re.compile(rf"{_TOKEN}\Z", re.ASCII)
_THOUGHT = re.compile(
    rf"[{_SPACE}]*(?:<(think|thinking)>.*?</\1>|\[THINK\].*?\[/THINK\])", re.DOTALL | re.ASCII
)
_END_OF_THOUGHT = re.compile(r".*(?:</think>|</thinking>|\[/THINK\])")
_OPENING = re.compile(r"( *)(?:(`{3,})([^`]*)|(~{3,})(.*))", re.DOTALL)
_CLOSING = re.compile(rf"( *)(`{{3,}}|~{{3,}})(?:[ \t]|{_TOKEN})*", re.ASCII)
_PYTHON = re.compile(r"py(?:thon)?[0-9.]*", re.ASCII)
_ASCII_UPPER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class _Block(NamedTuple):
    """What decides between blocks, in this order, and the code."""

    section: int
    defines: bool
    is_python: bool
    size: int
    code: str


def code_block(reply: str, entry_point: str) -> str | None:
    """The block that is the reply's solution; None where the reply has none."""
    best: _Block | None = None
    for section, tag, content in _fenced(_without_thought(_without_tokens(reply))):
        code = content.rstrip("\n") + "\n"
        is_python = _PYTHON.fullmatch(tag) is not None
        if not code.strip(_SPACE) or (tag and not is_python):
            continue
        block = _Block(section, _defines(code, entry_point), is_python, len(_bytes(code)), code)
        if best is None or block[:4] >= best[:4]:
            best = block
    return None if best is None else best.code


def _without_tokens(reply: str) -> str:
    """Rule 1."""
    kept, rest = reply, reply.rstrip(_SPACE)
    while rest.endswith(">") and (token := _LAST_TOKEN.search(rest, max(0, rest.rfind("<")))):
        kept = rest = rest[: token.start()].rstrip(_SPACE)
    return kept


def _without_thought(reply: str) -> str:
    """Rule 2."""
    at = 0
    while thought := _THOUGHT.match(reply, at):
        at = thought.end()
    return reply[at:].replace("\r\n", "\n")


def _fenced(text: str) -> list[tuple[int, str, str]]:
    """Rules 3 to 6: the section, the tag and the content of every fenced block."""
    found: list[tuple[int, str, str]] = []
    section, fence, indent, tag = 0, "", 0, ""
    content: list[str] = []
    for line in text.split("\n"):
        if fence:
            if _closes(line, fence, indent):
                found.append((section, tag, "\n".join(content)))
                fence = ""
            else:
                content.append(line[min(indent, len(line) - len(line.lstrip(" "))) :])
            continue
        rest = line
        opening = _OPENING.fullmatch(rest)
        if opening is None and (thought := _END_OF_THOUGHT.match(line)):
            section += 1
            rest = line[thought.end() :]
            opening = _OPENING.fullmatch(rest)
        if opening is not None:
            spaces, ticks, after_ticks, tildes, after_tildes = opening.groups()
            fence, indent, content = ticks or tildes, len(spaces), []
            words = re.findall(r"[^ \t]+", after_ticks if ticks else after_tildes)
            tag = words[0].translate(_ASCII_UPPER) if words else ""
    if fence:
        found.append((section, tag, "\n".join(content)))
    return found


def _closes(line: str, fence: str, indent: int) -> bool:
    closing = _CLOSING.fullmatch(line) if fence[0] in line else None
    if closing is None:
        return False
    spaces, its = closing.groups()
    return len(spaces) <= indent + 3 and its[0] == fence[0] and len(its) >= len(fence)


def _defines(code: str, name: str) -> bool:
    """Rule 8."""
    if not name:
        return False
    name = re.escape(name)
    ends = r"(?![0-9A-Za-z_]|[^\x00-\x7f])"
    line = rf"^(?:(?:async[ \t]+def|def|class)[ \t]+{name}{ends}|{name}[ \t]*=(?!=))"
    return re.search(line, code, re.MULTILINE) is not None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

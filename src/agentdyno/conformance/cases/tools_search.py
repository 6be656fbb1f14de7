"""Tools: search."""

import os

from agentdyno.conformance.assertions import same
from agentdyno.conformance.cases.tools_calls import MIB, tool_case
from agentdyno.conformance.dispatcher import Dispatcher
from agentdyno.conformance.stage import Stage
from agentdyno.conformance.violation import require


def line(path: str, number: int, text: str) -> dict[str, object]:
    """A line that was found."""
    return {"path": path, "line": number, "text": text}


@tool_case("tools.search", "lines")
async def search_lines(stage: Stage, tools: Dispatcher) -> str:
    """LF ends a line, a CR before it goes with it, and nothing else does."""
    content = "x one\r\ntwo\n three x \n\u2028x\u0085x\rx\x0bx\x0cx\r\r\n\nx x"
    (tools.workspace / "file").write_bytes(content.encode())
    found = [
        line("file", 1, "x one"),
        line("file", 3, " three x "),
        line("file", 4, "\u2028x\u0085x\rx\x0bx\x0cx\r"),
        line("file", 6, "x x"),
    ]
    same(await tools.result("search", text="x", path=""), found)
    same(await tools.result("search", text="X", path=""), [])
    same(await tools.result("search", text="three x ", path="."), [found[1]])
    same(await tools.result("search", text="one\r\ntwo", path="."), [])
    same(await tools.result("search", text=".*", path="."), [])
    return "4 of 6 lines, with their numbers"


@tool_case("tools.search", "every line")
async def search_every_line(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / "a").write_text("1\n\n3\n")
    (tools.workspace / "b").write_text("")
    (tools.workspace / "c").write_text("\n")
    (tools.workspace / "d").write_text("no end")
    lines = [line("a", 1, "1"), line("a", 2, ""), line("a", 3, "3"), line("c", 1, ""), line("d", 1, "no end")]
    same(await tools.result("search", text="", path="."), lines)
    return "5 lines in 4 files"


@tool_case("tools.search", "files in order")
async def search_in_order(stage: Stage, tools: Dispatcher) -> str:
    paths = ["a/b/c", "B", ".hidden/x", "a.py", "a-b/x", "b", "10", "9", "ä/\U0001f600", "ä/\uffee"]
    for path in paths:
        (tools.workspace / path).parent.mkdir(parents=True, exist_ok=True)
        (tools.workspace / path).write_text("no\nyes\n")
    same(await tools.result("search", text="yes", path="."), [line(path, 2, "yes") for path in sorted(paths)])
    same(await tools.result("search", text="yes", path="a/b"), [line("a/b/c", 2, "yes")])
    same(await tools.result("search", text="yes", path="./a/"), [line("a/b/c", 2, "yes")])
    return f"{len(paths)} files by code point of their paths"


@tool_case("tools.search", "what is no text")
async def search_binary(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / "binary").write_bytes(b"\0\xff x\n\x80\nx")
    (tools.workspace / "a").write_bytes(b"ascii x")
    expected = [line("a", 1, "ascii x"), line("binary", 1, "\0\ufffd x"), line("binary", 3, "x")]
    same(await tools.result("search", text="x", path="."), expected)
    return "lines of a file that is not UTF-8"


@tool_case("tools.search", "links and what is no file")
async def search_past_links(stage: Stage, tools: Dispatcher) -> str:
    outside = stage.folder / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    (tools.workspace / "folder").mkdir()
    (tools.workspace / "folder/file").write_text("x")
    for name, target in (("a", outside), ("b", outside / "file"), ("c", "folder"), ("d", "folder/file")):
        (tools.workspace / name).symlink_to(target)
        (tools.workspace / "folder" / name).symlink_to(target)
    (tools.workspace / "folder/loop").symlink_to("..")
    os.mkfifo(tools.workspace / "pipe")
    same(await tools.result("search", text="x", path="."), [line("folder/file", 1, "x")])
    return "9 links and a named pipe passed over"


@tool_case("tools.search", "a long line and many lines")
async def search_much(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / "long").write_text("é" * MIB + "x")
    (tools.workspace / "many").write_text("x\n" * 20_000)
    found = await tools.result("search", text="x", path=".")
    require(len(found) == 20_001, f"{len(found)} lines, expected 20,001")
    require(found[0] == line("long", 1, "é" * MIB + "x"), "the long line is not whole")
    same(found[-1], line("many", 20_000, "x"))
    return "a line of 2 MiB, and 20,000 of a character"


@tool_case("tools.search", "in no folder")
async def search_in_no_folder(stage: Stage, tools: Dispatcher) -> str:
    for path in ("nothing", "a\0b"):
        await tools.refused("search", text="x", path=path)
    return "2 calls refused"

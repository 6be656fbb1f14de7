"""Tools: write_file, read_file and list_dir."""

import asyncio
import os

from agentdyno.conformance.assertions import same
from agentdyno.conformance.cases.tools_calls import MIB, tool_case
from agentdyno.conformance.dispatcher import Dispatcher
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import Stage

TEXT = "one\r\ntwo ü漢\U0001f600\u2028\x00\x7f\x1b\n\r\n\tthree"
"""What JSON escapes, and what some take for the end of a line."""


# tools.write_file


@tool_case("tools.write_file", "any text")
async def write_any_text(stage: Stage, tools: Dispatcher) -> str:
    for name, content in (("text", TEXT), ("empty", ""), ("a name ü\U0001f600", "x"), ("-n", "\ufeff")):
        same(await tools.result("write_file", path=name, content=content), None)
        same((tools.workspace / name).read_bytes(), content.encode())
    same(len(list(tools.workspace.iterdir())), 4, "files in the folder")
    return "4 files, byte for byte"


@tool_case("tools.write_file", "folders on the way")
async def write_into_folders(stage: Stage, tools: Dispatcher) -> str:
    await tools.result("write_file", path="a/b/c/d", content="1")
    await tools.result("write_file", path="a/./b//e", content="2")
    found = sorted(str(path.relative_to(tools.workspace)) for path in tools.workspace.rglob("*"))
    same(found, ["a", "a/b", "a/b/c", "a/b/c/d", "a/b/e"])
    return "made"


@tool_case("tools.write_file", "in place of another")
async def write_over(stage: Stage, tools: Dispatcher) -> str:
    """A hard link shows that the file is another, and not the same with another content."""
    (tools.workspace / "file").write_text("a longer text")
    os.link(tools.workspace / "file", stage.folder / "before")
    await tools.result("write_file", path="file", content="short")
    same((tools.workspace / "file").read_text(), "short")
    same((stage.folder / "before").read_text(), "a longer text", "the file that was replaced")
    same(sorted(path.name for path in tools.workspace.iterdir()), ["file"])
    return "a new file under the name, and nothing beside it"


@tool_case("tools.write_file", "a name of 255 bytes")
async def write_long_names(stage: Stage, tools: Dispatcher) -> str:
    for name in ("a" * 255, "漢" * 85, "\U0001f600" * 63 + "abc"):
        await tools.result("write_file", path=name, content="x")
        same((tools.workspace / name).read_text(), "x")
    await tools.refused("write_file", path="a" * 256, content="x")
    same(len(list(tools.workspace.iterdir())), 3, "files in the folder")
    return "3 names as long as they may be"


@tool_case("tools.write_file", "where it cannot")
async def write_where_it_cannot(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / "folder").mkdir()
    (tools.workspace / "file").write_text("x")
    for path in ("folder", "file/below", "", ".", "\0", "a\0b"):
        await tools.refused("write_file", path=path, content="y")
    same(sorted(path.name for path in tools.workspace.rglob("*")), ["file", "folder"])
    same((tools.workspace / "file").read_text(), "x")
    return "6 calls refused, and nothing left of them"


@tool_case("tools.write_file", "never half a file")
async def never_half_a_file(stage: Stage, tools: Dispatcher) -> str:
    """A reader sees one content or the other, while they are written by turns."""
    contents = ["a" * MIB, "b" * (2 * MIB)]
    await tools.result("write_file", path="file", content=contents[0])
    expected = {content.encode() for content in contents}
    over = asyncio.Event()

    def read() -> int:
        times = 0
        while not over.is_set():
            found = (tools.workspace / "file").read_bytes()
            require(found in expected, f"a reader found {len(found)} bytes, expected {MIB} or {2 * MIB}")
            times += 1
        return times

    reading = asyncio.create_task(asyncio.to_thread(read))
    try:
        for turn in range(1, 21):
            await tools.result("write_file", path="file", content=contents[turn % 2])
    finally:
        over.set()
        times = await reading
    return f"20 times written, {times} times read, never half"


# tools.read_file


@tool_case("tools.read_file", "any text")
async def read_any_text(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / "a").mkdir()
    for path, content in (("text", TEXT), ("a/empty", ""), ("ü", "\ufeffx\r"), ("a/./text", TEXT)):
        (tools.workspace / path).write_bytes(content.encode())
        same(await tools.result("read_file", path=path), content)
    return "4 files, character for character"


@tool_case("tools.read_file", "no UTF-8")
async def read_no_utf_8(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / "file").write_bytes(b"a\xff\xfeb\xe6\xbcc\xed\xa0\x80d\xf0\x9f\x98")
    same(await tools.result("read_file", path="file"), "a\ufffd\ufffdb\ufffdc\ufffd\ufffd\ufffdd\ufffd")
    return "U+FFFD for each maximal subpart"


@tool_case("tools.read_file", "5 MB")
async def read_much(stage: Stage, tools: Dispatcher) -> str:
    content = "".join(f"{number:09d}\n" for number in range(500_000))
    (tools.workspace / "file").write_text(content)
    found = await tools.result("read_file", path="file")
    require(found == content, f"{len(found)} characters, expected {len(content)}")
    return "5,000,000 characters"


@tool_case("tools.read_file", "no regular file")
async def read_no_regular_file(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / "folder").mkdir()
    (tools.workspace / "file").touch()
    os.mkfifo(tools.workspace / "pipe")
    for path in ("nothing", "folder", "folder/nothing", "file/below", "pipe", "", ".", "a\0b"):
        await tools.refused("read_file", path=path)
    same(await tools.result("read_file", path="file"), "")
    return "8 calls refused, of a named pipe among them"


# tools.list_dir


@tool_case("tools.list_dir", "in order")
async def list_in_order(stage: Stage, tools: Dispatcher) -> str:
    """By code point, which is not the order of UTF-16 nor that of any language."""
    files = ["b", "B", "a", ".hidden", "10", "9", "ä", "z", "\uffee", "\U0001f600", "a b", "a-c", "new\nline"]
    folders = ["a0", "Folder", "漢", "a-d"]
    for name in files:
        (tools.workspace / name).touch()
    for name in folders:
        (tools.workspace / name).mkdir()
    os.mkfifo(tools.workspace / "pipe")
    (tools.workspace / "link").symlink_to("Folder")
    expected = sorted([*files, *(f"{name}/" for name in folders), "pipe", "link"])
    for path in ("", "."):
        same(await tools.result("list_dir", path=path), expected)
    return f"{len(expected)} names by code point"


@tool_case("tools.list_dir", "below")
async def list_below(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / "a/b").mkdir(parents=True)
    (tools.workspace / "a/c").touch()
    same(await tools.result("list_dir", path="a"), ["b/", "c"])
    same(await tools.result("list_dir", path="a/"), ["b/", "c"])
    same(await tools.result("list_dir", path="a/b"), [])
    return "folders in the folder, and an empty one"


@tool_case("tools.list_dir", "names that are not UTF-8")
async def list_names_of_any_bytes(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / os.fsdecode(b"a\xffb")).touch()
    same(await tools.result("list_dir", path=""), ["a\ufffdb"])
    return "U+FFFD for what is not"


@tool_case("tools.list_dir", "no folder")
async def list_no_folder(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / "file").touch()
    os.mkfifo(tools.workspace / "pipe")
    for path in ("nothing", "file", "file/below", "pipe", "a\0b"):
        await tools.refused("list_dir", path=path)
    return "5 calls refused"


@tool_case("tools.list_dir", "5,000 files")
async def list_many(stage: Stage, tools: Dispatcher) -> str:
    names = [f"{number:04d}" for number in range(5000)]
    for name in names:
        (tools.workspace / name).touch()
    found = await tools.result("list_dir", path="")
    require(found == names, f"{len(found)} names, expected {len(names)} in order")
    return "5,000 names in order"

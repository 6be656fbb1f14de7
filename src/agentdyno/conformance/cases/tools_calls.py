"""The tools: how they are called, and the workspace that confines them."""

import asyncio
import ctypes
import json
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from agentdyno.conformance.assertions import same
from agentdyno.conformance.case import case
from agentdyno.conformance.dispatcher import ENVIRONMENT, Dispatcher, dispatching
from agentdyno.conformance.rules import NotPossible, require
from agentdyno.conformance.stage import Stage

MIB = 2**20

WRONG: tuple[object, ...] = (None, [], True, {"a": 1}, -1)
"""What is no value of any field."""

Scene = Callable[[Stage, Dispatcher], Coroutine[Any, Any, str]]

CALLS: tuple[dict[str, object], ...] = (
    {"tool": "write_file", "path": "new", "content": "x"},
    {"tool": "read_file", "path": "there"},
    {"tool": "list_dir", "path": "."},
    {"tool": "search", "text": "x", "path": "."},
    {"tool": "bash", "command": "true", "env": {}, "timeout_s": 5, "output_limit_bytes": 100},
)
"""One call of each tool, with all its fields."""


def tool_case(rule: str, name: str) -> Callable[[Scene], Scene]:
    """Enter a scene with the command at work."""

    def enter(play: Scene) -> Scene:
        @case(rule, name, needs_tools=True)
        async def with_the_command(stage: Stage) -> str:
            async with dispatching(stage) as tools:
                return await play(stage, tools)

        return play

    return enter


@tool_case("tools.calls", "no call")
async def no_call(stage: Stage, tools: Dispatcher) -> str:
    return "exit 0 at the end of stdin"


@tool_case("tools.calls", "one after the other")
async def one_after_the_other(stage: Stage, tools: Dispatcher) -> str:
    """An answer comes before the next call is sent."""
    for number in range(50):
        await tools.result("write_file", path="file", content=str(number))
        same(await tools.result("read_file", path="file"), str(number))
    return "100 calls, each answered before the next"


@tool_case("tools.calls", "all at once")
async def all_at_once(stage: Stage, tools: Dispatcher) -> str:
    """Answers come in the order of the calls, however long each takes."""
    calls: list[dict[str, object]] = []
    for number in range(20):
        command = f"{'sleep 0.2; ' if number % 10 == 0 else ''}echo {number}; cat file"
        calls.append({"tool": "write_file", "path": "file", "content": str(number)})
        calls.append({**CALLS[4], "command": command, "env": ENVIRONMENT})
    await tools.send(b"".join(json.dumps(call).encode() + b"\n" for call in calls))
    for number in range(20):
        same(await tools.answer(), {"result": None})
        same((await tools.answer())["result"]["stdout"], f"{number}\n{number}")
    return f"{len(calls)} calls at once, answered in order"


@tool_case("tools.calls", "no such call")
async def no_such_call(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / "there").touch()
    lines = [
        b"", b" ", b"x", b"{", b"[]", b"null", b"7", b'"read_file"', b"{}", b'{"path": "there"}', b"\xff",
        b'{"tool": null}', b'{"tool": "rm", "path": "there"}', b'{"tool": ["read_file"], "path": "there"}',
        b'{"tool": "read_file", "path": "there"} {}',
    ]  # fmt: skip
    for line in lines:
        await tools.send(line + b"\n")
        answer = await tools.answer()
        require("error" in answer, f"{line!r} is answered with {answer}, expected an error")
    same(await tools.result("list_dir", path=""), ["there"])
    return f"{len(lines)} lines, each an error, and then a result"


@tool_case("tools.calls", "fields missing or of another type")
async def fields(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / "there").write_text("x")
    count = 0
    for call in CALLS:
        for field in call:
            wrong: list[dict[str, object]] = [{name: value for name, value in call.items() if name != field}]
            wrong += [{**call, field: value} for value in WRONG]
            for other in wrong:
                await tools.send(json.dumps(other).encode() + b"\n")
                answer = await tools.answer()
                require("error" in answer, f"{json.dumps(other)} is answered with {answer}")
                count += 1
    same(await tools.result("list_dir", path=""), ["there"])
    return f"{count} calls, each an error"


@tool_case("tools.calls", "white space and order of fields")
async def spelling(stage: Stage, tools: Dispatcher) -> str:
    await tools.send(b' { "path" :\t"a\\u00fc" , "content":"\\ud83d\\ude00", "tool": "write\\u005ffile"}\r\n')
    same(await tools.answer(), {"result": None})
    same((tools.workspace / "aü").read_bytes(), "\U0001f600".encode())
    return "the same call"


@tool_case("tools.calls", "10 MB")
async def a_large_call(stage: Stage, tools: Dispatcher) -> str:
    content = "é\n" * 3_000_000
    await tools.result("write_file", path="large", content=content)
    require((tools.workspace / "large").read_bytes() == content.encode(), "the file is not what was sent")
    require(await tools.result("read_file", path="large") == content, "the answer is not what is in the file")
    return "9 MB written and read"


AT_FDCWD, RENAME_EXCHANGE = -100, 2
"""Of renameat2(2)."""


@tool_case("tools.confined", "absolute paths and ..")
async def outside_by_name(stage: Stage, tools: Dispatcher) -> str:
    secret = stage.folder / "secret"
    secret.write_text("secret")
    (tools.workspace / "folder").mkdir()
    (tools.workspace / "file").write_text("x")
    here = tools.workspace
    paths = [
        str(secret), f"/{secret}", "../secret", "folder/../../secret", "./../secret", "..", "../", "/",
        "folder/..", "folder/../file", f"{here}/file", str(here), f"../{here.name}/file", "nothing/../file",
    ]  # fmt: skip
    for path in paths:
        await _refused_by_all(tools, path)
    same(secret.read_text(), "secret")
    same(sorted(str(path.relative_to(here)) for path in here.rglob("*")), ["file", "folder"])
    return f"{len(paths)} paths, refused by 4 tools each"


@tool_case("tools.confined", "symbolic links")
async def outside_by_links(stage: Stage, tools: Dispatcher) -> str:
    """Those that lead outside and those that lead inside, at the end of a path and on the way."""
    outside = stage.folder / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "file").write_text("secret")
    here = tools.workspace
    (here / "inner/folder").mkdir(parents=True)
    (here / "inner/file").write_text("x")
    links = {
        "out": str(outside),
        "in": "inner",
        "file-out": f"{outside}/file",
        "file-in": "inner/file",
        "up": "..",
        "self": ".",
        "loop": "loop",
        "nowhere-out": f"{outside}/new",
        "nowhere-in": "inner/new",
    }
    for name, target in links.items():
        (here / name).symlink_to(target)
        (here / "inner/folder" / name).symlink_to(here / target)
    before = _everything(stage.folder)
    paths = [f"{place}{name}" for place in ("", "inner/folder/") for name in links]
    paths += [f"{link}/{name}" for link in ("out", "in", "up", "self") for name in ("file", "folder", "a/b")]
    paths += ["self/inner/file", "in/folder/in/file"]
    for path in paths:
        await _refused_by_all(tools, path)
    changed = sorted(set(_everything(stage.folder).items()) ^ set(before.items()))
    require(not changed, f"{changed[0][0] if changed else ''} has changed")
    return f"{len(paths)} paths with links, refused by 4 tools each"


@tool_case("tools.confined", "a link that comes and goes")
async def a_link_that_comes_and_goes(stage: Stage, tools: Dispatcher) -> str:
    """Looking first and opening then is not enough."""
    outside, here = stage.folder / "outside", tools.workspace
    outside.mkdir()
    (outside / "file").write_text("secret")
    (here / "folder").mkdir()
    (here / "folder/file").write_text("mine")
    (here / "link").symlink_to(outside)
    over = asyncio.Event()
    exchange = getattr(ctypes.CDLL(None), "renameat2", None)
    if exchange is None:
        raise NotPossible("this C library has no renameat2(2)")
    names = os.fsencode(here / "folder"), os.fsencode(here / "link")

    def exchange_without_end() -> None:
        while not over.is_set():
            exchange(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)

    exchanging = asyncio.create_task(asyncio.to_thread(exchange_without_end))
    read = refused = 0
    try:
        for number in range(300):
            answer = await tools.call("read_file", path="folder/file")
            require(answer.get("result") != "secret", f"call {number + 1} read a file outside")
            read += "result" in answer
            refused += "error" in answer
            await tools.call("write_file", path="folder/new", content="x")
            require(not (outside / "new").exists(), f"call {number + 1} wrote a file outside")
    finally:
        over.set()
        await exchanging
    return f"300 times: {read} times read, {refused} times refused, never outside"


async def _refused_by_all(tools: Dispatcher, path: str) -> None:
    await tools.refused("write_file", path=path, content="mine")
    await tools.refused("read_file", path=path)
    await tools.refused("list_dir", path=path)
    await tools.refused("search", path=path, text="")


def _everything(folder: Path) -> dict[str, str]:
    return {
        str(path): os.readlink(path) if path.is_symlink() else "" if path.is_dir() else path.read_text()
        for path in folder.rglob("*")
        if path.name != "stderr"
    }

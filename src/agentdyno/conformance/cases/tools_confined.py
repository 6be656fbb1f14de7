"""Tools: nothing outside the workspace is reached."""

import asyncio
import ctypes
import os
from pathlib import Path

from agentdyno.conformance.assertions import same
from agentdyno.conformance.cases.tools_calls import tool_case
from agentdyno.conformance.dispatcher import Dispatcher
from agentdyno.conformance.stage import Stage
from agentdyno.conformance.violation import NotPossible, require

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

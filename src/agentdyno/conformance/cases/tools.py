"""Tools: calls and answers of a manifest's `tools` command."""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from agentdyno.conformance.case import case
from agentdyno.conformance.dispatcher import ENVIRONMENT, Dispatcher, dispatching
from agentdyno.conformance.notes import is_alive, still_alive
from agentdyno.conformance.stage import Stage
from agentdyno.conformance.violation import NotPossible, require

MIB = 2**20
AT_FDCWD, RENAME_EXCHANGE = -100, 2
"""Of renameat2(2)."""

TEXT = "one\r\ntwo ü漢\U0001f600\u2028\x00\x7f\x1b\n\r\n\tthree"
"""What JSON escapes, and what some take for the end of a line."""

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


def same(found: object, expected: object, what: str = "") -> None:
    """Require that two things are equal."""
    shown, wanted = (text if len(text) < 200 else text[:200] + "…" for text in (repr(found), repr(expected)))
    require(found == expected, f"{what + ': ' if what else ''}{shown}, expected {wanted}")


def tool_case(rule: str, name: str) -> Callable[[Scene], Scene]:
    """Enter a scene with the command at work."""

    def enter(play: Scene) -> Scene:
        @case(rule, name, needs_tools=True)
        async def with_the_command(stage: Stage) -> str:
            async with dispatching(stage) as tools:
                return await play(stage, tools)

        return play

    return enter


# tools.calls


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


# tools.search


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


# tools.bash


def ended(result: Any) -> tuple[object, object, object]:
    """How a command ended."""
    return result["exit_code"], result["signal"], result["timed_out"]


@tool_case("tools.bash", "exit codes and signals")
async def bash_endings(stage: Stage, tools: Dispatcher) -> str:
    for command, ending in (
        ("true", (0, None, False)),
        ("exit 3", (3, None, False)),
        ("exit 255", (255, None, False)),
        ("no-such-program", (127, None, False)),
        ("(", (2, None, False)),
        ("kill -9 $$", (None, 9, False)),
        ("kill -TERM $$", (None, 15, False)),
        ("sh -c 'kill -9 $$'; exit $?", (137, None, False)),
        ("[[ a == a ]]", (0, None, False)),
    ):
        same(ended(await tools.bash(command)), ending, command)
    return "9 command lines, with exit codes or signals"


@tool_case("tools.bash", "output")
async def bash_output(stage: Stage, tools: Dispatcher) -> str:
    result = await tools.bash("printf 'one\\r\\nü\\377'; printf 'two\\0' >&2")
    same((result["stdout"], result["stderr"]), ("one\r\nü\ufffd", "two\0"))
    same((await tools.bash(":"))["stdout"], "")
    return "both streams apart, U+FFFD for what is not UTF-8"


@tool_case("tools.bash", "environment, folder and stdin")
async def bash_circumstances(stage: Stage, tools: Dispatcher) -> str:
    (tools.workspace / "folder").mkdir()
    env = {**ENVIRONMENT, "A": "b=c", "ü": "", "LINES": "one\ntwo"}
    result = await tools.bash("cat /proc/$$/environ; :", env=env)
    expected = sorted(f"{name}={value}" for name, value in env.items())
    same(sorted(result["stdout"].split("\0")[:-1]), expected)
    result = await tools.bash("cd folder; pwd -P >&2; cd ..; pwd -P; readlink /proc/$$/fd/0; wc -c")
    same(result["stdout"], f"{tools.workspace}\n/dev/null\n0\n")
    same((await tools.bash("pwd"))["stdout"], f"{tools.workspace}\n", "the next command's folder")
    return f"{len(env)} variables and no other, the workspace, /dev/null"


@tool_case("tools.bash", "looked up in env's PATH")
async def bash_looked_up(stage: Stage, tools: Dispatcher) -> str:
    folder = stage.folder / "programs"
    folder.mkdir()
    (folder / "bash").write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    (folder / "bash").chmod(0o755)
    result = await tools.bash("echo $A 'b'", env={"PATH": str(folder)})
    same(result["stdout"], "-c|echo $A 'b'|")
    (folder / "bash").unlink()
    env = {"PATH": str(folder)}
    await tools.refused("bash", command="true", env=env, timeout_s=5, output_limit_bytes=100)
    return "as `bash -c COMMAND`, and an error where there is none"


@tool_case("tools.bash", "much output")
async def bash_much_output(stage: Stage, tools: Dispatcher) -> str:
    much = "head -c 20000000 /dev/zero | tr '\\0' x"
    command = f"{much} >&2; {much}; echo end; echo END >&2"
    result = await tools.bash(command, output_limit_bytes=100)
    same((result["stdout"], result["stderr"]), ("x" * 96 + "end\n", "x" * 96 + "END\n"))
    same((await tools.bash("printf 'a\\303\\251'", output_limit_bytes=1))["stdout"], "\ufffd")
    return "the last 100 bytes of 20 MB each"


@tool_case("tools.bash", "timeout")
async def bash_timeout(stage: Stage, tools: Dispatcher) -> str:
    """The whole group is killed, and what was printed until then is there."""
    command = "trap '' TERM; sleep 60 & echo $! $$; wait"
    result = await tools.bash(command, timeout_s=1)
    same(ended(result), (None, int(signal.SIGKILL), True))
    pids = [int(pid) for pid in result["stdout"].split()]
    same(len(pids), 2, "pids printed")
    left = await still_alive(pids)
    require(not left, f"{len(left)} of {len(pids)} processes are still alive")
    same((await tools.bash("echo more"))["stdout"], "more\n")
    return "2 processes killed, and the next command runs"


@tool_case("tools.bash", "children left behind")
async def bash_children_left_behind(stage: Stage, tools: Dispatcher) -> str:
    result = await tools.bash("sleep 60 & echo $!", timeout_s=15)
    same(ended(result), (0, None, False))
    left = await still_alive([int(result["stdout"])])
    require(not left, "a child in its group outlives the command")
    return "killed with the group"


@case("tools.bash", "a descendant in a session of its own", needs_tools=True)
async def bash_descendant(stage: Stage) -> str:
    async with dispatching(stage, escapes=True) as tools:
        descendant = "echo $$ > pid; mv pid away; exec sleep 15"
        command = f"setsid sh -c '{descendant}' & until [ -e away ]; do sleep 0.01; done; echo over"
        result = await tools.bash(command, timeout_s=12)
        pid = int((tools.workspace / "away").read_text())
        alive = is_alive(pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        same((ended(result), result["stdout"]), ((0, None, False), "over\n"))
        require(alive, "the answer came only when the descendant had ended")
    return "answered while it held both pipes"


# tools.confined


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

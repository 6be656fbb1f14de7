"""The tools: running a command, and searching."""

import contextlib
import os
import signal
from typing import Any

from agentdyno.conformance.assertions import is_alive, same, still_alive
from agentdyno.conformance.case import case
from agentdyno.conformance.cases.tools_calls import MIB, tool_case
from agentdyno.conformance.dispatcher import ENVIRONMENT, Dispatcher, dispatching
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import Stage


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

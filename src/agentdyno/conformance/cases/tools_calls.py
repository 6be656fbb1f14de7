"""Tools: calls and answers of a manifest's `tools` command."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from agentdyno.conformance.assertions import same
from agentdyno.conformance.case import case
from agentdyno.conformance.dispatcher import ENVIRONMENT, Dispatcher, dispatching
from agentdyno.conformance.stage import Stage
from agentdyno.conformance.violation import require

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

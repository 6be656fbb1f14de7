"""Talks to a runtime's `tools` command, a line a call."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Any

from agentdyno.conformance.invariants import Finding
from agentdyno.conformance.rules import RuleViolation, require
from agentdyno.conformance.running import Watcher
from agentdyno.conformance.stage import KEY, Stage
from agentdyno.process.child import Child
from agentdyno.process.orphans import no_survivors
from agentdyno.runtimes.launch import inherited

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
"""What `bash` runs in unless the case says otherwise."""

WITHIN_S = 20.0
"""How long an answer may take, and the end after the last call."""


class Dispatcher:
    """The command while it runs. `workspace` is the folder it works in."""

    def __init__(self, workspace: Path, child: Child, calls: IO[bytes], answers: IO[bytes]) -> None:
        self.workspace = workspace
        self._child = child
        self._calls = calls
        self._answers = answers

    async def send(self, line: bytes) -> None:
        """Send bytes as they are, a call or not."""
        await self._in_time(asyncio.to_thread(self._calls.write, line), f"it does not read {line[:80]!r}")

    async def answer(self) -> dict[str, Any]:
        """The next answer; raises RuleViolation when it is none."""
        line: bytes = await self._in_time(asyncio.to_thread(self._answers.readline), "no answer")
        require(line.endswith(b"\n"), f"no line for an answer but {line[-80:]!r}")
        try:
            answer = json.loads(line.decode())
        except ValueError:
            raise RuleViolation(f"an answer that is no JSON: {line[:80]!r}") from None
        require(
            isinstance(answer, dict) and ("result" in answer) != ("error" in answer),
            f"an answer that is neither a result nor an error: {line[:80]!r}",
        )
        if "error" in answer:
            error = answer["error"]
            require(
                isinstance(error, str) and error.strip() != "" and "\n" not in error,
                f"an error that is not one line: {error!r}",
            )
        return dict(answer)

    async def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        """Call a tool and return the answer."""
        await self.send(json.dumps({"tool": tool, **arguments}).encode() + b"\n")
        return await self.answer()

    async def result(self, tool: str, **arguments: object) -> Any:
        """Call a tool that is to do its work, and return the result."""
        answer = await self.call(tool, **arguments)
        require("result" in answer, f"{tool} of {_shown(arguments)}: {answer.get('error')}")
        return answer["result"]

    async def refused(self, tool: str, **arguments: object) -> None:
        """Call a tool that is to refuse."""
        answer = await self.call(tool, **arguments)
        require("error" in answer, f"{tool} of {_shown(arguments)} is not refused: {_shown(answer)}")

    async def bash(
        self, command: str, *, timeout_s: float = 10, output_limit_bytes: int = 65536, **fields: object
    ) -> Any:
        """Run a command line and return the result."""
        return await self.result(
            "bash",
            **{
                "command": command,
                "env": ENVIRONMENT,
                "timeout_s": timeout_s,
                "output_limit_bytes": output_limit_bytes,
                **fields,
            },
        )

    async def end(self) -> Finding:
        """Close its stdin and wait until it has ended."""
        self._calls.close()
        rest: bytes = await self._in_time(asyncio.to_thread(self._answers.read), "its stdout stays open")
        if rest:
            return Finding("tools.calls", False, f"more answers than calls: {rest[:80]!r}")
        if not await asyncio.to_thread(self._child.has_ended, WITHIN_S):
            return Finding("tools.calls", False, f"it goes on for {WITHIN_S:g} s after the end of stdin")
        status = self._child.reap()
        return Finding("tools.calls", status == 0, f"exit {status} at the end of stdin")

    async def _in_time(self, done: Any, problem: str) -> Any:
        try:
            return await asyncio.wait_for(done, WITHIN_S)
        except TimeoutError:
            self._child.signal(signal.SIGKILL)
            raise RuleViolation(f"{problem} within {WITHIN_S:g} s") from None
        except BrokenPipeError:
            raise RuleViolation(f"it has ended; {problem}") from None


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else text[:120] + "…"


@contextlib.asynccontextmanager
async def dispatching(stage: Stage, *, escapes: bool = False) -> AsyncIterator[Dispatcher]:
    """The `tools` command at work in a new folder of the stage, `workspace`.

    When the block is left, it has to end in order. `escapes` is as for `Stage.run`.
    """
    manifest = stage.manifest
    assert manifest.tools is not None, "the case does not say needs_tools"
    workspace = stage.folder / "workspace"
    workspace.mkdir()
    stage.notes.mkdir(exist_ok=True)
    calls_end, calls = os.pipe()
    answers, answers_end = os.pipe()
    with (
        no_survivors(),
        os.fdopen(calls_end, "rb") as stdin,
        os.fdopen(answers_end, "wb") as stdout,
        os.fdopen(calls, "wb", buffering=0) as to_it,
        os.fdopen(answers, "rb") as from_it,
        (stage.folder / "stderr").open("wb") as stderr,
        Child(
            [*manifest.command(manifest.tools), str(workspace)],
            cwd=manifest.folder,
            environment=inherited() | {"LLM_API_KEY": KEY},
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            has_one_thread=True,
        ) as child,
    ):
        stdin.close()
        stdout.close()
        watcher = Watcher(child, KEY)
        watching = asyncio.create_task(watcher.until_ended(3600))
        try:
            dispatcher = Dispatcher(workspace, child, to_it, from_it)
            yield dispatcher
            stage.findings.append(await dispatcher.end())
            survivors = await watcher.survivors()
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
    if not escapes:
        found = f"left behind: {survivors[0]}" if survivors else "none left"
        stage.findings.append(Finding("exit.processes", not survivors, found))
    found = "; ".join(watcher.key_in_process) or "not in any child"
    stage.findings.append(Finding("key.secret", not watcher.key_in_process, found))

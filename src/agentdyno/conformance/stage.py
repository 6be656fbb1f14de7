"""Starts a runtime as the harness does, against an endpoint that plays a part, and observes it."""

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agentdyno.conformance.endpoint import Accept, Answer, Endpoint, Exchange, every_connection, listening
from agentdyno.conformance.invariants import Finding, Observation, check_invariants
from agentdyno.conformance.rules import RuleViolation
from agentdyno.conformance.running import Act, Running, Watcher
from agentdyno.measure import proc
from agentdyno.process.child import Child
from agentdyno.process.orphans import no_survivors
from agentdyno.rundata import events as runtime_events
from agentdyno.runtimes.launch import RunFile, Verify, inherited
from agentdyno.runtimes.manifest import Manifest

KEY = "sk-conform-7f3a9c51e2"
"""What runtimes get as their API key, and what must not be found anywhere but in its header."""

WITHIN_S = 30.0
"""How long a scene may take unless the case says otherwise; a runtime that takes longer is killed."""

ACTING_S = 2.0
"""How long what is done to a runtime may go on after its end."""

PASSING = "print('1 passed in 0.00s')\n"
"""A module that, run by the stage's verifier, gets the verdict `passed`."""

FAILING = "print('1 failed in 0.00s')\nraise SystemExit(1)\n"
"""A module that gets the verdict `failed`."""

EXECUTE = f"""
{{ IFS= read -r first; IFS= read -r second; IFS= read -r third; }} <solution.py
case $first$second$third in
    {shlex.quote(PASSING.strip())}) echo '1 passed in 0.00s' ;;
    {shlex.quote(FAILING.strip().replace(chr(10), ""))}) echo '1 failed in 0.00s'; exit 1 ;;
    *) exec {shlex.quote(sys.executable)} -I -S -B solution.py ;;
esac
"""
"""Does what `solution.py` says.

Most replies only pass or fail, and a shell starts in a twentieth of the processor time of an interpreter.
"""

VERIFY = Verify(
    argv=["/bin/sh", "-c", EXECUTE],
    env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
    timeout_s=10,
    slots=2,
    output_limit_bytes=65536,
)
"""The stage's verifier: it executes the code of the reply, so that code decides what happens."""

PROMPTS = {
    "version": 1,
    "system": "You write Python. {not a placeholder}",
    "user": "{task_id}\n{prompt}\n{tests}",
    "tests_failed": "It printed:\n{output}\nTry again.",
    "timed_out": "It took too long. Try again.",
    "no_code": "There was no code. Try again.",
}


async def passing(exchange: Exchange) -> None:
    """Answer every request with code that passes."""
    await exchange.code(PASSING)


def task(task_id: str, prompt: str = "def f():\n", tests: str = "def test():\n    pass\n") -> dict[str, str]:
    """A task as a line of the tasks file."""
    return {"task_id": task_id, "prompt": prompt, "tests": tests, "entry_point": "f"}


class Stage:
    """Where one case is played: one runtime, a folder, and the findings of every run on it."""

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        self.manifest = manifest
        self.folder = folder
        self.notes = folder / "notes"
        """Where the code under verification may write what it finds."""
        self.findings: list[Finding] = []
        self.late_s = 0.0
        """How late this process has been at the worst, in seconds, while it looked at a runtime."""
        self._runs = 0

    async def run(
        self,
        answer: Answer = passing,
        *,
        tasks: Sequence[str | Mapping[str, object]] = ("task/1",),
        agents: int = 1,
        max_retries: int = 3,
        request: Mapping[str, object] | None = None,
        prompts: Mapping[str, object] = PROMPTS,
        verify: Mapping[str, object] | None = None,
        timeouts: Mapping[str, object] | None = None,
        transport: Mapping[str, object] | None = None,
        change: Callable[[dict[str, Any]], None] | None = None,
        spell: Callable[[str], bytes | None] = str.encode,
        key: str | None = KEY,
        workspaces: str = "workspaces",
        act: Act | None = None,
        accept: Accept = every_connection,
        read_after_s: float = 0.0,
        through: Sequence[str] = (),
        within_s: float = WITHIN_S,
        judged: bool = True,
        escapes: bool = False,
    ) -> Observation:
        """Play one run and return what was observed; raises RuleViolation when it does not end in time.

        `verify`, `timeouts` and `transport` replace single fields, `change` edits the run file just before it
        is written, `spell` makes the bytes of its text, or None where it is not to be there, `workspaces`
        names the workspaces folder. The default verifier executes `solution.py`, so the code in a reply
        decides what happens.
        Connections that `accept` refuses are broken, the others are read after `read_after_s` seconds.
        `through` is a command that the runtime's is appended to, and that execs it in other circumstances.
        `judged` is False where a run is not to be held to the invariants, for instance because
        it is killed; `escapes` where the code leaves the process group, beyond a runtime's reach.
        """
        self._runs += 1
        folder = self.folder / f"run-{self._runs}"
        (folder / workspaces).mkdir(parents=True)
        self.notes.mkdir(exist_ok=True)
        lines = [entry if isinstance(entry, Mapping) else task(entry) for entry in tasks]
        (folder / "tasks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (folder / "prompts.json").write_text(json.dumps(prompts))
        async with listening(answer, accept, read_after_s) as endpoint:
            document = RunFile(
                tasks_file=folder / "tasks.jsonl",
                prompts_file=folder / "prompts.json",
                base_url=endpoint.base_url,
                model="conform",
                request=request or {},
                agents=agents,
                max_retries=max_retries,
                verify=VERIFY,
                timeouts={"connect_s": 5, "event_idle_s": 10, "total_s": 20},
                transport={"max_retries": 3, "base_s": 0.01, "cap_s": 0.05},
                workspaces=folder / workspaces,
                events=folder / "events.jsonl",
            ).document()
            document["verify"].update(verify or {})
            document["timeouts"].update(timeouts or {})
            document["transport"].update(transport or {})
            if change is not None:
                change(document)
            spelled = spell(json.dumps(document))
            if spelled is not None:
                (folder / "run.json").write_bytes(spelled)
            command = [*self.manifest.command(self.manifest.run), str(folder / "run.json")]
            observed = await self._watched(
                through, command, folder, endpoint, document, key, act, within_s, folder / workspaces
            )
        if endpoint.failures:
            raise endpoint.failures[0]
        if judged:
            task_ids = [str(line.get("task_id")) for line in lines]
            findings = check_invariants(observed, key or KEY, task_ids, max_retries)
            self.findings += [found for found in findings if not (escapes and found.rule == "exit.processes")]
        return observed

    async def _watched(
        self,
        through: Sequence[str],
        command: Sequence[str],
        folder: Path,
        endpoint: Endpoint,
        document: dict[str, Any],
        key: str | None,
        act: Act | None,
        within_s: float,
        workspaces: Path,
    ) -> Observation:
        environment = inherited() | ({} if key is None else {"LLM_API_KEY": key})
        events = Path(str(document.get("events")))
        before = {process.pid for process in proc.children(os.getpid())}
        with (
            no_survivors(),
            (folder / "stderr").open("wb") as stderr,
            (folder / "stdout").open("wb") as stdout,
            Child(
                [*through, *command],
                cwd=self.manifest.folder,
                environment=environment,
                stdout=stdout,
                stderr=stderr,
                has_one_thread=True,
            ) as child,
        ):
            watcher = Watcher(child, key or KEY, command if through else (), before)
            running = Running(child, endpoint, events, workspaces)
            acting = asyncio.create_task(act(running)) if act is not None else None
            try:
                await watcher.until_ended(within_s, acting)
                t_ended = time.monotonic_ns()
                if acting is not None:
                    await _in_time(acting)
            finally:
                self.late_s = max(self.late_s, watcher.late_s)
                if acting is not None:
                    acting.cancel()
                if not child.has_ended(0):
                    child.signal(signal.SIGKILL)
                status = child.reap()
            survivors = await watcher.survivors()
            zombies = watcher.not_reaped()
        if watcher.too_long:
            raise RuleViolation(f"it had not ended after {within_s:g} s")
        return Observation(
            folder=folder,
            status=status,
            t_ended=t_ended,
            requests=endpoint.requests,
            connections=endpoint.connections,
            most_open=endpoint.most_open,
            wire_problems=endpoint.problems,
            event_file=events,
            events=_events_in(events),
            stderr=(folder / "stderr").read_bytes(),
            stdout=(folder / "stdout").read_bytes(),
            survivors=survivors,
            zombies=zombies,
            workspaces_left=_names_in(workspaces),
            peak_kib=watcher.peak_kib,
            key_in_process=watcher.key_in_process,
        )


def _events_in(file: Path) -> runtime_events.RunEvents:
    """The events of the file, none where it is missing."""
    return runtime_events.read(file) if file.is_file() else runtime_events.RunEvents()


def _names_in(folder: Path) -> list[str]:
    """What is in the folder, nothing where it is missing."""
    return sorted(os.listdir(folder)) if folder.is_dir() else []


async def _in_time(acting: asyncio.Task[None]) -> None:
    """What was to be done to the runtime cannot take much longer than the runtime."""
    try:
        await asyncio.wait_for(acting, ACTING_S)
    except TimeoutError:
        raise RuleViolation("it ended before what was to be done to it could be done") from None


@contextlib.contextmanager
def stage(manifest: Manifest) -> Iterator[Stage]:
    """A stage in a folder of its own, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="agentdyno-conform-")).resolve()
    try:
        yield Stage(manifest, folder)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a case's folder: it may hold folders that nobody may enter, and trees too deep for recursion."""
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*command, str(folder)], stderr=subprocess.DEVNULL, check=False)

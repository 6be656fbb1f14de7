"""Starts a runtime as the harness does, against an endpoint that plays a part, and looks on."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agentdyno.conformance.always import Finding, always
from agentdyno.conformance.endpoint import Accept, Answer, Endpoint, Exchange, every_connection, listening
from agentdyno.conformance.seen import Seen
from agentdyno.conformance.violation import Broken
from agentdyno.measure import proc
from agentdyno.process.child import Child, no_survivors
from agentdyno.project import CONTRACT_VERSION
from agentdyno.rundata import events as runtime_events
from agentdyno.runtimes.launch import inherited
from agentdyno.runtimes.manifest import Manifest

KEY = "sk-conform-7f3a9c51e2"
"""What runtimes get as their API key, and what must not be found anywhere but in its header."""

WITHIN_S = 30.0
"""How long a scene may take unless the case says otherwise; a runtime that takes longer is killed."""

ACTING_S = 2.0
"""How long what is done to a runtime may go on after its end."""

LOOK_S = 0.01
"""How often is looked."""

DYING_S = 1.0
"""How long a process that was killed may take to be gone."""

PASSING = "print('1 passed in 0.00s')\n"
"""A module that, run by the stage's verifier, gets the verdict `passed`."""

FAILING = "print('1 failed in 0.00s')\nraise SystemExit(1)\n"
"""A module that gets the verdict `failed`."""

PROMPTS = {
    "version": 1,
    "system": "You write Python. {not a placeholder}",
    "user": "{task_id}\n{prompt}\n{tests}",
    "tests_failed": "It printed:\n{output}\nTry again.",
    "timed_out": "It took too long. Try again.",
    "no_code": "There was no code. Try again.",
}

Act = Callable[["Running"], Coroutine[Any, Any, None]]
"""What is done to a runtime while it runs: signals, mostly."""


async def passing(exchange: Exchange) -> None:
    """Answer every request with code that passes."""
    await exchange.code(PASSING)


def task(task_id: str, prompt: str = "def f():\n", tests: str = "def test():\n    pass\n") -> dict[str, str]:
    """A task as a line of the tasks file."""
    return {"task_id": task_id, "prompt": prompt, "tests": tests, "entry_point": "f"}


class Running:
    """The runtime while it runs."""

    def __init__(self, child: Child, endpoint: Endpoint, events: Path, workspaces: Path) -> None:
        self.endpoint = endpoint
        self.pid = child.pid
        self.workspaces = workspaces
        self._child = child
        self._events = events

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the runtime's process."""
        self._child.signal(number)

    @property
    def has_ended(self) -> bool:
        """Whether the runtime's process has ended."""
        return self._child.has_ended(0)

    async def until(self, condition: Callable[[], object], what: str, within_s: float = 10.0) -> None:
        """Wait until the condition holds; raises Broken, with `what` was awaited, when it does not in
        time.
        """
        end = time.monotonic() + within_s
        while True:
            is_last = time.monotonic() > end or self.has_ended
            if condition():
                return
            if is_last:
                raise Broken(f"waited for {what} in vain")
            await asyncio.sleep(0.005)

    def events(self) -> list[dict[str, Any]]:
        """The whole event lines written so far; raises Broken when one is no JSON."""
        try:
            return [json.loads(line) for line in self._events.read_bytes().split(b"\n")[:-1]]
        except FileNotFoundError:
            return []
        except ValueError as error:
            raise Broken(f"an event line is no JSON: {error}") from None


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
        through: Sequence[str] = (),
        within_s: float = WITHIN_S,
        judged: bool = True,
        escapes: bool = False,
    ) -> Seen:
        """Play one run and return what was seen of it; raises Broken when it does not end in time.

        `verify`, `timeouts` and `transport` replace single fields, `change` edits the run file just before it
        is written, `spell` makes the bytes of its text, or None where it is not to be there, `workspaces`
        names the workspaces folder. The default verifier executes `solution.py`, so the code in a reply
        decides what happens.
        Connections that `accept` refuses are broken.
        `through` is a command that the runtime's is appended to, and that execs it in other circumstances.
        `judged` is False where a run is not to be held to the rules that hold always, for instance because
        it is killed; `escapes` where the code leaves the process group, beyond a runtime's reach.
        """
        self._runs += 1
        folder = self.folder / f"run-{self._runs}"
        (folder / workspaces).mkdir(parents=True)
        self.notes.mkdir(exist_ok=True)
        lines = [entry if isinstance(entry, Mapping) else task(entry) for entry in tasks]
        (folder / "tasks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (folder / "prompts.json").write_text(json.dumps(prompts))
        async with listening(answer, accept) as endpoint:
            document: dict[str, Any] = {
                "contract_version": CONTRACT_VERSION,
                "tasks_file": str(folder / "tasks.jsonl"),
                "prompts_file": str(folder / "prompts.json"),
                "base_url": endpoint.base_url,
                "model": "conform",
                "request": dict(request or {}),
                "agents": agents,
                "max_retries": max_retries,
                "verify": {
                    "argv": [sys.executable, "-I", "-S", "-B", "solution.py"],
                    "env": {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
                    "timeout_s": 10,
                    "slots": 2,
                    "output_limit_bytes": 65536,
                    **(verify or {}),
                },
                "timeouts": {"connect_s": 5, "event_idle_s": 10, "total_s": 20, **(timeouts or {})},
                "transport": {"max_retries": 3, "base_s": 0.01, "cap_s": 0.05, **(transport or {})},
                "workspaces": str(folder / workspaces),
                "events": str(folder / "events.jsonl"),
            }
            if change is not None:
                change(document)
            spelled = spell(json.dumps(document))
            if spelled is not None:
                (folder / "run.json").write_bytes(spelled)
            command = [*through, *self.manifest.command(self.manifest.run), str(folder / "run.json")]
            seen = await self._watched(
                command, folder, endpoint, document, key, act, within_s, folder / workspaces
            )
        if endpoint.failures:
            raise endpoint.failures[0]
        if judged:
            task_ids = [str(line.get("task_id")) for line in lines]
            findings = always(seen, key or KEY, task_ids, max_retries)
            self.findings += [found for found in findings if not (escapes and found.rule == "exit.processes")]
        return seen

    async def _watched(
        self,
        command: Sequence[str],
        folder: Path,
        endpoint: Endpoint,
        document: dict[str, Any],
        key: str | None,
        act: Act | None,
        within_s: float,
        workspaces: Path,
    ) -> Seen:
        environment = inherited() | ({} if key is None else {"LLM_API_KEY": key})
        events = Path(str(document.get("events")))
        with (
            no_survivors(),
            (folder / "stderr").open("wb") as stderr,
            (folder / "stdout").open("wb") as stdout,
            Child(
                command,
                cwd=self.manifest.folder,
                environment=environment,
                stdout=stdout,
                stderr=stderr,
            ) as child,
        ):
            look = Look(child, key or KEY)
            running = Running(child, endpoint, events, workspaces)
            acting = asyncio.create_task(act(running)) if act is not None else None
            try:
                await look.until_ended(within_s, acting)
                ended = time.monotonic_ns()
                if acting is not None:
                    await _in_time(acting)
            finally:
                self.late_s = max(self.late_s, look.late_s)
                if acting is not None:
                    acting.cancel()
                if not child.has_ended(0):
                    child.signal(signal.SIGKILL)
                status = child.reap()
            survivors = await look.survivors()
            zombies = look.not_reaped()
        if look.too_long:
            raise Broken(f"it had not ended after {within_s:g} s")
        return _seen(folder, status, ended, endpoint, events, workspaces, survivors, zombies, look)


def _seen(
    folder: Path,
    status: int,
    ended: int,
    endpoint: Endpoint,
    events: Path,
    workspaces: Path,
    survivors: list[str],
    zombies: int,
    look: "Look",
) -> Seen:
    return Seen(
        folder=folder,
        status=status,
        t_ended=ended,
        requests=endpoint.requests,
        connections=endpoint.connections,
        most_open=endpoint.most_open,
        wire_problems=endpoint.problems,
        event_file=events,
        events=runtime_events.read(events) if events.is_file() else runtime_events.RunEvents(),
        stderr=(folder / "stderr").read_bytes(),
        stdout=(folder / "stdout").read_bytes(),
        survivors=survivors,
        zombies=zombies,
        workspaces_left=sorted(os.listdir(workspaces)) if workspaces.is_dir() else [],
        peak_kib=look.peak_kib,
        key_in_process=look.key_in_process,
    )


async def _in_time(acting: "asyncio.Task[None]") -> None:
    """What was to be done to the runtime cannot take much longer than the runtime."""
    try:
        await asyncio.wait_for(acting, ACTING_S)
    except TimeoutError:
        raise Broken("it ended before what was to be done to it could be done") from None


class Look:
    """Looks at the runtime and its children every few milliseconds, and at what became of them.

    `late_s` is how late it was with that at the worst, and so was the endpoint, with which it shares a loop.
    """

    def __init__(self, child: Child, key: str) -> None:
        self._before = {process.pid for process in proc.children(os.getpid())}
        self._children: set[int] = set()
        self.peak_kib = 0
        self.late_s = 0.0
        self.too_long = False
        self.key_in_process: list[str] = []
        self._child = child
        self._key = key.encode()

    async def until_ended(self, within_s: float, acting: "asyncio.Task[None] | None" = None) -> None:
        """Wait for the end, unless what was to be done to the runtime could not be done."""
        end = time.monotonic() + within_s
        watched = proc.Watched(self._child.pid)
        due = time.monotonic()
        try:
            while not self._child.has_ended(0):
                self.late_s = max(self.late_s, time.monotonic() - due)
                due = time.monotonic() + LOOK_S
                looked = watched.look()
                if looked is not None:
                    self.peak_kib = max(self.peak_kib, looked[1].peak_kib)
                self._look_at_children()
                if acting is not None and acting.done() and acting.exception() is not None:
                    return
                if time.monotonic() > end:
                    self.too_long = True
                    return
                await asyncio.sleep(LOOK_S)
        finally:
            self.late_s = max(self.late_s, time.monotonic() - due)
            watched.close()

    async def survivors(self) -> list[str]:
        """The command lines of what outlived the runtime; one that has been killed is given time to die."""
        end = time.monotonic() + DYING_S
        while left := [process.pid for process in self._ours() if not process.is_zombie]:
            if time.monotonic() > end:
                return [_command(pid) for pid in left]
            await asyncio.sleep(LOOK_S)
        return []

    def not_reaped(self) -> int:
        """How many children of the runtime itself became ours as zombies.

        Zombies whose parent was somebody else are nobody's fault: they became ours when that parent died.
        """
        return sum(process.is_zombie and process.pid in self._children for process in self._ours())

    def _ours(self) -> list[proc.Process]:
        return [process for process in proc.children(os.getpid()) if process.pid not in self._before]

    def _look_at_children(self) -> None:
        for process in proc.children(self._child.pid):
            self._children.add(process.pid)
            with contextlib.suppress(OSError):
                command = _read(process.pid, "cmdline")
                # Until it executes something, a child shows what its parent shows.
                if command in (b"", _read(self._child.pid, "cmdline")):
                    continue
                if self._key in command:
                    self.key_in_process.append(f"arguments of {_command(process.pid)}")
                if self._key in _read(process.pid, "environ"):
                    self.key_in_process.append(f"environment of {_command(process.pid)}")


def _read(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
    return f"process {pid}"


@contextlib.contextmanager
def stage(manifest: Manifest) -> Iterator[Stage]:
    """A stage in a folder of its own, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="agentdyno-conform-")).resolve()
    try:
        yield Stage(manifest, folder)
    finally:
        # A case may leave folders that nobody may enter, links to anywhere, and trees too deep for recursion.
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*command, str(folder)], stderr=subprocess.DEVNULL, check=False)

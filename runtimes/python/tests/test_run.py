"""Whole runs, as the harness starts them: one process, a run file, and what is left when it has ended."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("starts_processes")

HERE = Path(__file__).parents[1]
PROMPTS = HERE.parent / "contract" / "prompts.json"
PASSES = ["sh", "-c", "echo '1 passed in 0.01s'"]
LOOPS = pytest.mark.parametrize("loop", [[], ["--uvloop"]], ids=["asyncio", "uvloop"])
STOPS = pytest.mark.parametrize(("stop", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
GOOD = "```python\ndef f():\n    return 1\n```"
BAD = "```python\ndef f():\n    return 2\n```"
Serve = Any
Event = dict[str, Any]


class Run:
    """A run file in a folder of its own, ready to be changed and started."""

    def __init__(self, folder: Path, base_url: str, tasks: int = 3) -> None:
        self.folder = folder
        self.file = folder / "run.json"
        self.events_file = folder / "events.jsonl"
        self.workspaces = folder / "workspaces"
        self.workspaces.mkdir()
        self.tasks_file = folder / "tasks.jsonl"
        lines = [
            {"task_id": f"T/{number}", "prompt": "def f():\n", "tests": TESTS, "entry_point": "f"}
            for number in range(tasks)
        ]
        self.tasks_file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.settings: dict[str, Any] = {
            "contract_version": 1,
            "tasks_file": str(self.tasks_file),
            "prompts_file": str(PROMPTS),
            "base_url": base_url,
            "model": "m",
            "request": {"temperature": 0.0},
            "agents": tasks,
            "max_retries": 3,
            "verify": {
                "argv": PASSES,
                "env": {"PATH": "/usr/bin:/bin"},
                "timeout_s": 60,
                "slots": 2,
                "output_limit_bytes": 65536,
            },
            "timeouts": {"connect_s": 10, "event_idle_s": 60, "total_s": 120},
            "transport": {"max_retries": 1, "base_s": 0.001, "cap_s": 0.001},
            "workspaces": str(self.workspaces),
            "events": str(self.events_file),
        }

    @contextlib.contextmanager
    def started(self, *options: str, **more: Any) -> Iterator["subprocess.Popen[str]"]:
        """Start the run; whatever happens, it has ended afterwards."""
        self.file.write_text(json.dumps(self.settings))
        with subprocess.Popen(
            [sys.executable, "-m", "agentloop", *options, str(self.file)],
            cwd=HERE,
            env={**os.environ, "LLM_API_KEY": "sk-secret"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def finish(self, *options: str, **more: Any) -> tuple[int, str]:
        """Run to the end; returns the exit status and stderr, stdout being empty."""
        with self.started(*options, **more) as process:
            return self.wait(process)

    def wait(self, process: "subprocess.Popen[str]") -> tuple[int, str]:
        stdout, stderr = process.communicate(timeout=30)
        assert stdout == ""
        return process.returncode, stderr

    def events(self, kind: str) -> list[Event]:
        events = [json.loads(line) for line in self.events_file.read_text().splitlines()]
        assert events[0]["event"] == "run_start"
        assert events[-1]["event"] == "run_end"
        assert "sk-secret" not in self.events_file.read_text()
        return [event for event in events if event["event"] == kind]

    def outcomes(self) -> dict[str, str]:
        tasks = self.events("task")
        assert max(Counter(task["task"] for task in tasks).values()) == 1
        return {task["task"]: task["outcome"] for task in tasks}


TESTS = "from solution import *\n\n\ndef test_f():\n    assert f() == 1\n"


@pytest.fixture
def run(tmp_path: Path, serve: Serve) -> Callable[..., Run]:
    def make(answer: Callable[[Any], None], tasks: int = 3) -> Run:
        return Run(tmp_path, serve(answer).url, tasks)

    return make


@LOOPS
def test_real_tests_pass_fail_and_pass_again(tmp_path: Path, serve: Serve, loop: list[str]) -> None:
    """One task passes at once, one after its feedback, one never."""

    def answer(exchange: Any) -> None:
        messages = json.loads(exchange.body)["messages"]
        task = messages[1]["content"].split()[1]
        attempt = len(messages) // 2
        passes = task == "T/0" or (task == "T/1" and attempt == 3)
        exchange.reply("No code yet." if attempt == 2 else GOOD if passes else BAD)

    endpoint = serve(answer)
    run = Run(tmp_path, endpoint.url)
    run.settings["verify"]["argv"] = [sys.executable, "-B", "-m", "pytest", "-q"]
    run.settings["verify"]["env"]["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    assert run.finish(*loop) == (0, "")
    assert run.outcomes() == {"T/0": "passed", "T/1": "passed", "T/2": "failed"}
    verdicts: dict[str, list[str]] = {}
    for attempt in run.events("attempt"):
        verdicts.setdefault(attempt["task"], []).append(attempt["verdict"])
    assert verdicts == {
        "T/0": ["passed"],
        "T/1": ["failed", "no_code", "passed"],
        "T/2": ["failed", "no_code", "failed", "failed"],
    }
    last = max((body["messages"] for body in endpoint.bodies()), key=len)
    assert [message["role"] for message in last] == ["system", "user"] + ["assistant", "user"] * 3
    assert last[2]["content"] == BAD
    feedback = last[3]["content"]
    assert "test_solution.py:5: AssertionError" in feedback
    assert "1 failed\n```" in feedback
    assert str(run.workspaces) not in feedback
    assert last[7]["content"] == feedback
    assert os.listdir(run.workspaces) == []


@LOOPS
def test_stamps_are_in_order_and_of_the_one_clock(run: Any, loop: list[str]) -> None:
    made = run(lambda exchange: exchange.reply(GOOD), tasks=5)
    made.settings["agents"] = 2
    assert made.finish(*loop) == (0, "")
    (start,), (end,) = made.events("run_start"), made.events("run_end")
    assert start["contract_version"] == 1
    names = [
        "t_begin",
        "t_request",
        "t_first",
        "t_last",
        "t_queue",
        "t_spawn",
        "t_started",
        "t_exit",
        "t_end",
    ]
    attempts = made.events("attempt")
    assert len(attempts) == 5
    for attempt in attempts:
        stamps = [start["t"], *(attempt[name] for name in names), end["t"]]
        assert stamps == sorted(stamps)
        assert attempt["exit_code"] == 0
        assert attempt["timed_out"] is False


def test_agents_are_at_work_together(tmp_path: Path, serve: Serve) -> None:
    """Nobody is answered before all have asked."""
    everybody = threading.Barrier(30)

    def answer(exchange: Any) -> None:
        everybody.wait(20)
        exchange.reply(GOOD)

    run = Run(tmp_path, serve(answer).url, tasks=60)
    run.settings["agents"] = 30
    assert run.finish() == (0, "")
    assert set(run.outcomes().values()) == {"passed"}


def give_starts(run: Run, *starts: int) -> None:
    """Give the tasks their `start_after_ns`."""
    lines = run.tasks_file.read_text().splitlines()
    tasks = [{**json.loads(line), "start_after_ns": start} for line, start in zip(lines, starts, strict=True)]
    run.tasks_file.write_text("".join(json.dumps(task) + "\n" for task in tasks))


@LOOPS
@pytest.mark.parametrize("agents", [1, 4])
def test_no_task_begins_before_its_start(run: Any, loop: list[str], agents: int) -> None:
    starts = [0, 100_000_123, 200_000_456, 200_000_456]
    made = run(lambda exchange: exchange.reply(GOOD), tasks=4)
    give_starts(made, *starts)
    made.settings["agents"] = agents
    assert made.finish(*loop) == (0, "")
    (run_start,) = made.events("run_start")
    begun = {attempt["task"]: attempt["t_begin"] - run_start["t"] for attempt in made.events("attempt")}
    assert len(begun) == 4
    for number, start in enumerate(starts):
        assert begun[f"T/{number}"] >= start


@LOOPS
@STOPS
def test_stopped_before_a_start(
    tmp_path: Path, serve: Serve, loop: list[str], stop: int, status: int
) -> None:
    """One task is under way, two are taken and wait for their start, one is not taken."""
    endpoint = serve(lambda exchange: exchange.hang())
    run = Run(tmp_path, endpoint.url, tasks=4)
    give_starts(run, 0, 3600 * 10**9, 2**63 - 1, 2**63 - 1)
    run.settings["agents"] = 3
    with run.started(*loop) as process:
        assert endpoint.arrived.acquire(timeout=20)
        process.send_signal(stop)
        assert run.wait(process) == (status, "")
    tasks = {task["task"]: (task["outcome"], task["reason"], task["attempts"]) for task in run.events("task")}
    assert tasks == {f"T/{number}": ("error", "interrupted", int(number == 0)) for number in range(4)}
    assert [attempt["task"] for attempt in run.events("attempt")] == ["T/0"]
    assert endpoint.connections == 1


def test_more_agents_than_tasks(run: Any) -> None:
    made = run(lambda exchange: exchange.reply(GOOD), tasks=2)
    made.settings["agents"] = 10**30
    assert made.finish() == (0, "")
    assert made.outcomes() == {"T/0": "passed", "T/1": "passed"}


def test_what_was_inherited_is_not_passed_on(run: Any, tmp_path: Path) -> None:
    made = run(lambda exchange: exchange.reply(GOOD), tasks=1)
    descriptors = tmp_path / "descriptors"
    made.settings["verify"]["argv"] = ["sh", "-c", f"ls /proc/$$/fd > {descriptors}; {PASSES[2]}"]
    number = os.dup2(0, 77)
    try:
        assert made.finish(pass_fds=[number]) == (0, "")
    finally:
        os.close(number)
    found = descriptors.read_text().split()
    assert "2" in found
    assert "77" not in found


def test_completion_that_cannot_be_had_is_an_error_of_its_task(run: Any) -> None:
    def answer(exchange: Any) -> None:
        if b"T/1" in exchange.body:
            exchange.refuse(401, body=b"bad key sk-secret")
        else:
            exchange.reply(GOOD)

    made = run(answer)
    assert made.finish() == (0, "")
    assert made.outcomes() == {"T/0": "passed", "T/1": "error", "T/2": "passed"}
    (task,) = (task for task in made.events("task") if task["task"] == "T/1")
    assert (task["attempts"], task["reason"]) == (1, "the endpoint answered 401: bad key ***")
    (attempt,) = (attempt for attempt in made.events("attempt") if attempt["task"] == "T/1")
    assert (attempt["verdict"], attempt["completion_sha256"], attempt["t_first"]) == ("error", None, None)
    assert attempt["reason"] == task["reason"]


@pytest.mark.parametrize(
    "value", [r'"\ud800"', "1e999", "NaN", "[" * 600 + "]" * 600], ids=["surrogate", "1e999", "NaN", "deep"]
)
def test_what_the_endpoint_reports_never_ends_the_run(run: Any, value: str) -> None:
    """Neither a usage nor an error that is hard to write down as JSON."""

    def answer(exchange: Any) -> None:
        exchange.begin()
        if b"T/1" in exchange.body:
            exchange.chunk(f'data: {{"error":{{"message":{value}}}}}\n\n'.encode())
        else:
            exchange.event(GOOD, "stop")
            exchange.chunk(f'data: {{"usage":{{"x":{value}}}}}\n\n'.encode())
        exchange.end()

    made = run(answer)
    assert made.finish() == (0, "")
    assert made.outcomes() == {"T/0": "passed", "T/1": "error", "T/2": "passed"}
    for line in made.events_file.read_text().splitlines():
        json.loads(line, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))


def test_timeout_is_told_to_the_model(tmp_path: Path, serve: Serve) -> None:
    endpoint = serve(lambda exchange: exchange.reply(GOOD))
    run = Run(tmp_path, endpoint.url, tasks=1)
    run.settings["verify"].update(argv=["sleep", "1000"], timeout_s=0.1)
    run.settings["max_retries"] = 1
    assert run.finish() == (0, "")
    assert [attempt["verdict"] for attempt in run.events("attempt")] == ["timed_out"] * 2
    assert [(a["exit_code"], a["signal"], a["timed_out"]) for a in run.events("attempt")] == [
        (None, 9, True)
    ] * 2
    second = endpoint.bodies()[1]["messages"]
    assert second[-1]["content"] == json.loads(PROMPTS.read_text())["timed_out"]


def test_children_have_the_given_environment_and_no_key(run: Any) -> None:
    made = run(lambda exchange: exchange.reply(GOOD), tasks=1)
    script = "env > ../environment; echo '1 passed in 0.01s'"
    made.settings["verify"]["argv"] = ["sh", "-c", script]
    assert made.finish() == (0, "")
    environment = (made.workspaces / "environment").read_text()
    assert "PATH=/usr/bin:/bin\n" in environment
    assert "LLM_API_KEY" not in environment
    assert "sk-secret" not in environment


@LOOPS
@STOPS
def test_stopped_in_the_stream(tmp_path: Path, serve: Serve, loop: list[str], stop: int, status: int) -> None:
    def answer(exchange: Any) -> None:
        exchange.begin()
        exchange.event("some")
        exchange.hang()

    endpoint = serve(answer)
    run = Run(tmp_path, endpoint.url, tasks=6)
    run.settings["agents"] = 2
    with run.started(*loop) as process:
        assert endpoint.arrived.acquire(timeout=20)
        assert endpoint.arrived.acquire(timeout=20)
        process.send_signal(stop)
        assert run.wait(process) == (status, "")
    assert run.outcomes() == {f"T/{number}": "error" for number in range(6)}
    assert [(t["reason"], t["attempts"]) for t in run.events("task")] == [("interrupted", 1)] * 2 + [
        ("interrupted", 0)
    ] * 4
    assert [(a["verdict"], a["reason"]) for a in run.events("attempt")] == [
        ("interrupted", "interrupted")
    ] * 2


SIGNALLED = """
import os, runpy, sys, weakref
place, stop = sys.argv.pop(), int(sys.argv.pop())
def signal_at(event, arguments):
    if event in ("import", "open") and str(arguments[0]).endswith(place):
        gone = type("Gone", (), {})()
        reference = weakref.ref(gone, lambda _: os.kill(os.getpid(), stop))
        del gone
sys.addaudithook(signal_at)
runpy.run_module("agentloop", run_name="__main__", alter_sys=True)
"""


def signalled(run: Run, place: str, stop: int) -> tuple[int, str]:
    """Start a run that gets a signal when it imports or opens what is called `place`.

    It comes in a callback of a weak reference. The import machinery has such callbacks, and CPython drops
    what is raised in them.
    """
    run.file.write_text(json.dumps(run.settings))
    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED, str(run.file), str(int(stop)), place],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@STOPS
def test_stopped_while_it_is_loaded(run: Any, stop: int, status: int) -> None:
    made = run(lambda exchange: exchange.reply(GOOD))
    for place in "agentloop.fields", "asyncio", "tasks.jsonl":
        assert signalled(made, place, stop) == (status, "")
        assert not made.events_file.exists()


def test_stopped_before_there_are_handlers(run: Any) -> None:
    made = run(lambda exchange: exchange.reply(GOOD))
    made.file.write_text(json.dumps(made.settings))
    manifest = tomllib.loads((HERE / "runtime.toml").read_text())
    block, program = manifest["run"][:2], [sys.executable, *manifest["run"][3:]]
    pending = [*block, "sh", "-c", 'kill -INT $$; exec "$@"', "sh", *program, str(made.file)]
    done = subprocess.run(pending, cwd=HERE, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert not made.events_file.exists()


@STOPS
def test_stopped_while_the_event_file_is_made(run: Any, stop: int, status: int) -> None:
    made = run(lambda exchange: exchange.reply(GOOD))
    assert signalled(made, "events.jsonl", stop) == (status, "")
    assert made.outcomes() == {"T/0": "error", "T/1": "error", "T/2": "error"}


@LOOPS
@STOPS
def test_stopped_in_the_verification(run: Any, loop: list[str], stop: int, status: int) -> None:
    made = run(lambda exchange: exchange.reply(GOOD), tasks=3)
    pipe = made.folder / "pids"
    os.mkfifo(pipe)
    made.settings["verify"]["argv"] = ["sh", "-c", f"trap '' TERM INT; echo $$ > {pipe}; sleep 1000"]
    with open(os.open(pipe, os.O_RDWR)) as lines, made.started(*loop) as process:
        pids = [int(lines.readline()) for _ in range(2)]
        while process.poll() is None:  # again and again, to its very end
            process.send_signal(stop)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.005)
        assert made.wait(process) == (status, "")
    assert made.outcomes() == {"T/0": "error", "T/1": "error", "T/2": "error"}
    attempts = made.events("attempt")
    assert [(a["verdict"], a["reason"]) for a in attempts] == [("interrupted", "interrupted")] * 3
    assert os.listdir(made.workspaces) == []
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_event_file_that_is_full(run: Any) -> None:
    """The file may not grow beyond 2,000 bytes, which stands for a disk that is full."""
    made = run(lambda exchange: exchange.reply(GOOD), tasks=20)
    made.settings["agents"] = 4
    limit = (2000, 2000)
    status, stderr = made.finish(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert (status, stderr) == (1, f"agentloop: {made.events_file}: cannot be written (File too large)\n")
    assert os.listdir(made.workspaces) == []


def test_solution_larger_than_a_file_may_be(run: Any) -> None:
    """It is an error of its task alone; the one after it passes."""
    large = f"```python\n# {'x' * 5000}\n```"
    made = run(lambda exchange: exchange.reply(large if b"T/0" in exchange.body else GOOD), tasks=2)
    made.settings["agents"] = 1
    limit = (4000, 4000)
    assert made.finish(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)) == (0, "")
    assert [(attempt["task"], attempt["verdict"]) for attempt in made.events("attempt")] == [
        ("T/0", "error"),
        ("T/1", "passed"),
    ]
    reasons = {task["task"]: task["reason"] for task in made.events("task")}
    assert reasons == {"T/0": "[Errno 27] File too large", "T/1": None}
    assert os.listdir(made.workspaces) == []


def test_workspace_exchanged_for_a_link_is_judged_and_gone(run: Any) -> None:
    made = run(lambda exchange: exchange.reply(GOOD), tasks=1)
    outside = made.folder / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    exchange = (
        f"cd ..; for own in attempt-*; do rm -r $own; ln -s {outside} $own; done; echo '1 passed in 0.01s'"
    )
    made.settings["verify"]["argv"] = ["sh", "-c", exchange]
    assert made.finish() == (0, "")
    assert made.outcomes() == {"T/0": "passed"}
    assert os.listdir(made.workspaces) == []
    assert (outside / "precious").exists()


def test_workspaces_that_vanish_are_errors_of_their_tasks(run: Any) -> None:
    def answer(exchange: Any) -> None:
        if made.workspaces.exists():
            made.workspaces.rmdir()
        exchange.reply(GOOD)

    made = run(answer, tasks=1)
    assert made.finish() == (0, "")
    (task,) = made.events("task")
    assert task["outcome"] == "error"
    assert task["reason"].startswith("[Errno 2] No such file or directory: ")


def test_unusable_is_2_where_nobody_reads_stderr(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as stderr:
        command = [sys.executable, "-m", "agentloop", "missing"]
        ended = subprocess.run(command, cwd=HERE, stderr=stderr, check=False)
    assert ended.returncode == 2


def test_usage(tmp_path: Path) -> None:
    for arguments, count in ([], 0), (["a", "b"], 2):
        done = subprocess.run(
            [sys.executable, "-m", "agentloop", *arguments],
            cwd=HERE,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert done.stderr == (
            f"agentloop: {count} run files are given and one is needed; "
            "usage: python -m agentloop [--uvloop] run.json, or python -m agentloop tools FOLDER\n"
        )


WITHOUT_SSL = """
import sys
from agentloop.__main__ import load_asyncio
from agentloop.run_file import load_run_file
load_asyncio(load_run_file(sys.argv[1]), False)
import agentloop.run
print("ssl" in sys.modules)
"""


def test_asyncio_comes_without_ssl_for_http_only(run: Any) -> None:
    made = run(lambda exchange: None)
    for scheme, loaded in ("http", "False"), ("https", "True"):
        made.settings["base_url"] = f"{scheme}://localhost/v1"
        made.file.write_text(json.dumps(made.settings))
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_SSL, str(made.file)],
            cwd=HERE,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{loaded}\n"

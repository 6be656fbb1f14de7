"""How much memory and time the analysis of a run takes: `.venv/bin/python benchmarks/analysis_memory.py`.

Writes the files of two runs, of 2,000 and of 20,000 tasks, with the shapes that a real run has: the built-in
tasks, 1.27 attempts a task, 226 chunks a reply, a look of the sampler every 15 ms. Then one process does what
the harness does after a run, and another one what `agentdyno verify` does. Prints how much more VmHWM and
processor time the larger run took, per task.
"""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from agentdyno import __version__
from agentdyno.cli import main as agentdyno
from agentdyno.project import PROMPTS
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.raw_run import read
from agentdyno.runner.prepare import Prepared, prepare
from agentdyno.runner.results_writer import ResultsWriter
from agentdyno.runner.settings import Settings
from agentdyno.tasks.first_request import first_request_sha256, read_prompts
from agentdyno.tasks.load import load, repeat, write
from agentdyno.tasks.plan import plan
from agentdyno.tasks.task import Task

FEW, MANY = 2_000, 20_000
AGENTS, CHUNKS = 100, 226
TTFT_MS, ITL_MS, QUEUE_MS, VERIFY_MS, OWN_MS = 200, 10, 300, 400, 2
"""An attempt takes 3.2 s, so 100 agents end about 25 tasks a second, as runs with pytest on two cores do."""
SEED = 0
RUN_FILE: dict[str, Any] = {
    "max_retries": 3,
    "base_url": "http://127.0.0.1:1/v1",
    "model": "m",
    "request": {},
    "verify": {"slots": 2, "argv": ["/receipt", "socket", "python3", "-B", "-m", "pytest", "-q"]},
}
SAMPLED_MS = 15
MS = 1_000_000
RUNTIME = "python"


def prepared_in(folder: Path, tasks: int) -> Prepared:
    """An experiment of one runtime in `folder`."""
    settings = Settings(
        runtimes=(RUNTIME,), agents=(AGENTS,), limit=tasks, verifiers=("cold",), verify_slots=2, controls=()
    )
    return prepare(settings, lambda: folder)


def run_folder(folder: Path) -> tuple[Path, Cell]:
    """Where the run lies, and of what it is a run."""
    cell = Cell(RUNTIME, AGENTS, "cold", "chat-7b")
    return folder / "runs" / f"001-{cell.label}", cell


def write_run(folder: Path, tasks: int) -> None:
    """Write the files of a run of so many tasks, as the harness, a runtime and the endpoint leave them."""
    run, _ = run_folder(folder)
    run.mkdir(parents=True)
    tasks_file = folder / "tasks" / f"{tasks}.jsonl"
    tasks_file.parent.mkdir()
    work = repeat(load("builtin", None), tasks)
    write(tasks_file, work, references=False, starts=None)
    shutil.copy(PROMPTS, tasks_file.parent)
    shared = {"tasks_file": str(tasks_file), "prompts_file": str(tasks_file.parent / PROMPTS.name)}
    (run / "run.json").write_text(json.dumps(RUN_FILE | shared))
    prompts = read_prompts(PROMPTS)
    plans = plan([task.task_id for task in work], SEED)
    random = Random(0)
    free = [0] * AGENTS
    last = 0
    files = {name: (run / f"{name}.jsonl").open("w") for name in ("events", "journal", "receipts")}
    with files["events"] as events, files["journal"] as journal, files["receipts"]:
        _print(events, {"event": "run_start", "t": 0, "contract_version": 1, "pid": 1})
        _print(journal, {"kind": "start", "t": 0, "seed": SEED, "cpu_s": 0.2})
        for number, task in enumerate(work):
            agent = number % AGENTS
            planned = plans[task.task_id]
            attempts = min(1 + len(planned.failures), 1 + RUN_FILE["max_retries"])
            for attempt in range(1, attempts + 1):
                passes = planned.failure(attempt) is None
                asked = first_request_sha256(prompts, task, RUN_FILE["model"], {}) if attempt == 1 else None
                its = _attempt(random, task, attempt, free[agent], passes, asked)
                for name, line in zip(("journal", "receipts", "events"), its, strict=True):
                    _print(files[name], line)
                free[agent] = line["t_end"]
            last = max(last, free[agent])
            outcome = {"outcome": "passed" if passes else "failed", "attempts": attempts, "reason": None}
            _print(events, {"event": "task", "task": task.task_id, "t": free[agent]} | outcome)
        _print(events, {"event": "run_end", "t": last})
        _print(journal, {"kind": "end", "t": last, "cpu_s": last / 1e9 / 10})
    with (run / "samples.jsonl").open("w") as samples:
        for number, t in enumerate(range(0, last, SAMPLED_MS * MS)):
            _print(samples, _sample(number, t))
    (run / "outcome.json").write_text(json.dumps(_outcome(last)))


def _attempt(
    random: Random, task: Task, attempt: int, begin: int, passes: bool, asked: str | None
) -> Iterator[dict[str, Any]]:
    """The endpoint's line, the receipt, and the runtime's event; `asked` is the hash of a first request."""
    late = [min(int(random.expovariate(1 / 600)), 9_000) for _ in range(CHUNKS)]
    due = [(TTFT_MS + ITL_MS * chunk) * 1000 for chunk in range(CHUNKS)]
    arrive = begin + OWN_MS * MS
    finish = arrive + (due[-1] + late[-1]) * 1000
    spawn = finish + QUEUE_MS * MS
    request, reply, solution = (
        sha256(f"{task.task_id} {attempt} {what}".encode()).hexdigest()
        for what in ("request", "reply", "code")
    )
    shared = {"task": task.task_id, "attempt": attempt}
    shared |= {"request_sha256": asked or request, "completion_sha256": reply}
    yield shared | {
        "kind": "request",
        "id": 1,
        "t_arrive": arrive,
        "t_first": arrive + (due[0] + late[0]) * 1000,
        "t_finish": finish,
        "t_last": finish,
        "t_gone": None,
        "stream": True,
        "status": 200,
        "error": None,
        "finish": "stop",
        "served": True,
        "solution_sha256": solution,
        "prompt_tokens": 400,
        "completion_tokens": CHUNKS,
        "in_flight": AGENTS,
        "due_us": due,
        "late_us": late,
    }
    yield {
        "pid": random.randrange(1, 1 << 22),
        "problem": None,
        "by_attempt": False,
        "t_start": spawn + 2 * MS,
        "solution_sha256": solution,
        "tests_sha256": sha256(task.tests.encode()).hexdigest(),
        "others": 0,
        "t_end": spawn + (VERIFY_MS - 1) * MS,
        "exit_code": 0 if passes else 1,
        "signal": None,
        "cpu_us": random.randrange(200_000, 300_000),
        "t_closed": spawn + VERIFY_MS * MS,
    }
    yield shared | {
        "event": "attempt",
        "t_begin": begin,
        "t_request": arrive - MS // 10,
        "t_first": arrive + TTFT_MS * MS,
        "t_last": finish + MS // 10,
        "t_queue": finish + MS,
        "t_spawn": spawn,
        "t_started": spawn + MS,
        "t_exit": spawn + VERIFY_MS * MS,
        "t_end": spawn + (VERIFY_MS + OWN_MS) * MS + random.randrange(MS),
        "transport_retries": 0,
        "transport_ns": 0,
        "usage": {
            "prompt_tokens": 400,
            "completion_tokens": CHUNKS,
            "total_tokens": random.randrange(400, 1200),
        },
        "exit_code": 0 if passes else 1,
        "signal": None,
        "timed_out": False,
        "verdict": "passed" if passes else "failed",
        "reason": None,
    }


def _sample(number: int, t: int) -> dict[str, Any]:
    tree = number % 10 == 0
    return {
        "t": t,
        "peak_rss_kib": 20_000 + number // 100,
        "rss_kib": 20_000 + number % 500,
        "cpu_s": round(t / 1e9 / 20, 6),
        "threads": 1,
        "tree_pss_kib": 60_000 + number % 900 if tree else None,
        "tree_processes": 3 if tree else None,
        "tools_pss_kib": 40_000 + number % 700 if tree else None,
        "endpoint_cpu_s": round(t / 1e9 / 10, 6),
    }


def _outcome(last: int) -> dict[str, Any]:
    counts = dict.fromkeys(("survivors", "workspaces_left", "swapped_pages", "endpoint_niceness"), 0)
    unknown = ("problem", "last_stderr_line", "cgroup_peak_kib", "cgroup_method", "thermal_throttles")
    return (
        counts
        | dict.fromkeys(unknown)
        | {"exit_code": 0, "t_executed": -30 * MS, "own_cpu_s": last / 1e9 / 20, "tools_cpu_s": last / 1e9}
        | {"harness_cpu_s": 5.0, "sampler_cpu_s": 1.0, "steal_share": 0.0, "throttled_s": 0.0, "cores": 2}
        | {"interrupted": False, "epoch_ns": 0, "agentdyno": __version__}
    )


def _print(file: Any, line: dict[str, Any]) -> None:
    file.write(json.dumps(line) + "\n")


def after_a_run(folder: Path) -> None:
    """What the harness does after a run: read it, analyse it, and write all results."""
    run, cell = run_folder(folder)
    results = ResultsWriter(prepared_in(folder, FEW), [cell], lambda run: None)
    results.add(read(run, cell, 1))
    results.write(complete=True)


def verify(folder: Path) -> None:
    """`agentdyno verify`."""
    with contextlib.redirect_stdout(sys.stderr):
        if agentdyno(["verify", str(folder)]):
            raise SystemExit("the results of the benchmark do not verify")


STEPS = {"after a run": after_a_run, "verify": verify}


def measure(step: str, folder: Path) -> tuple[int, float]:
    """VmHWM in KiB and the time in seconds of a process that takes this step."""
    done = subprocess.run([sys.executable, __file__, step, str(folder)], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{step} of {folder.name} failed")
    kib, seconds = done.stdout.split()
    return int(kib), float(seconds)


def main() -> None:
    """Write both runs, and measure both steps with either."""
    with tempfile.TemporaryDirectory(prefix="agentdyno-analysis-") as name:
        folders = {tasks: Path(name) / str(tasks) for tasks in (FEW, MANY)}
        for tasks, folder in folders.items():
            write_run(folder, tasks)
        print(f"agentdyno {__version__}, {CHUNKS} chunks a reply")
        for step in STEPS:
            (few_kib, few_s), (many_kib, many_s) = (measure(step, folder) for folder in folders.values())
            print(
                f"{step}: VmHWM {few_kib / 1024:.0f} MiB with {FEW:,} tasks, {many_kib / 1024:.0f} MiB with "
                f"{MANY:,}: {(many_kib - few_kib) / (MANY - FEW):.2f} KiB and "
                f"{(many_s - few_s) / (MANY - FEW) * 1e3:.2f} ms a task"
            )


def _take(step: str, folder: Path) -> None:
    begun = time.process_time()
    STEPS[step](folder)
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert peak is not None
    print(peak[1], time.process_time() - begun)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _take(sys.argv[1], Path(sys.argv[2]))
    else:
        main()

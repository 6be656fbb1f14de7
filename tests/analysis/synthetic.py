"""A synthetic run, the figures of which can be checked by hand."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agentdyno.rundata.cell import Cell
from agentdyno.rundata.events import PHASES
from agentdyno.rundata.raw_run import RawRun, RunOutcome, read
from agentdyno.tasks.first_request import Prompts, first_request_sha256
from agentdyno.tasks.plan import plan
from agentdyno.tasks.task import Task

MS = 1_000_000
CELL = Cell("python", 20, "cold", "chat-7b")
NAMES = tuple("abcdefghijklmnopqrst")
OUTCOME = RunOutcome(
    exit_code=0,
    problem=None,
    last_stderr_line=None,
    t_executed=-30 * MS,
    own_cpu_s=0.5,
    tools_cpu_s=1.0,
    survivors=0,
    workspaces_left=0,
    harness_cpu_s=0.05,
    sampler_cpu_s=0.01,
    cgroup_peak_kib=5120,
    cgroup_method="memory.peak",
    steal_share=0.0,
    throttled_s=0.0,
    thermal_throttles=None,
    swapped_pages=0,
    endpoint_niceness=0,
    cores=2,
    interrupted=False,
    agentdyno="0.2.0",
)

SAMPLE = {
    "rss_kib": 0,
    "peak_rss_kib": 0,
    "tree_pss_kib": None,
    "tree_processes": None,
    "tools_pss_kib": None,
    "threads": 1,
    "cpu_s": 0.0,
    "endpoint_cpu_s": None,
}
"""What a line of the sampler says unless a test has it say otherwise."""

RUN_FILE: dict[str, Any] = {
    "max_retries": 3,
    "base_url": "http://127.0.0.1:8000/v1",
    "model": "agentdyno-sim",
    "request": {},
}

TASK = {"prompt": "def it():\n", "tests": "assert it()\n", "entry_point": "it"}
"""What the line of a task says besides its id."""

PROMPTS = Prompts(user="Complete {task_id}: {prompt}", system="You are a programmer.")

Change = Callable[[dict[str, Any]], object]


def request_sha256(name: str, number: int) -> str:
    """The hash of a request: of a first one as the contract lays it down, of another as it happens to be."""
    if number > 1:
        return f"{name}-{number}"
    return first_request_sha256(PROMPTS, Task(name, **TASK), RUN_FILE["model"], RUN_FILE["request"])


def attempt(task: str, number: int = 1, verdict: str = "passed", begin_ms: int = 0) -> dict[str, Any]:
    """An attempt of 100 ms: 60 model, 10 queue, 20 verify, so 10 overhead."""
    at = [(begin_ms + offset) * MS for offset in (0, 2, 30, 65, 67, 77, 78, 98, 100)]
    return {
        "event": "attempt",
        "task": task,
        "attempt": number,
        **dict(zip(PHASES, at, strict=True)),
        "transport_retries": 0,
        "transport_ns": 0,
        "request_sha256": request_sha256(task, number),
        "completion_sha256": "said",
        "usage": None,
        "exit_code": 0 if verdict == "passed" else 1,
        "signal": None,
        "timed_out": False,
        "verdict": verdict,
        "reason": None,
    }


def task(name: str, outcome: str = "passed", attempts: int = 1, t_ms: int = 100) -> dict[str, Any]:
    return {
        "event": "task",
        "task": name,
        "t": t_ms * MS,
        "outcome": outcome,
        "attempts": attempts,
        "reason": None,
    }


def request(name: str, number: int = 1, arrive_ms: int = 3, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "request",
        "task": name,
        "attempt": number,
        "t_arrive": arrive_ms * MS,
        "t_last": (arrive_ms + 60) * MS,
        "status": 200,
        "finish": "stop",
        "request_sha256": request_sha256(name, number),
        "in_flight": 20,
        "late_us": [500] * 100,
    } | changes


def sample(t: int, peak_rss_kib: int, **changes: Any) -> dict[str, Any]:
    """A line of the sampler's, which saw the runtime alone."""
    return {
        "t": t,
        "peak_rss_kib": peak_rss_kib,
        "rss_kib": peak_rss_kib,
        "cpu_s": 0.0,
        "threads": 1,
        "tree_pss_kib": None,
        "tree_processes": None,
        "tools_pss_kib": None,
        "endpoint_cpu_s": None,
    } | changes


def good_run(names: tuple[str, ...] = NAMES) -> dict[str, Any]:
    """A task of each name, all at once: `b` passes at its second attempt, the others at their first."""
    at_once = [name for name in names if name != "b"]
    return {
        "tasks": dict.fromkeys(names),
        "events": [
            {"event": "run_start", "t": 0, "contract_version": 1, "pid": 1},
            attempt("b", 1, "failed"),
            attempt("b", 2, "passed", 100),
            task("b", "passed", 2, 200),
            *(event for name in at_once for event in (attempt(name), task(name))),
            {"event": "run_end", "t": 200 * MS},
        ],
        "journal": [
            {"kind": "start", "cpu_s": 0.02},
            request("b"),
            request("b", 2, 103),
            *map(request, at_once),
            {"kind": "end", "cpu_s": 0.1},
        ],
        "samples": [
            sample(t * MS, peak, tree_pss_kib=tree, tools_pss_kib=tools)
            for t, peak, tree, tools in (
                (-5, 99999, 99999, 99999),
                (10, 2048, None, None),
                (150, 3072, 4096, 1536),
            )
        ],
        "outcome": asdict(OUTCOME),
    }


SEED = 7
PLAN = plan(list(NAMES), SEED)
RIGHT = min(name for name, its in PLAN.items() if its.passes and not its.failures)
WRONG = min(name for name, its in PLAN.items() if not its.passes)


def scripted_run(verdicts: dict[tuple[str, int], str] | None = None) -> dict[str, Any]:
    """A run of the simulated endpoint, judged as its script plans but for these verdicts."""
    run = good_run()
    events, journal = run["events"], run["journal"]
    run["events"], run["journal"] = events[:1], [{**journal[0], "seed": SEED}]
    for name in NAMES:
        for number in range(1, 5):
            planned = "passed" if PLAN[name].failure(number) is None else "failed"
            verdict = (verdicts or {}).get((name, number), planned)
            begin_ms = 100 * (number - 1)
            run["events"].append(attempt(name, number, verdict, begin_ms))
            run["journal"].append(request(name, number, begin_ms + 3))
            if verdict == "passed":
                break
        outcome = "passed" if verdict == "passed" else "failed"
        run["events"].append(task(name, outcome, number, begin_ms + 100))
    run["events"].append({"event": "run_end", "t": 400 * MS})
    run["journal"].append(journal[-1])
    return run


SOLUTION = "5" * 64
"""The hash of each solution."""


def witnessed_run() -> dict[str, Any]:
    """The good run, whose verifications sent receipts."""
    run = good_run()
    change_requests(solution_sha256=SOLUTION)(run)
    run["receipts"] = [receipt(event) for event in run["events"] if event["event"] == "attempt"]
    return run


def receipt(attempt: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The receipt of the attempt's verification, 1 ms shorter at either end than the runtime says."""
    return {
        "pid": 100,
        "problem": None,
        "by_attempt": False,
        "t_start": attempt["t_started"] + MS,
        "solution_sha256": SOLUTION,
        "tests_sha256": hashlib.sha256(TASK["tests"].encode()).hexdigest(),
        "others": 0,
        "t_end": attempt["t_exit"] - MS,
        "exit_code": attempt["exit_code"],
        "signal": attempt["signal"],
        "cpu_us": 15_000,
        "t_closed": attempt["t_exit"],
    } | changes


def attempt_of(run: dict[str, Any], name: str, number: int = 1) -> dict[str, Any]:
    """The event of an attempt in a synthetic run."""
    (found,) = [
        event
        for event in run["events"]
        if event["event"] == "attempt" and (event["task"], event["attempt"]) == (name, number)
    ]
    return found


def task_of(run: dict[str, Any], name: str) -> dict[str, Any]:
    """The event of a task in a synthetic run."""
    (found,) = [event for event in run["events"] if event["event"] == "task" and event["task"] == name]
    return found


def request_of(run: dict[str, Any], name: str, number: int = 1) -> dict[str, Any]:
    """The journal's line of a request in a synthetic run."""
    (found,) = [
        line
        for line in run["journal"]
        if line["kind"] == "request" and (line["task"], line["attempt"]) == (name, number)
    ]
    return found


def requests_of(run: dict[str, Any]) -> list[dict[str, Any]]:
    """The journal's lines of all requests in a synthetic run."""
    return [line for line in run["journal"] if line["kind"] == "request"]


def change_outcome(**changes: Any) -> Change:
    return lambda run: run["outcome"].update(changes)


def change_requests(**changes: Any) -> Change:
    return lambda run: [line.update(changes) for line in requests_of(run)]


def run_with_peak(mib: float, **outcome: Any) -> dict[str, Any]:
    """The good run, of a runtime that takes so much memory."""
    run = good_run()
    run["samples"] = [sample(1, round(mib * 1024))]
    run["outcome"].update(outcome)
    return run


def written(run: dict[str, Any], folder: Path, cell: Cell = CELL, block: int = 1, **run_file: Any) -> RawRun:
    """The run as the harness would leave it below `folder`, with these fields in its run file, read back."""
    folder = folder / f"{block:03}-{cell.label}"
    folder.mkdir()
    tasks = folder / "tasks.jsonl"
    tasks.write_text(
        "".join(
            json.dumps({"task_id": name} | TASK | ({} if start is None else {"start_after_ns": start})) + "\n"
            for name, start in run["tasks"].items()
        )
    )
    prompts = folder / "prompts.json"
    prompts.write_text(json.dumps(asdict(PROMPTS)))
    files: dict[str, Any] = {"tasks_file": str(tasks), "prompts_file": str(prompts)}
    if "receipts" in run:
        files |= {"verify": {"slots": 2, "argv": ["/receipt", "socket", "pytest"]}}
    files |= RUN_FILE | run.get("run_file", {}) | run_file
    (folder / "run.json").write_text(json.dumps(files))
    (folder / "outcome.json").write_text(json.dumps(run["outcome"]))
    run = run | {"samples": [SAMPLE | sample for sample in run["samples"]]}
    for name in ("events", "journal", "samples", *(["receipts"] if "receipts" in run else [])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in run[name]))
    return read(folder, cell, block)

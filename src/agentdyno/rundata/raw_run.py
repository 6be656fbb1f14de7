"""One run as it lies in its folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentdyno.rundata import events, journal
from agentdyno.rundata.cell import Cell


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended, as the harness saw it; `outcome.json` in the run's folder.

    `exit_code` is minus a signal's number where a signal ended the runtime, and None where it was never
    started. `problem` is why the harness had to end it, or could not start it. `t_executed` is when its
    program took over, in ns of CLOCK_MONOTONIC. Processor times are the runtime's own processes' and its
    reaped tool children's, then the whole harness's and, of these, its sampler's. `cgroup_peak_kib` is the
    memory peak of the control group it ran in, by `cgroup_method`, None where there was none. What the
    machine did to the run is None where it does not tell (see `measure.machine`). `cores` are those that the
    run could use. `epoch_ns` is what CLOCK_MONOTONIC lacked to Unix time when the run began, in ns, and None
    in runs from before it was noted.
    """

    exit_code: int | None
    problem: str | None
    last_stderr_line: str | None
    t_executed: int | None
    own_cpu_s: float | None
    tools_cpu_s: float | None
    survivors: int
    workspaces_left: int
    harness_cpu_s: float
    sampler_cpu_s: float
    cgroup_peak_kib: int | None
    cgroup_method: str | None
    steal_share: float | None
    throttled_s: float | None
    thermal_throttles: int | None
    swapped_pages: int | None
    endpoint_niceness: int | None
    cores: int
    interrupted: bool
    epoch_ns: int | None = None


@dataclass(frozen=True, slots=True)
class RawRun:
    """Everything known of one run.

    `starts` are the tasks' own starts in ns after the run's, by task, and empty where all agents start at
    once. `samples` are the sampler's lines as they were written.
    """

    cell: Cell
    block: int
    folder: Path
    tasks_file: Path
    task_ids: list[str]
    starts: dict[str, int]
    max_retries: int
    outcome: RunOutcome
    events: events.RunEvents
    journal: journal.Journal
    samples: list[dict[str, Any]]


def has_ended(folder: Path) -> bool:
    """Whether the run in `folder` is whole: it has its outcome, which is written last, and was not
    interrupted.
    """
    try:
        outcome = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    return not outcome["interrupted"]


def read(folder: Path, cell: Cell, block: int) -> RawRun:
    """Read a run's folder back."""
    run_file = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    tasks_file = _tasks_file(folder, Path(run_file["tasks_file"]))
    with tasks_file.open(encoding="utf-8") as lines:
        tasks = [json.loads(line) for line in lines]
    samples_file = folder / "samples.jsonl"
    samples: list[dict[str, Any]] = []
    if samples_file.exists():
        with samples_file.open(encoding="utf-8") as lines:
            samples = [json.loads(line) for line in lines if line.endswith("\n")]
    return RawRun(
        cell=cell,
        block=block,
        folder=folder,
        tasks_file=tasks_file,
        task_ids=[task["task_id"] for task in tasks],
        starts={task["task_id"]: task["start_after_ns"] for task in tasks if "start_after_ns" in task},
        max_retries=run_file["max_retries"],
        outcome=RunOutcome(**json.loads((folder / "outcome.json").read_text(encoding="utf-8"))),
        events=events.read(folder / "events.jsonl"),
        journal=journal.read(folder / "journal.jsonl"),
        samples=samples,
    )


def _tasks_file(folder: Path, path: Path) -> Path:
    """The tasks of the run in `folder`, also when the results have been moved since."""
    moved = folder.parent.parent / path.parent.name / path.name
    return moved if moved.exists() else path

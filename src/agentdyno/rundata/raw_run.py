"""One run as stored in its folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentdyno.rundata import events, journal
from agentdyno.rundata.cell import Cell


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended, as the harness observed it; `outcome.json` in the run's folder.

    `exit_code` is minus the signal's number if a signal ended the runtime, and None if it never started.
    `problem` says why the harness ended the runtime or could not start it. `t_executed` is when the runtime's
    program was executed, in ns of CLOCK_MONOTONIC. `own_cpu_s` is the processor time of the runtime's own
    processes, `tools_cpu_s` that of its reaped tool children, `harness_cpu_s` that of the harness, and
    `sampler_cpu_s` the part of `harness_cpu_s` that the sampler used. `cgroup_peak_kib` is the peak memory of
    the run's control group, by `cgroup_method`, None without a group. `steal_share`, `throttled_s`,
    `thermal_throttles` and `swapped_pages` are None where the machine has no such counter (see
    `measure.machine`). `cores` is how many the run could use. `epoch_ns` is Unix time minus CLOCK_MONOTONIC
    when the run began, in ns, and None in runs of older versions. `events_changed` says what happened to the
    events besides growing. `survivors` counts processes that the runtime left behind, `left_by_attempts`
    those that the code under test did, out of the runtime's reach. `endpoint_problem` says how the endpoint
    failed: such a run says nothing of the runtime.
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
    events_changed: str | None = None
    left_by_attempts: int = 0
    endpoint_problem: str | None = None


@dataclass(frozen=True, slots=True)
class RawRun:
    """The raw data of one run.

    `starts` are the tasks' intended starts by task, in ns after the run's start, and empty where all agents
    start at once. `samples` are the sampler's lines.
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
    """Whether the run in `folder` is complete: its outcome, written last, exists and says neither that it was
    interrupted nor that the endpoint failed.

    An outcome that cannot be read, as after a crash of the machine, is none.
    """
    try:
        outcome = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
        return outcome["interrupted"] is False and outcome.get("endpoint_problem") is None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def read(folder: Path, cell: Cell, block: int) -> RawRun:
    """Read the run in `folder`."""
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
    """The tasks file of the run in `folder`, also when the results were moved after the run."""
    moved = folder.parent.parent / path.parent.name / path.name
    return moved if moved.exists() else path

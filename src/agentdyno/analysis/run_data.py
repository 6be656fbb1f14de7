"""One run as it lies in its folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentdyno.analysis import events, journal
from agentdyno.experiment.cell import Cell


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as the harness saw it; `outcome.json` in the run's folder.

    `exit_code` is minus a signal's number where a signal ended the runtime, and None where it was never
    started. `problem` is why the harness had to end it, or could not start it. Processor times are the
    runtime's own processes' and its reaped tool children's.
    """

    exit_code: int | None
    problem: str | None
    last_stderr_line: str | None
    own_cpu_s: float | None
    tools_cpu_s: float | None
    survivors: int
    workspaces_left: int
    sampler_cpu_s: float
    endpoint_niceness: int | None
    interrupted: bool


@dataclass(frozen=True, slots=True)
class RunData:
    """Everything known of one run. `samples` are the sampler's lines as they were written."""

    cell: Cell
    block: int
    folder: Path
    task_ids: list[str]
    max_retries: int
    ending: Ending
    events: events.RunEvents
    journal: journal.Journal
    samples: list[dict[str, Any]]


def read(folder: Path, cell: Cell, block: int) -> RunData:
    """Read a run's folder back."""
    run_file = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    with Path(run_file["tasks_file"]).open(encoding="utf-8") as lines:
        task_ids = [json.loads(line)["task_id"] for line in lines]
    samples_file = folder / "samples.jsonl"
    samples: list[dict[str, Any]] = []
    if samples_file.exists():
        with samples_file.open(encoding="utf-8") as lines:
            samples = [json.loads(line) for line in lines if line.endswith("\n")]
    return RunData(
        cell=cell,
        block=block,
        folder=folder,
        task_ids=task_ids,
        max_retries=run_file["max_retries"],
        ending=Ending(**json.loads((folder / "outcome.json").read_text(encoding="utf-8"))),
        events=events.read(folder / "events.jsonl"),
        journal=journal.read(folder / "journal.jsonl"),
        samples=samples,
    )

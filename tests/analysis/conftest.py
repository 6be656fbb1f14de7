import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentdyno.analysis.measured import MeasuredRun, analyse
from agentdyno.analysis.run_data import RunData, read
from agentdyno.experiment.cell import Cell
from analysis.made_up import CELL

Record = Callable[..., RunData]
Build = Callable[..., MeasuredRun]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Writes a run as the harness leaves it, and reads it back."""

    def make(run: dict[str, Any], cell: Cell = CELL, block: int = 1) -> RunData:
        folder = tmp_path / f"{block:03}-{cell.label}"
        folder.mkdir()
        tasks = folder / "tasks.jsonl"
        tasks.write_text(
            "".join(
                json.dumps({"task_id": name} | ({} if start is None else {"start_after_ns": start})) + "\n"
                for name, start in run["tasks"].items()
            )
        )
        (folder / "run.json").write_text(json.dumps({"tasks_file": str(tasks), "max_retries": 3}))
        (folder / "outcome.json").write_text(json.dumps(run["ending"]))
        for name in ("events", "journal", "samples"):
            text = "".join(json.dumps(line) + "\n" for line in run[name])
            (folder / f"{name}.jsonl").write_text(text)
        return read(folder, cell, block)

    return make


@pytest.fixture
def build(record: Record) -> Build:
    """The same, and analyses it."""
    return lambda *words, **options: analyse(record(*words, **options))[0]

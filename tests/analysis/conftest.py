from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentdyno.analysis.measured import MeasuredRun, analyse
from agentdyno.analysis.run_data import RunData
from agentdyno.experiment.cell import Cell
from analysis.made_up import CELL, written

Record = Callable[..., RunData]
Build = Callable[..., MeasuredRun]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Writes a run as the harness leaves it, and reads it back."""

    def make(run: dict[str, Any], cell: Cell = CELL, block: int = 1) -> RunData:
        return written(run, tmp_path, cell, block)

    return make


@pytest.fixture
def build(record: Record) -> Build:
    """The same, and analyses it."""
    return lambda *words, **options: analyse(record(*words, **options))[0]

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentdyno.analysis.run_analysis import RunAnalysis, analyse
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.raw_run import RawRun
from analysis.synthetic import CELL, written

Record = Callable[..., RawRun]
Build = Callable[..., RunAnalysis]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Writes a run as the harness leaves it, and reads it back."""

    def make(run: dict[str, Any], cell: Cell = CELL, block: int = 1) -> RawRun:
        return written(run, tmp_path, cell, block)

    return make


@pytest.fixture
def build(record: Record) -> Build:
    """The same, and analyses it."""
    return lambda *words, **options: analyse(record(*words, **options))[0]

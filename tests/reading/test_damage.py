"""No damage to a file that agentdyno reads is a traceback: the slice of benchmarks/fuzz_readers.py that runs
in seconds, and the inputs that failed once.
"""

import itertools
import json
import shutil
from pathlib import Path

import fuzz_readers
import pytest

from agentdyno.results.experiment import ExperimentAnalysis
from agentdyno.results.summary import SCHEMA_VERSION, as_json, named
from agentdyno.rundata.cell import Cell
from agentdyno.runner.settings import Settings
from analysis.synthetic import witnessed_run, written
from report.synthetic_summary import ASKED, ENVIRONMENT

INPUTS = 400
CELL = Cell("python", 20, "cold", "chat-7b")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small experiment with every file that is read."""
    folder = tmp_path_factory.mktemp("experiment") / "experiment"
    (folder / "runs").mkdir(parents=True)
    (folder / "tasks").mkdir()
    runs = ExperimentAnalysis([CELL], simulated=True, baseline=None)
    for block in (1, 2):
        run = witnessed_run()
        run["outcome"]["epoch_ns"] = 1_700_000_000_000_000_000
        data = written(run, folder / "runs", CELL, block)
        shutil.move(data.tasks_file, folder / "tasks" / "20.jsonl")
        run_file = json.loads((data.folder / "run.json").read_text())
        run_file["tasks_file"] = str(folder / "tasks" / "20.jsonl")
        (data.folder / "run.json").write_text(json.dumps(run_file))
        runs.add(fuzz_readers.Run(data.folder, CELL, block).read())
    cells = [named(CELL)]
    asked = {**ASKED, "cells": cells, "runs": runs.described, "runtimes": {}}
    document = {"schema_version": SCHEMA_VERSION, "experiment": asked, "environment": ENVIRONMENT}
    (folder / "summary.json").write_text(json.dumps(document | as_json(runs.summary())))
    settings = Settings(verify_slots=2).as_json()
    (folder / "settings.json").write_text(json.dumps({"command": "run", "settings": settings, "of": {}}))
    stocked = fuzz_readers.stocked(folder, tmp_path_factory.mktemp("stocked") / "whole")
    (stocked / "calibration.json").unlink()  # whose reader asks git for the commit
    return stocked


@pytest.fixture
def damaged(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "damaged"))


def test_every_reader_reads_what_is_whole(whole: Path) -> None:
    for target in fuzz_readers.targets(whole):
        for reader in (*fuzz_readers.FAST[target.kind], *fuzz_readers.COMMANDS.get(target.kind, ())):
            reader(whole / target.path, whole)


def test_damage_is_success_or_one_line(whole: Path, damaged: Path) -> None:
    for target, reader, content in itertools.islice(fuzz_readers.inputs(whole, 0, 0.02), INPUTS):
        (damaged / target.path).write_bytes(content)
        assert fuzz_readers.feed(reader, damaged / target.path, whole) is None, (target, content[:2000])
        shutil.copyfile(whole / target.path, damaged / target.path)


def test_the_check_sees_what_is_no_line(tmp_path: Path) -> None:
    def crash(file: Path, whole: Path) -> None:
        raise KeyError("median")

    def paragraph(file: Path, whole: Path) -> None:
        raise fuzz_readers.UserError("one\ntwo")

    assert "KeyError: 'median'" in str(fuzz_readers.feed(crash, tmp_path, tmp_path))
    assert "not one line" in str(fuzz_readers.feed(paragraph, tmp_path, tmp_path))


CORPUS = (
    ("summary.json", '"median": 5.0', '"median": NaN'),
    ("summary.json", '"median": ', '"median": -'),
    ("summary.json", '"block": 1', f'"block": {"9" * 6000}'),
    ("summary.json", '"rows": [', f'"rows": [{"[" * 100_000}'),
    ("summary.json", '"cold"', '"\\ud800"'),
    ("outcome.json", '"cores": 2', '"cores": 0'),
    ("outcome.json", "{", ""),
    ("run.json", '"tasks_file": "', '"tasks_file": "\\u0000'),
    ("run.json", '"tasks_file": "', '"tasks_file": "\\n'),
    ("run.json", '"tasks_file": "', f'"tasks_file": "/{"x" * 3000}'),
    ("run.json", '"request": {', '"request": {"max_tokens": 2e30'),
    ("run.json", '"base_url": "http:', '"base_url": "'),
    ("events.jsonl", '"attempts": 1', '"attempts": 4611686018427387904'),
    ("events.jsonl", '"usage": null', '"usage": {"prompt_tokens": 9223372036854775807}'),
    ("journal.jsonl", '"late_us": [500', '"late_us": [null'),
    ("journal.jsonl", '"attempt": 1', '"attempt": 4611686018427387904'),
    ("sweep.json", '"overhead_ms_p99": null, ', ""),
    ("receipts.jsonl", '"t_start": ', '"t_start": -'),
    ("samples.jsonl", '"cpu_s": 0.0', '"cpu_s": Infinity'),
    ("settings.json", '"run"', '["run"]'),
    ("settings.json", '"agents": [100]', f'"agents": [{"9" * 6000}]'),
    ("settings.json", '"builtin"', '"\\udcff"'),
    ("runtime.toml", '"./run"', '"a\\u0000b"'),
    ("profile.toml", '"300ms~0.25"', "9" * 6000),
    ("tasks.jsonl", '"t/0"', '"\\ud800"'),
)
"""Damage that was a traceback once: the file, what stood in it, and what stands there instead."""


@pytest.mark.parametrize(("name", "before", "after"), CORPUS)
def test_damage_that_was_a_traceback_once(
    whole: Path, damaged: Path, name: str, before: str, after: str
) -> None:
    (target,) = (each for each in fuzz_readers.targets(whole) if each.path.name == name)
    text = (whole / target.path).read_text()
    assert before in text
    (damaged / target.path).write_text(text.replace(before, after, 1))
    for reader in (*fuzz_readers.FAST[target.kind], *fuzz_readers.COMMANDS.get(target.kind, ())):
        assert fuzz_readers.feed(reader, damaged / target.path, whole) is None

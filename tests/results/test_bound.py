"""`agentdyno verify` of folders that were edited by somebody who also mended every hash."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import agentdyno
from agentdyno.cli import main
from agentdyno.reading import sha256_of_file
from agentdyno.results.bound import unlike_plan
from agentdyno.results.experiment import ExperimentAnalysis
from agentdyno.results.order import blocks, with_controls
from agentdyno.results.records import Run
from agentdyno.results.summary import CELL, as_json, named
from agentdyno.rundata.cell import AA_CONTROL, DRIFT_CHECK, Cell

Document = dict[str, Any]
Edit = Callable[[Path, Document], None]


def remove_runs(document: Document, is_removed: Callable[[Document], bool]) -> None:
    asked = document["experiment"]
    asked["runs"] = [run for run in asked["runs"] if not is_removed(run)]


def remove_a_bad_block(folder: Path, document: Document) -> None:
    document["experiment"]["repeats"] = 1
    for run in document["experiment"]["runs"]:
        if run["block"] == 2:
            shutil.rmtree(folder / run["folder"])
    remove_runs(document, lambda run: bool(run["block"] == 2))


def forget_a_run(folder: Path, document: Document) -> None:
    remove_runs(document, lambda run: bool(run["block"] == 2 and run["runtime"] == "floor"))


def remove_a_contender(folder: Path, document: Document) -> None:
    cells = document["experiment"]["cells"]
    document["experiment"]["cells"] = [cell for cell in cells if cell["runtime"] != "floor"]
    remove_runs(document, lambda run: bool(run["runtime"] == "floor"))


def swap_two_labels(folder: Path, document: Document) -> None:
    one, other, *_ = (run for run in document["experiment"]["runs"] if run["control"] == "")
    one["folder"], other["folder"] = other["folder"], one["folder"]
    one["sha256"], other["sha256"] = other["sha256"], one["sha256"]


def cut_samples(folder: Path, document: Document) -> None:
    run = document["experiment"]["runs"][0]
    samples = folder / run["folder"] / "samples.jsonl"
    lines = samples.read_text().splitlines(keepends=True)
    del lines[len(lines) // 2]
    samples.write_text("".join(lines))
    run["sha256"]["samples.jsonl"] = sha256_of_file(samples, "")


def change_the_processor(folder: Path, document: Document) -> None:
    document["environment"]["cpu"] = "a faster one"
    settings = json.loads((folder / "settings.json").read_text())
    settings["of"]["machine"]["cpu"] = "a faster one"
    (folder / "settings.json").write_text(json.dumps(settings))


def change_the_seed(folder: Path, document: Document) -> None:
    document["experiment"]["seed"] = 1
    settings = json.loads((folder / "settings.json").read_text())
    settings["settings"]["seed"] = 1
    (folder / "settings.json").write_text(json.dumps(settings))


def change_the_settings(folder: Path, document: Document) -> None:
    document["experiment"]["verify_timeout_s"] = 99.0


def change_a_contender(folder: Path, document: Document) -> None:
    document["experiment"]["runtimes"]["floor"]["sha256"] = "0" * 64


def recomputed(folder: Path, asked: Document) -> Document:
    """What follows from the runs that the summary still has."""
    cells = [Cell(**cell) for cell in asked["cells"]]
    analysis = ExperimentAnalysis(cells, asked["simulated"], asked["baseline"])
    for run in asked["runs"]:
        cell = Cell(**{name: run[name] for name in (*CELL, "control")})
        for _ in analysis.add(Run(folder / run["folder"], cell, run["block"]).read()):
            pass
    return as_json(analysis.summary())


FOUND: dict[Edit, str] = {
    remove_a_bad_block: "experiment.repeats: 1 is reported, and settings.json says 2",
    forget_a_run: "by the plan it is of|the summary has no such run",
    remove_a_contender: "by the plan it is of|the summary has no such run",
    swap_two_labels: "outcome.json says",
    cut_samples: "samples were taken, and",
    change_the_processor: 'cpu: "a faster one" is reported, and outcome.json says',
    change_the_seed: "seed: 1 is reported, and journal.jsonl says 0",
    change_the_settings: "experiment.verify_timeout_s: 99.0 is reported, and settings.json says",
    change_a_contender: "contender: ",
}
"""Texts of which each must be said of the edit."""


@pytest.fixture
def folder(experiment: agentdyno.Experiment, tmp_path: Path) -> Path:
    """A copy of the experiment that all tests share."""
    return Path(shutil.copytree(experiment.path.parent.resolve(), tmp_path / "copy"))


@pytest.mark.parametrize("edit", FOUND, ids=lambda edit: edit.__name__)
def test_an_edit_is_found(folder: Path, capsys: pytest.CaptureFixture[str], edit: Edit) -> None:
    path = folder / "summary.json"
    document = json.loads(path.read_text())
    edit(folder, document)
    path.write_text(json.dumps(document | recomputed(folder, document["experiment"])))
    assert main(["verify", str(folder)]) == 1
    said = capsys.readouterr().out
    for text in FOUND[edit].split("|"):
        assert text in said


CELLS = [Cell(runtime, 20, "null", "instant") for runtime in ("python", "floor", "go")]
CONTROLS = [AA_CONTROL, DRIFT_CHECK]


def planned(repeats: int) -> tuple[Document, list[Run]]:
    """What an experiment was asked for, and all runs that it then has."""
    block_of_cells = with_controls(CELLS, CONTROLS)
    order = [
        (number, cell)
        for number, block in zip(range(1, repeats + 1), blocks(block_of_cells, 7), strict=False)
        for cell in block
    ]
    _, first = order[0]
    order.append((repeats, Cell(**asdict(first) | {"control": DRIFT_CHECK})))
    asked = {
        "cells": [named(cell) for cell in CELLS],
        "controls": CONTROLS,
        "seed": 7,
        "repeats": repeats,
        "complete": True,
    }
    return asked, [Run(Path(str(place)), cell, block) for place, (block, cell) in enumerate(order)]


def test_an_experiment_as_planned_goes_with_its_plan() -> None:
    assert list(unlike_plan(*planned(3))) == []


def test_a_run_that_was_made_again_goes_with_the_plan() -> None:
    asked, runs = planned(3)
    assert list(unlike_plan(asked, [*runs[:-1], runs[2], runs[-1]])) == []


def test_an_experiment_that_is_under_way_goes_with_the_plan() -> None:
    asked, runs = planned(3)
    assert list(unlike_plan({**asked, "complete": False}, runs[:5])) == []


def test_a_drift_check_that_is_missing_is_found() -> None:
    asked, runs = planned(3)
    assert list(unlike_plan(asked, runs[:-1])) == ["the drift check is missing"]


@pytest.mark.parametrize("place", range(12))
def test_any_run_that_is_missing_is_found(place: int) -> None:
    asked, runs = planned(3)
    assert list(unlike_plan(asked, runs[:place] + runs[place + 1 :])) != []


def test_two_runs_that_were_exchanged_are_found() -> None:
    asked, runs = planned(3)
    runs[4], runs[5] = runs[5], runs[4]
    (found,) = unlike_plan(asked, runs)
    assert found.startswith("run 5: by the plan it is of ")

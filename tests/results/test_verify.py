"""`agentdyno verify` of results that another version of agentdyno wrote."""

import json
import shutil
from pathlib import Path

import pytest

import agentdyno
from agentdyno.cli import main


@pytest.fixture
def folder(experiment: agentdyno.Experiment, tmp_path: Path) -> Path:
    """A copy of the experiment whose table.md has another form."""
    copy = shutil.copytree(experiment.path.parent.resolve(), tmp_path / "copy")
    (copy / "table.md").write_text("| runtime | peak MiB |\n")
    return copy


def test_a_table_of_this_version_is_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(folder)]) == 1
    assert capsys.readouterr().out == "DIFFERS table.md in copy at line 1\n"


def test_a_table_of_another_version_is_not_and_that_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    summary["environment"]["agentdyno"] = "0.1.0"
    path.write_text(json.dumps(summary))
    assert main(["verify", str(folder)]) == 0
    verified, last = capsys.readouterr().out.splitlines()
    assert verified.startswith("verified: ")
    assert "table.md" not in verified
    assert last.startswith("not compared: table.md and sweep.md, which agentdyno 0.1.0 wrote")

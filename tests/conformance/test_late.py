"""A case counts against a runtime only where the suite itself was in time."""

import dataclasses
from pathlib import Path

import pytest

from agentdyno.conformance import suite
from agentdyno.runtimes.build import build
from agentdyno.runtimes.manifest import choose

CASE = "messages.conversation/four attempts"
ALWAYS = 1000

pytestmark = pytest.mark.usefixtures("starts_processes")


def played(tmp_path: Path, stalls: int, breaks: int) -> tuple[suite.Result, int]:
    """The case's own result, and how often it was played."""
    (python,) = choose(["python"])
    build([python], tmp_path, lambda: None)
    script, starts = Path(__file__).with_name("stalling_runtime.py"), tmp_path / "starts"
    run = (python.tools[0], str(script), str(starts), str(stalls), str(breaks))
    plays = [(dataclasses.replace(python, run=run), CASE)]
    (case,) = suite.play_all(plays, 1, lambda: None)
    return case.results[0], starts.stat().st_size


@pytest.mark.parametrize("stalls", [1, 2, ALWAYS])
def test_what_is_broken_while_the_machine_stands_still_is_played_again(stalls: int, tmp_path: Path) -> None:
    breaks = min(stalls, 2)
    result, times = played(tmp_path, stalls, breaks)
    assert (result.result, result.evidence) == (suite.KEPT, "4 requests, byte for byte")
    assert times == 1 + breaks


def test_what_is_broken_at_every_try_is_broken(tmp_path: Path) -> None:
    result, times = played(tmp_path, ALWAYS, ALWAYS)
    assert result.result == suite.BROKEN
    assert result.evidence.startswith("0 requests, expected 4")
    assert result.evidence.endswith(" s late: is this machine too busy?)")
    assert times == suite.TRIES


def test_what_is_broken_in_time_is_played_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "LATE_S", 60)  # for a machine that stands still just now
    result, times = played(tmp_path, 0, ALWAYS)
    assert result.result == suite.BROKEN
    assert "late" not in result.evidence
    assert times == 1


def test_what_is_kept_is_played_once_however_late(tmp_path: Path) -> None:
    result, times = played(tmp_path, ALWAYS, 0)
    assert result.result == suite.KEPT
    assert times == 1

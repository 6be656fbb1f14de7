"""Contenders that cheat, each with what catches it (docs/method.md, "What a runtime cannot hide").

They do the loop with the Python runtime and differ from it in one function of cheat.py each.
"""

from pathlib import Path
from typing import Any

import pytest

from agentdyno.runtimes.build import build
from agentdyno.runtimes.manifest import choose
from command_line import manifest, measured_in, summary

CHEAT = Path(__file__).with_name("cheat.py")
TASKS = 20

CAUGHT = {
    "resets-its-high-water-mark": "high-water marks kept",
    "stops-the-harness": "sampled throughout",
    "raises-its-priority": "ended in order",
    "answers-from-a-cache": "verifications witnessed",
    "verifies-another-solution": "verifications witnessed",
    "leaves-tests-out": "verifications witnessed",
    "brings-a-conftest": "verifications witnessed",
    "runs-another-command": "verifications witnessed",
    "runs-it-in-another-environment": "verifications witnessed",
    "runs-it-without-a-receipt": "verifications witnessed",
    "forges-receipts": "verifications witnessed",
    "says-that-there-is-no-code": "verifications witnessed",
    "reports-another-exit": "verifications witnessed",
    "verifies-until-it-passes": "verifications witnessed",
    "claims-time-for-failed-tries": "pauses after failures",
    "has-the-end-before-it-was-sent": "finished after it was sent",
    "reports-another-reply": "replies as sent",
    "reports-fewer-tokens": "replies as sent",
    "asks-for-less": "first requests",
}
"""The gate that fails."""

COUNTED = {
    "hides-memory-in-an-orphan": ("peak_rss_mib", 50.0),
    "hides-memory-in-a-group-of-its-own": ("peak_rss_mib", 50.0),
    "hides-memory-in-what-looks-like-a-test": ("peak_rss_mib", 50.0),
    "works-in-an-orphan": ("cpu_s_per_task", 0.4 / TASKS),
    "counts-its-work-as-verification": ("overhead_ms_p50", 50.0),
    "counts-its-work-as-the-queue": ("overhead_ms_p50", 50.0),
    "works-between-attempts": ("overhead_ms_p95", 50.0),
}
"""What was to be hidden is in the figure: at least so much."""


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> dict[str, dict[str, Any]]:
    """The row of each contender, from one experiment."""
    folder = tmp_path_factory.mktemp("measured")
    (python,) = choose(["python"])
    build([python], folder / "build", lambda: None)
    for name in (*CAUGHT, *COUNTED):
        (folder / name).mkdir()
        manifest(folder / name, name, run=[str(python.folder / python.tools[0]), str(CHEAT), name])
    done = measured_in(
        folder, "--runtimes", ",".join(str(folder / name) for name in (*CAUGHT, *COUNTED)), "--limit", TASKS,
        "--agents", TASKS, "--controls", "none", "--profile", "instant", "--verifier", "null",
    )  # fmt: skip
    assert done.stderr == ""
    return {row["runtime"]: row for row in summary(folder / "results")["rows"]}


@pytest.mark.parametrize("name", sorted(CAUGHT))
def test_the_gate_that_catches_it(rows: dict[str, dict[str, Any]], name: str) -> None:
    row = rows[name]
    assert row["valid"] is False
    assert CAUGHT[name] in {failure["gate"] for failure in row["failures"]}


def test_a_raised_priority_is_refused(rows: dict[str, dict[str, Any]]) -> None:
    assert any("PermissionError" in failure["reason"] for failure in rows["raises-its-priority"]["failures"])


@pytest.mark.parametrize("name", sorted(COUNTED))
def test_the_figure_that_holds_it(rows: dict[str, dict[str, Any]], name: str) -> None:
    metric, least = COUNTED[name]
    assert rows[name]["metrics"][metric]["median"] >= least


def test_there_are_twenty_cheats_or_more() -> None:
    assert len(CAUGHT) + len(COUNTED) >= 20

"""What was asked, and where it was measured."""

from pathlib import Path

import pytest

from agentdyno.report.page.surroundings import about, asked, machine, title
from report.page.synthetic import experiment, row
from report.synthetic_summary import COMMIT


@pytest.mark.parametrize(
    ("runtimes", "agents", "expected"),
    [
        (["rust"], [1], "rust at 1 agent, on 2 cores of Fast"),
        (["rust", "floor", "go"], [10, 1000], "rust and go at 10 and 1,000 agents, on 2 cores of Fast"),
        (["floor"], [10], "floor at 10 agents, on 2 cores of Fast"),
        (
            ["a", "b", "c", "d", "floor"],
            [4, 1, 3, 2],
            "4 agent runtimes at 1 to 4 agents, on 2 cores of Fast",
        ),
    ],
)
def test_the_title_says_what_was_measured_where(
    tmp_path: Path, runtimes: list[str], agents: list[int], expected: str
) -> None:
    rows = [row(name, 1, agents=number) for name in runtimes for number in agents]
    assert title(experiment(tmp_path, *rows)) == expected


@pytest.mark.parametrize(
    ("agents", "tasks"),
    [
        ([10], "50 builtin tasks a run"),
        ([10, 100], "50 and 100 builtin tasks a run"),
        ([1, 100, 1000, 5000], "as many builtin tasks as agents"),
    ],
)
def test_the_line_below_says_how_and_when(tmp_path: Path, agents: list[int], tasks: str) -> None:
    found = experiment(tmp_path, *(row("rust", 1, agents=number) for number in agents), limit=50)
    assert about(found) == f"{tasks}, profile steady, verifier null, 2026-01-02 03:04 UTC"


def test_what_was_asked(tmp_path: Path) -> None:
    found = asked(
        experiment(
            tmp_path, row("rust", 1), until_ci=0.05, simulated=False, endpoint="http://h/v1", controls=[]
        )
    )
    assert found["Tasks of a run"] == "100 of builtin, or as many as agents if those are more"
    assert found["Runs of a row"] == "until intervals are within 5% of the medians"
    assert found["Controls"] == "none"
    assert found["Endpoint"] == "a real one, through a relay that journals, model agentdyno-sim"
    assert "Baseline" not in found


def test_a_work_tree_with_changes_is_said_plainly(tmp_path: Path) -> None:
    def version(**environment: object) -> str:
        return machine(experiment(tmp_path, row("rust", 1), environment=environment))["agentdyno"]

    assert version() == f"0.1.0, commit {COMMIT}"
    assert version(git_dirty=True) == f"0.1.0, commit {COMMIT}, with changes that are in no commit"
    assert version(git_commit=None, git_dirty=None) == "0.1.0, commit not known"


def test_the_machine(tmp_path: Path) -> None:
    found = machine(experiment(tmp_path, row("rust", 1)))
    assert found["Processor"] == "2 cores of Fast, x86_64, virtual"
    assert found["Verifier cold"] == "python 3.11.7, pytest 9.0"
    assert "Verifier null" not in found

"""`agentdyno sweep`, for real: small, because what it finds at many agents is no matter of a test."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentdyno.analysis.bottleneck import NOTHING, UNKNOWN, Bottleneck
from agentdyno.analysis.capacity import Capacity
from agentdyno.analysis.gate import Failure
from agentdyno.analysis.statistics import Slope
from agentdyno.results.summary import Row
from agentdyno.results.sweep import Swept, complaints
from agentdyno.results.sweep import sentences as said_of
from agentdyno.rundata.cell import Cell
from command_line import Agentdyno, agentdyno_command, summary, wait_for

PROFILE = "steady:ttft=150ms,itl=1ms"
SMALL = ["--agents", "1,2,4", "--profile", PROFILE, "--verify-slots", 1]
NOTHING_IS_TOO_SLOW, ANYTHING_IS = 1000, 0.000_001
OBJECTIVE = r"\(all in flight, no errors, overhead p99 of 1e\+06 ms or less\)"

Sweep = Callable[..., tuple["subprocess.CompletedProcess[str]", Path]]


def swept(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "sweep.json").read_text())
    return found


def tried(folder: Path) -> list[int]:
    """The numbers of agents of the runs, in their order; those asked for are shuffled."""
    return [
        json.loads((run / "run.json").read_text())["agents"] for run in sorted((folder / "runs").iterdir())
    ]


def sentences(printed: str, runtime: str, verifier: str = "null") -> list[str]:
    """What is said of a runtime: the cost of an agent, and the capacity."""
    begin = f"{runtime}, verifier {verifier}: "
    return [line.removeprefix(begin) for line in printed.splitlines() if line.startswith(begin)]


@pytest.fixture
def sweep(agentdyno: Agentdyno, tmp_path: Path) -> Sweep:
    """Sweeps one runtime; returns what was printed and the folder of the results."""

    def run(runtime: object, *options: object) -> tuple["subprocess.CompletedProcess[str]", Path]:
        done = agentdyno("sweep", "--runtimes", runtime, *SMALL, *options, "--out", tmp_path / "results")
        return done, (tmp_path / "results" / "latest").resolve()

    return run


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, starts_processes: None) -> Path:
    """The results of a sweep whose search ends at once, of two verifiers, with what it printed."""
    out = tmp_path_factory.mktemp("swept")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("LLM_", "BENCH_"))
    }
    words = ["sweep", "--runtimes", "python", *SMALL, "--verifier", "null,cold"]
    words += ["--overhead-limit", ANYTHING_IS, "--out", out]
    done = subprocess.run(
        agentdyno_command(*words),
        env=environment | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folder = (out / "latest").resolve()
    (folder / "stdout").write_text(done.stdout)
    return folder


@pytest.mark.parametrize("verifier", ["null", "cold"])
def test_the_cost_of_an_agent_and_the_capacity_are_said_in_a_sentence_each(
    small: Path, verifier: str
) -> None:
    cost, capacity = sentences((small / "stdout").read_text(), "python", verifier)
    figure, number = r"-?[\d.,]+(?:e-\d+)?", r"-?\d+\.\d"
    assert re.fullmatch(rf"{figure} KiB an agent \(95% CI {figure} to {figure}\), above {figure} MiB", cost)
    assert re.match(
        r"does not keep the objective \(all in flight, no errors, overhead p99 of 0.001 ms or less\) with "
        rf"1 agent, where overhead max {number} ms \(limit 0.001 ms\): ",
        capacity,
    )


def test_all_numbers_asked_for_are_measured_though_the_first_is_too_many(small: Path) -> None:
    assert sorted(tried(small)) == [1, 1, 2, 2, 4, 4]


def test_what_is_printed_fits_100_columns_apart_from_the_sentences(small: Path) -> None:
    lines = (small / "stdout").read_text().splitlines()
    sentences = ("python, verifier", "results:", "INVALID", "✗ not valid")
    table = [line.replace(" ✗", "") for line in lines if not line.startswith(sentences)]
    assert max(map(len, table)) <= 100
    for verifier in ("null", "cold"):
        assert f"python against agents, times in ms, verifier {verifier}" in [line.rstrip() for line in table]
    figures = [line.split() for line in table if re.match(r"[124] +\d", line)]
    assert [line[0] for line in figures] == ["1", "2", "4"] * 2
    assert [line[6] for line in figures] == ["1", "2", "4"] * 2  # in flight


def test_each_verifier_has_points_of_its_own_with_the_figures_of_its_rows(small: Path) -> None:
    rows = json.loads((small / "summary.json").read_text())["rows"]
    assert [each["verifier"] for each in swept(small)] == ["null", "cold"]
    for each in swept(small):
        assert (each["runtime"], each["objective_ms"]) == ("python", 0.001)
        assert (each["ceiling"]["kept"], each["ceiling"]["broken"]) == (0, 1)
        figures = {
            row["agents"]: {name: metric["median"] for name, metric in row["metrics"].items()}
            for row in rows
            if row["verifier"] == each["verifier"]
        }
        assert {point["agents"]: point["metrics"] for point in each["points"]} == figures
        assert [point["agents"] for point in each["points"]] == [1, 2, 4]


def test_the_markdown_has_the_same_sentences_and_a_table_of_each_verifier(small: Path) -> None:
    lines = (small / "sweep.md").read_text().splitlines()
    printed = [
        line for line in (small / "stdout").read_text().splitlines() if line.startswith("python, verifier")
    ]
    assert [line.removeprefix("- ") for line in lines if line.startswith("- ")] == printed
    heads = [line for line in lines if "agents" in line and line.startswith("|")]
    assert [head.split(" |")[0] for head in heads] == [
        "| python, verifier null: agents",
        "| python, verifier cold: agents",
    ]
    tables = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in tables} == {10}
    assert len(tables) == 2 * (2 + 3)


def edit_figures(folder: Path) -> list[str]:
    found = swept(folder)
    found[0]["ceiling"]["kept"] = 4
    found[1]["points"][0]["metrics"]["max_in_flight"] = 2
    (folder / "sweep.json").write_text(json.dumps(found))
    return [
        "sweep.json: python, verifier null.ceiling.kept: 4 is reported, 0 follows from the raw files",
        "sweep.json: python, verifier cold.points[0].metrics.max_in_flight: 2 is reported, 1 follows from "
        "the raw files",
    ]


def leave_out_a_verifier(folder: Path) -> list[str]:
    (folder / "sweep.json").write_text(json.dumps(swept(folder)[:1]))
    last = (folder / "sweep.md").read_text().index("| python, verifier cold")
    (folder / "sweep.md").write_text((folder / "sweep.md").read_text()[: last - 1])
    return ["sweep.json: python, verifier cold, is measured and not in it"]


def cut_off(folder: Path) -> list[str]:
    (folder / "sweep.json").write_text("[")
    return ["sweep.json: it cannot be read any more (not JSON at column 2 (Expecting value))"]


def edit_sentence(folder: Path) -> list[str]:
    text = (folder / "sweep.md").read_text()
    (folder / "sweep.md").write_text(text.replace("verifier null: does not keep", "verifier null: keeps"))
    return [f"sweep.md in {folder.name} at line 8"]


@pytest.mark.parametrize(
    "edit", [edit_figures, leave_out_a_verifier, cut_off, edit_sentence], ids=lambda edit: edit.__name__
)
def test_verify_notices_an_edited_sweep(
    small: Path, agentdyno: Agentdyno, tmp_path: Path, edit: Callable[[Path], list[str]]
) -> None:
    folder = tmp_path / "edited"
    shutil.copytree(small, folder)
    lines = edit(folder)
    done = agentdyno("verify", folder)
    assert done.stdout.splitlines() == [f"DIFFERS {line}" for line in lines]
    assert done.returncode == 1


def test_verify_is_content_with_a_sweep_that_was_moved(
    small: Path, agentdyno: Agentdyno, tmp_path: Path
) -> None:
    shutil.copytree(small, tmp_path / "moved")
    done = agentdyno("verify", tmp_path / "moved")
    assert done.stdout.startswith("verified: 6 runs, 14 tasks, ")
    assert done.returncode == 0


def test_the_search_ends_where_a_runtime_caps_its_connections(
    sweep: Sweep, misbehaving_agent: Callable[[str], Path]
) -> None:
    done, folder = sweep(misbehaving_agent("caps-its-connections"), "--overhead-limit", NOTHING_IS_TOO_SLOW)
    assert sorted(tried(folder)[:3]) == [1, 2, 4]
    assert tried(folder)[3:] == [8, 6, 5]
    _, said = [line for line in done.stdout.splitlines() if line.startswith("caps-its-connections, verifier")]
    assert re.match(
        rf"caps-its-connections, verifier null: keeps the objective {OBJECTIVE} up to 5 agents and not with "
        r"6, where 5 of 6 agents were in flight at once: ",
        said,
    )
    # What the search finds out with more agents than were asked for is its result and no failure.
    assert done.returncode == 0, done.stdout


def test_the_search_ends_where_a_runtime_crashes(
    sweep: Sweep, misbehaving_agent: Callable[[str], Path]
) -> None:
    fault = "crashes-in-its-second-start"
    done, folder = sweep(misbehaving_agent(fault), "--overhead-limit", NOTHING_IS_TOO_SLOW, "--agents", 1)
    assert tried(folder) == [1, 2]
    cost, said = sentences(done.stdout, fault)
    assert cost == "the cost of an agent takes three numbers of agents or more at which nothing is wrong"
    assert re.match(rf"keeps the objective {OBJECTIVE} up to 1 agent and not with 2, where ", said)
    assert "; the runtime ended with signal 6; " in said
    assert said.endswith(": what gives out is the runtime itself (the runtime ended with signal 6)")
    assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("starts_processes")
def test_the_hard_limit_on_open_files_is_named_where_it_ends_the_search(
    environment: dict[str, str], tmp_path: Path
) -> None:
    # A connection an agent, three files for the one slot, and 64 to spare: room for 6 agents.
    hard = 6 + 3 + 64
    words = ["sweep", "--runtimes", "python", *SMALL, "--overhead-limit", NOTHING_IS_TOO_SLOW]
    words += ["--agents", 4]
    done = subprocess.run(
        agentdyno_command(*words, "--out", tmp_path / "results"),
        env=environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard)),
        capture_output=True,
        text=True,
        timeout=120,
    )
    folder = (tmp_path / "results" / "latest").resolve()
    assert tried(folder) == [4, 6]
    _, said = sentences(done.stdout, "python")
    assert said == (
        "keeps the objective (all in flight, no errors, overhead p99 of 1e+06 ms or less) up to 6 agents; "
        "the hard limit on open files (`ulimit -Hn`) leaves room for no more, so this is not the runtime's "
        "capacity: raise it to go on"
    )
    assert swept(folder)[0]["most_agents"] == 6
    # So few agents have no tail, which needs no saying.
    assert "too few" not in done.stdout
    assert done.returncode == 0, done.stdout


def test_what_was_interrupted_is_gone_on_with_and_keeps_its_objective(
    environment: dict[str, str], agentdyno: Agentdyno, tmp_path: Path
) -> None:
    words = ["sweep", "--runtimes", "python", *SMALL, "--overhead-limit", ANYTHING_IS, "--agents", "1,2"]
    with subprocess.Popen(
        agentdyno_command(*words, "--out", tmp_path / "results"),
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_for("results/raw/*/runs/002-*/run.json", tmp_path, process)
            process.send_signal(signal.SIGINT)
            printed, said = process.communicate(timeout=60)
        finally:
            process.kill()
    (folder,) = (tmp_path / "results" / "raw").iterdir()
    shown = folder.relative_to(tmp_path)
    assert said == (
        f"agentdyno: interrupted by SIGINT; what was measured until then is in {shown}; "
        f"`agentdyno sweep --resume {shown}` goes on with it\n"
    )
    assert process.returncode == 130
    # The run that was interrupted tells nothing; the one before it does.
    _, capacity = sentences(printed, "python")
    assert re.match(rf"does not keep the objective \(.*\) with {tried(folder)[0]} agents?, where ", capacity)
    refused = agentdyno("run", "--resume", shown)
    assert refused.stderr == (
        f"agentdyno: --resume {shown}: it was begun with `agentdyno sweep`; "
        f"go on with `agentdyno sweep --resume {shown}`\n"
    )
    assert refused.returncode == 2
    whole = next((folder / "runs").glob("001-*")) / "outcome.json"
    before = whole.stat().st_mtime_ns
    done = agentdyno("sweep", "--resume", shown)
    assert done.returncode == 0, done.stdout + done.stderr
    assert whole.stat().st_mtime_ns == before
    assert sorted(tried(folder)) == [1, 2]
    (found,) = swept(folder)
    assert found["objective_ms"] == 0.001
    assert (found["ceiling"]["kept"], found["ceiling"]["broken"]) == (0, 1)
    assert summary(tmp_path / "results")["experiment"]["complete"] is True


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ["--profile", "instant"],
            "--profile instant: replies are over before all agents are in flight, so that no capacity can be "
            "found; choose crowd, steady or chat-7b",
        ),
        (["--arrivals", "poisson:5"], "--arrivals: a sweep begins all agents at once; leave it out"),
        (["--overhead-limit", "0"], "--overhead-limit must be a number of seconds above 0, not '0'"),
    ],
)
def test_what_has_no_capacity_is_refused(agentdyno: Agentdyno, options: list[str], line: str) -> None:
    done = agentdyno("sweep", *options)
    assert done.stderr == f"agentdyno: {line}\n"
    assert done.returncode == 2


def synthetic(found: Capacity, memory: Slope | None = None, most_agents: int | None = None) -> Swept:
    return Swept("rust", "null", 50.0, most_agents, [], memory, found)


BROKEN = ["overhead p99 61.0 ms (limit 50 ms)", "990 of 2000 agents were in flight at once"]
REACHED = (
    "rust, verifier null: keeps the objective (all in flight, no errors, overhead p99 of 50 ms or less) up "
    "to 1,600 agents and not with 2,000, where overhead p99 61.0 ms (limit 50 ms); 990 of 2000 agents were "
    "in flight at once: "
)


@pytest.mark.parametrize(
    ("bound", "end"),
    [
        (None, "what gives out is not known"),
        (Bottleneck("begin", UNKNOWN, "too short", True), "what gives out is not known (too short)"),
        (Bottleneck("begin", NOTHING, "0.10 of 2", True), "no resource was used up (0.10 of 2)"),
        (
            Bottleneck("", "open files", "it says: EMFILE", True),
            "what gives out is open files (it says: EMFILE)",
        ),
        (
            Bottleneck("send", "the endpoint: its one core", "0.95 of 2", False),
            "what gives out first is not the runtime but: the endpoint: its one core (0.95 of 2); "
            "this is not the runtime's capacity",
        ),
    ],
)
def test_what_gives_out_is_said_in_plain_words(bound: Bottleneck | None, end: str) -> None:
    _, said = said_of(synthetic(Capacity(1600, 2000, BROKEN, bound)))
    assert said == REACHED + end


def test_a_search_that_was_cut_short_has_no_capacity() -> None:
    cost, said = said_of(synthetic(Capacity(100, None, [], None), Slope(12.34, (-1.0, 20.0), 3.0), 200))
    assert cost == "rust, verifier null: 12.3 KiB an agent (95% CI -1.00 to 20.0), above 3.00 MiB"
    assert said == (
        "rust, verifier null: keeps the objective (all in flight, no errors, overhead p99 of 50 ms or less) "
        "up to 100 agents, the most tried"
    )
    _, said = said_of(synthetic(Capacity(0, None, [], None)))
    assert said == "rust, verifier null: no run was whole, so there is no capacity to tell"


def test_what_is_wrong_below_the_capacity_is_said_and_what_is_beyond_it_is_not() -> None:
    late = Failure("endpoint on time", 1, "the endpoint was late", "give it a free core", False)
    few = Failure("enough samples", 1, "10 attempts are too few", "raise --limit", False)
    rows = [
        Row(Cell(runtime, agents, verifier, "crowd"), [few, late], {}, {})
        for runtime, agents, verifier in (
            ("rust", 10, "null"),
            ("rust", 20, "null"),
            ("rust", 10, "cold"),
            ("go", 10, "null"),
        )
    ]
    found = complaints([synthetic(Capacity(10, 20, BROKEN, None))], rows)
    assert found == [
        "INVALID rust, 10 agents, verifier null, run 1: the endpoint was late: give it a free core"
    ]

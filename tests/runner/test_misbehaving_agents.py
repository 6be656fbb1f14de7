"""Runtimes that do the whole loop with one fault in it, and the gate that finds the fault out."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import Agentdyno, line_of, summary

TASKS = 20
LINES = {
    "stamps-before-it-happens": (
        r"run 1: the parts of 20 attempts do not sum to their wall time, the worst: builtin/\d+ attempt 1, "
        r"[\d.]+ ms of [\d.]+ ms: a time was taken before or after what it stands for; compare the "
        r"attempt's lines in events.jsonl and journal.jsonl"
    ),
    "asks-what-it-does-not-tell": (
        r"run 1: Little's law: the [\d.]+ completions/s that the runtime's events tell of, [\d.]+ s each, "
        r"are [\d.]+ at once, and the endpoint had [\d.]+ open on average: tell of every request that is "
        r"made, in the event of its attempt"
    ),
    "asks-again": (
        r"run 1: 1 requests were made again though the endpoint had not failed, the first for builtin/\d+ "
        r"attempt 1: see its lines in journal.jsonl and events.jsonl"
    ),
    "caps-its-connections": (
        r"run 1: the endpoint saw 5 requests at once where 20 agents should have had one each: "
        r"the runtime caps its connections, or the profile answers too soon"
    ),
    "begins-early --arrivals poisson:50": (
        r"run 1: \d+ tasks were begun before their start, the first: builtin/\d+: "
        r"wait for start_after_ns of the tasks file, as in CONTRACT.md"
    ),
    "asks-otherwise-in-its-second-start --repeats 2": (
        r"run 2: 20 requests differ from those of 001-\S+, the first: builtin/0 attempt 1: "
        r"see messages.json and feedback.json of the contract's vectors"
    ),
    "judges-otherwise-in-its-second-start --repeats 2 --max-retries 0": (
        r"run 2: 20 outcomes differ from those of 001-\S+, the first: builtin/0: "
        r"compare that task's attempts in the two runs' events.jsonl"
    ),
    "crashes-in-its-second-start --repeats 2": (
        r"run 2: the runtime ended with signal 6: see runtime.stderr in the run's folder"
    ),
}
"""The fault, further options, and what stands against the row, before all that a busy machine may cause."""

Measure = Callable[..., tuple[dict[str, Any], list[str], int]]


@pytest.fixture
def measure(agentdyno: Agentdyno, misbehaving_agent: Callable[[str], Path], tmp_path: Path) -> Measure:
    """Runs an experiment; returns its summary, the lines that were printed, and the exit status."""

    def run(fault: str, *options: object) -> tuple[dict[str, Any], list[str], int]:
        done = agentdyno(
            "run", "--runtimes", misbehaving_agent(fault), "--limit", TASKS, "--agents", TASKS,
            "--controls", "none", "--profile", "steady:ttft=50ms,itl=0.5ms", "--verifier", "null", *options,
            "--out", tmp_path / "results",
        )  # fmt: skip
        assert done.stderr == ""
        return summary(tmp_path / "results"), done.stdout.splitlines(), done.returncode

    return run


@pytest.mark.parametrize("words", sorted(LINES))
def test_the_gate_fails_and_says_why(words: str, measure: Measure) -> None:
    fault, *options = words.split()
    document, printed, status = measure(fault, *options)
    (row,) = document["rows"]
    first = line_of(next(failure for failure in row["failures"] if failure["is_fault"]))
    assert re.fullmatch(LINES[words], first)
    assert f"INVALID {fault}, 20 agents, verifier null, {first}" in printed
    assert status == 1


def test_requests_that_no_event_tells_of_are_seen_twice_as_often(measure: Measure) -> None:
    document, _, _ = measure("asks-what-it-does-not-tell")
    (failure,) = [each for each in document["rows"][0]["failures"] if each["gate"] == "Little's law"]
    told, seen = re.findall(r"([\d.]+) (?:at once|open)", failure["reason"])
    assert float(seen) / float(told) == pytest.approx(2, rel=0.2)


def test_a_runtime_that_does_not_tie_with_itself(measure: Measure) -> None:
    document, printed, _ = measure("takes-more-in-every-second-start", "--controls", "twin")
    (comparison,) = document["controls"]
    assert (comparison["control"], comparison["runtime"]) == ("twin", "takes-more-in-every-second-start")
    ratio = comparison["ratios"]["peak_rss_mib"]["median"]
    assert ratio > 1.5 or ratio < 1 / 1.5
    line = (
        f"takes-more-in-every-second-start against itself: peak_rss_mib is {ratio:.2f} times its own: "
        "differences of that size mean nothing here; measure on a quiet machine, with more --repeats"
    )
    assert line in map(line_of, document["rows"][0]["failures"])
    assert f"INVALID all rows, {line}" in printed
    shown = [each for each in printed if each.startswith("A/A, takes-more-in-every-second-start against")]
    assert len(shown) == 1
    assert f": memory ×{ratio:.2f}, CPU ×" in shown[0]


def test_a_runtime_that_drifts(measure: Measure) -> None:
    document, printed, _ = measure("takes-more-at-each-start", "--controls", "sentinel", "--repeats", 2)
    (row,) = document["rows"]
    first, second = row["metrics"]["peak_rss_mib"]["values"]
    assert second - first == pytest.approx(10, abs=2)
    ratio = document["controls"][0]["ratios"]["peak_rss_mib"]["median"]
    assert ratio == pytest.approx((first + 20) / first, rel=0.1)
    line = (
        f"the first run again, at the end: peak_rss_mib is {ratio:.2f} times what it was "
        "(limit 0.95 to 1.05): the machine, or the runtime, drifted meanwhile; "
        "measure again on a quiet machine"
    )
    assert line in map(line_of, row["failures"])
    assert f"INVALID all rows, {line}" in printed
    assert any(each.startswith("sentinel, the first run again at the end, 20 agents") for each in printed)


def test_a_runtime_that_crashes_as_its_own_twin(measure: Measure) -> None:
    document, printed, status = measure("crashes-in-its-second-start", "--controls", "sentinel")
    assert document["rows"][0]["metrics"]["first_attempt_pass"]["values"] == [TASKS]
    line = "run 1: sentinel: the runtime ended with signal 6: see runtime.stderr in the run's folder"
    assert f"INVALID crashes-in-its-second-start, 20 agents, verifier null, {line}" in printed
    assert status == 1


def test_what_sampling_takes_is_shown_and_held_against_nobody(measure: Measure, tmp_path: Path) -> None:
    document, printed, _ = measure("does-nothing-wrong", "--controls", "unsampled")
    (comparison,) = document["controls"]
    assert comparison["control"] == "unsampled"
    assert comparison["ratios"]["peak_rss_mib"]["median"] is None
    assert comparison["ratios"]["cpu_s_per_task"]["median"] > 0
    assert [each for each in document["rows"][0]["failures"] if each["run"] is None] == []
    shown = (
        "does-nothing-wrong without the sampler against itself with it, 20 agents, verifier null: memory –"
    )
    assert any(each.startswith(shown) for each in printed)
    runs = (tmp_path / "results" / "latest" / "runs").iterdir()
    assert {run.name.endswith("-unsampled"): (run / "samples.jsonl").exists() for run in runs} == {
        True: False,
        False: True,
    }


def test_too_few_tasks_make_a_row_invalid_and_only_with_strict_a_failure(measure: Measure) -> None:
    line = "run 1: 4 attempts with a ledger are too few to tell a tail (at least 20): raise --limit"
    document, printed, status = measure("does-nothing-wrong", "--limit", 4, "--agents", 4)
    assert document["rows"][0]["valid"] is False
    assert f"INVALID does-nothing-wrong, 4 agents, verifier null, {line}" in printed
    assert status == 0


def test_strict_fails_on_what_only_a_small_experiment_caused(measure: Measure) -> None:
    document, _, status = measure("does-nothing-wrong", "--limit", 4, "--agents", 4, "--strict")
    assert not any(failure["is_fault"] for failure in document["rows"][0]["failures"])
    assert status == 1


def test_repeating_ends_once_the_intervals_are_tight(measure: Measure) -> None:
    document, printed, _ = measure(
        "takes-more-in-its-first-start", "--until-ci", "60%", "--profile", "instant"
    )
    metrics = document["rows"][0]["metrics"]
    peak = metrics["peak_rss_mib"]
    # Three runs, one of which took more, say too little.
    assert 3 < len(peak["values"]) < 20
    for name in ("peak_rss_mib", "overhead_ms_p50"):
        low, high = metrics[name]["ci95"]
        assert (high - low) / 2 / metrics[name]["median"] <= 0.6
    assert document["experiment"]["until_ci"] == 0.6
    assert not [line for line in printed if line.startswith("wider than --until-ci")]


def test_repeating_ends_at_the_most_repeats_and_says_what_was_wider(measure: Measure) -> None:
    document, printed, _ = measure(
        "takes-more-in-every-second-start", "--until-ci", "5%", "--max-repeats", 4, "--profile", "instant"
    )
    peak = document["rows"][0]["metrics"]["peak_rss_mib"]
    assert len(peak["values"]) == 4
    half = (peak["ci95"][1] - peak["ci95"][0]) / 2 / peak["median"]
    assert (
        "wider than --until-ci: takes-more-in-every-second-start, 20 agents, verifier null: "
        f"peak_rss_mib ±{half:.1%}"
    ) in printed


def test_ratios_to_a_baseline_of_ones_own(
    agentdyno: Agentdyno, misbehaving_agent: Callable[[str], Path], tmp_path: Path
) -> None:
    runtimes = [misbehaving_agent(name) for name in ("does-nothing-wrong", "takes-more-at-each-start")]
    done = agentdyno(
        "run", "--runtimes", ",".join(map(str, runtimes)), "--limit", TASKS, "--agents", TASKS,
        "--controls", "none", "--profile", "instant", "--verifier", "null", "--repeats", 2,
        "--baseline", "does-nothing-wrong", "--out", tmp_path / "results",
    )  # fmt: skip
    assert done.stderr == ""
    orderly, other = (row["metrics"] for row in summary(tmp_path / "results")["rows"])
    for metric, name in (
        ("peak_rss_mib", "peak_rss"),
        ("overhead_ms_p50", "overhead_ms_p50"),
        ("cpu_s_per_task", "cpu_s_per_task"),
    ):
        assert orderly[f"{name}_x_baseline"]["values"] == [1, 1]
        assert other[f"{name}_x_baseline"]["values"] == [
            one / of for one, of in zip(other[metric]["values"], orderly[metric]["values"], strict=True)
        ]
        assert other[f"{name}_x_floor"]["values"] == [None, None]
    table = [line.split() for line in done.stdout.splitlines()]
    heading = next(line for line in table if line[:1] == ["runtime"])
    assert heading[:3] == ["runtime", "peak", "passed"]
    assert json.loads((tmp_path / "results/latest/asked.json").read_text())["asked"]["baseline"] == (
        "does-nothing-wrong"
    )
    ratio = other["peak_rss_x_baseline"]["median"]
    assert any(line[:1] == ["takes-more-at-each-start"] and f"{ratio:.2f}" in line for line in table)

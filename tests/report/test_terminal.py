"""The tables and sentences after a run: exactly, for made-up findings, at several widths."""

import io
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from agentdyno.analysis.controls import Comparison
from agentdyno.analysis.gate import Failure
from agentdyno.analysis.ratio import Ratio
from agentdyno.analysis.registry import METRICS
from agentdyno.report.terminal import print_findings
from agentdyno.results.experiment import Experiment
from agentdyno.results.summary import Row
from report.synthetic import LATE, SPOILT, experiment, row
from snapshot import is_as_it_was

CPP = row(
    "cpp",
    LATE,
    peak_rss_mib=(13.46, 13.41, 13.6),
    peak_rss_x_floor=29.0,
    peak_rss_x_baseline=0.73,
    overhead_ms_p50=(9.2, 6.6, 11.9),
    overhead_ms_p50_x_floor=1.4,
    overhead_ms_p50_x_baseline=0.56,
    overhead_ms_p95=18.9,
    overhead_ms_p99=19.7,
    cpu_s_per_task=0.0087,
)
FLOOR = row(
    "floor",
    peak_rss_mib=(0.464, 0.46, 0.47),
    peak_rss_x_floor=1.0,
    peak_rss_x_baseline=0.03,
    overhead_ms_p50=(5.4, 2.6, 14.1),
    overhead_ms_p50_x_floor=1.0,
    overhead_ms_p50_x_baseline=0.37,
    overhead_ms_p95=12.3,
    overhead_ms_p99=13.5,
    cpu_s_per_task=0.0048,
)
PYTHON = row(
    "python",
    peak_rss_mib=(18.4, 18.38, 18.43),
    peak_rss_x_floor=39.5,
    peak_rss_x_baseline=1.0,
    overhead_ms_p50=(14.3, 10.5, 20.9),
    overhead_ms_p50_x_floor=2.7,
    overhead_ms_p50_x_baseline=1.0,
    overhead_ms_p95=24.1,
    overhead_ms_p99=27.4,
    cpu_s_per_task=0.0123,
)
RUST = row(
    "rust",
    peak_rss_mib=(6.1, 6.04, 6.12),
    peak_rss_x_floor=13.0,
    peak_rss_x_baseline=0.33,
    overhead_ms_p50=(6.1, 3.8, 11.8),
    overhead_ms_p50_x_floor=1.1,
    overhead_ms_p50_x_baseline=0.43,
    overhead_ms_p95=8.5,
    overhead_ms_p99=10.3,
    cpu_s_per_task=0.0057,
)
TYPESCRIPT = row(
    "typescript-tuned",
    peak_rss_mib=(48.26, 47.8, 48.9),
    peak_rss_x_floor=103.5,
    peak_rss_x_baseline=2.63,
    overhead_ms_p50=(26.5, 22.0, 31.8),
    overhead_ms_p50_x_floor=5.0,
    overhead_ms_p50_x_baseline=1.85,
    overhead_ms_p95=31.5,
    overhead_ms_p99=103.0,
    cpu_s_per_task=0.0211,
)
ROWS = [CPP, FLOOR, PYTHON, RUST, TYPESCRIPT]


def printed(made: Experiment, width: int, *, terminal: bool = False, colours: str | None = None) -> str:
    """What is printed, in a pipe or on a terminal, without the spaces at the ends of lines."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=terminal,
        color_system="standard" if colours else None,
        no_color=colours == "NO_COLOR",
        markup=False,
    )
    print_findings(console, made)
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def table_of(text: str, runtimes: Sequence[str]) -> dict[str, list[str]]:
    """The words of the first line of each runtime."""
    lines = [line.split() for line in text.splitlines()]
    return {name: next(line for line in lines if line[:1] == [name]) for name in runtimes}


@pytest.mark.parametrize(
    ("name", "width", "terminal"),
    [("terminal-100", 100, False), ("terminal-60", 60, False), ("terminal-40", 40, True)],
)
def test_the_tables_and_sentences(name: str, width: int, terminal: bool) -> None:
    text = printed(experiment(ROWS), width, terminal=terminal)
    assert is_as_it_was(name, text)
    assert len(left_out(text.replace("\n  ", " "))) == {100: 1, 60: 14, 40: 20}[width]


def test_on_a_terminal_the_best_stand_out_and_what_is_not_valid_is_struck() -> None:
    text = printed(experiment(ROWS), 100, terminal=True, colours="yes")
    assert "\x1b[1;32m6.10*\x1b[0m" in text
    assert "\x1b[9m9.20\x1b[0m✗" in text
    assert "\x1b[31mINVALID time of cpp" in text


def test_no_color_leaves_the_marks() -> None:
    text = printed(experiment(ROWS), 100, terminal=True, colours="NO_COLOR")
    assert re.findall(r"\x1b\[(?!0m|1m|9m)[\d;]*m", text) == []
    assert "\x1b[1m6.10*\x1b[0m" in text
    assert "\x1b[9m9.20\x1b[0m✗" in text
    assert "\x1b" not in printed(experiment(ROWS), 100)


def test_one_run_has_no_ratio_to_the_best_other_and_none_is_marked() -> None:
    rows = [row("go", peak_rss_mib=11.04), row("python", peak_rss_mib=18.4)]
    text = printed(experiment(rows, repeats=1), 100)
    assert table_of(text, ["go", "python"]) == {
        "go": ["go", "11.0", "96.0", "87", "9", "4", "0", "0.27", "–", "37.9"],
        "python": ["python", "18.4", "96.0", "87", "9", "4", "0", "0.27", "–", "37.9"],
    }
    assert text.splitlines()[1].startswith("one run, 100 builtin tasks, ")
    assert "--repeats 3 or more" in text


def test_a_row_of_too_few_runs_among_others_is_said() -> None:
    rows = [row("go", peak_rss_mib=(11.0, 10.8, 11.4)), row("python", peak_rss_mib=18.4)]
    text = printed(experiment(rows), 100)
    assert [words[:2] for words in table_of(text, ["go", "python"]).values()] == [
        ["go", "11.0"],
        ["python", "18.4"],
    ]
    assert "--repeats 3 or more" in text


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ({"repeats": 5}, "medians of 5 runs, 100 builtin tasks, profile chat-7b, "),
        ({"until_ci": 0.05}, "medians of 3 runs or more, 100 builtin tasks, profile chat-7b, "),
        (
            {"complete": False, "tasks": "humaneval", "limit": 1000},
            "medians of 3 runs, not all of which were made, 1000 humaneval tasks, profile chat-7b, ",
        ),
    ],
)
def test_the_title_says_what_was_asked(asked: dict[str, object], title: str) -> None:
    text = printed(experiment([row("python", agents=1)], **asked), 120)
    assert text.splitlines()[1] == f"{title}1 agent, verifier cold"


def test_several_numbers_of_agents_are_a_column_that_is_never_left_out() -> None:
    rows = [row("python", agents=agents, peak_rss_mib=float(agents)) for agents in (1, 1000)]
    for width in (40, 100):
        text = printed(experiment(rows), width)
        figures = [line.split()[:3] for line in text.splitlines() if line.startswith("python ")]
        assert figures == [["python", "1", "1.00"], ["python", "1,000", "1,000"]] + [
            ["python", agents, "–"] for agents in ("1", "1,000")
        ]
    assert "1, 1000" not in text
    assert (
        text.splitlines()[1] == "medians of 3 runs, 100, 1000 builtin tasks, profile chat-7b, verifier cold"
    )


def test_each_verifier_has_tables_of_its_own() -> None:
    rows = [
        row("python", verifier=verifier, peak_rss_mib=peak)
        for verifier, peak in (("null", 1.0), ("cold", 2.0))
    ]
    lines = printed(experiment(rows), 100).splitlines()
    assert [line for line in lines if line.startswith("milliseconds")] == [
        "milliseconds of an attempt, 100 agents, verifier null",
        "milliseconds of an attempt, 100 agents, verifier cold",
    ]


def test_the_plateau_and_the_schedule_have_tables_where_there_are_such() -> None:
    figures = {
        "steady_s": 12.0,
        "steady_tasks_per_s": 3.25,
        "steady_overhead_ms_p50": 1.5,
        "task_ms_p50": 9000.0,
        "task_uncorrected_ms_p50": 99.96,
    }
    text = printed(experiment([row("python", **figures)], arrivals="poisson:20"), 100)
    titles = [line for line in text.splitlines() if line.endswith(", 100 agents, verifier cold")]
    assert len(titles) == 4
    *_, steady, from_due = [line.split() for line in text.splitlines() if line.startswith("python ")]
    assert steady == ["python", "12.0", "3.25", "1.50", "–", "–"]
    assert from_due == ["python", "9,000", "–", "–", "100", "–", "–"]


def test_what_stands_against_all_rows_is_said_once() -> None:
    drift = Failure("sentinel", None, "it drifted", "measure again", is_fault=False)
    rows = [row("go", drift), row("python", LATE, drift)]
    lines = printed(experiment(rows), 100).splitlines()
    assert [line for line in lines if line.startswith("INVALID")] == [
        "INVALID all rows, it drifted: measure again",
        "INVALID time of python, 100 agents, verifier cold, run 1: the endpoint was late, p99 12.4 ms "
        "(limit 10 ms): give it a free core",
    ]


def test_what_the_controls_and_measuring_came_to_are_a_line_each() -> None:
    ratios = {
        "peak_rss_mib": Ratio(1.0, (0.98, 1.02), []),
        "cpu_s_per_task": Ratio(1.2, None, []),
        "overhead_ms_p50": Ratio(None, None, []),
        "wall_s": Ratio(0.999, (0.5, 1.5), []),
    }
    controls = [
        Comparison("twin", "python", 100, "cold", ratios),
        Comparison("sentinel", "go", 100, "cold", ratios),
    ]
    rows = [row("go", endpoint_cpu_share=0.01), row("python", endpoint_cpu_share=0.03, harness_cpu_share=0.2)]
    said = (
        "100 agents, verifier cold: peak memory ×1.00 (0.98 to 1.02), processor time ×1.20, overhead p50 –, "
        "wall time ×0.999 (0.50 to 1.50)"
    )
    measuring, aa, drift = printed(experiment(rows, controls), 100).splitlines()[-3:]
    assert measuring == "measuring took: endpoint CPU 0.020 cores, harness CPU 0.20 cores"
    assert aa.startswith("A/A ")
    assert "python against itself" in aa
    assert aa.endswith(said)
    assert drift.endswith(said)


def test_a_name_that_is_too_long_goes_on_in_a_second_line() -> None:
    rows = [row("a-runtime-whose-name-has-all-40-letters", SPOILT, peak_rss_mib=18.4)]
    assert printed(experiment(rows), 40).splitlines()[3:8] == [
        "  cold",
        "runtime                    peak",
        "                            MiB",
        "a-runtime-whose-name-has- 18.4✗",
        "all-40-letters ✗",
    ]


NAMES = ("cpp", "floor", "go-tuned", "python", "a-runtime-whose-name-has-all-40-letters")
amount = st.just(0.0) | st.floats(0.001, 99_999)
figure = (
    st.none()
    | amount
    | st.lists(amount, min_size=3, max_size=3).map(sorted).map(lambda its: (its[1], its[0], its[2]))
)
SHOWN = (
    "peak_rss_mib",
    "overhead_ms_p50",
    "overhead_ms_p95",
    "peak_rss_x_floor",
    "peak_rss_x_baseline",
    "wall_s",
)


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    cells = draw(
        st.lists(
            st.tuples(st.sampled_from(NAMES), st.sampled_from([1, 100, 10_000])), min_size=1, unique=True
        )
    )
    return [
        row(
            name,
            *draw(st.sampled_from([(), (), (LATE,), (SPOILT,)])),
            agents=agents,
            **draw(st.fixed_dictionaries(dict.fromkeys(SHOWN, figure))),
        )
        for name, agents in cells
    ]


@settings(deadline=None)  # the first quantile of the studentized range takes a quarter of a second
@given(rows(), st.integers(40, 160))
def test_on_a_terminal_no_line_is_longer_than_it_is_wide(found: list[Row], width: int) -> None:
    text = printed(experiment(found), width, terminal=True)
    assert [line for line in text.splitlines() if len(line) > width] == []


@settings(deadline=None)  # the first quantile of the studentized range takes a quarter of a second
@given(rows(), st.integers(40, 160))
def test_every_figure_in_a_table_is_one_of_the_findings_and_whole(found: list[Row], width: int) -> None:
    written = {
        METRICS[name].shown(metric.median) for each in found for name, metric in each.metrics.items()
    } | {f"{each.cell.agents:,}" for each in found}
    for line in printed(experiment(found), width).splitlines():
        if line.startswith(NAMES) and ":" not in line and " to " not in line:
            for word in line.removesuffix(" ").split()[1:]:
                assert word.rstrip("*✗") in {*written, "", "–"}


def left_out(text: str) -> set[str]:
    found = re.findall(r"no room in \d+ columns for (.*): --json has them", text)
    return {name for names in found for name in names.split(", ")}


@settings(deadline=None)  # the first quantile of the studentized range takes a quarter of a second
@given(rows(), st.integers(40, 160))
def test_what_is_left_out_with_more_room_is_left_out_with_less(found: list[Row], width: int) -> None:
    made = experiment(found)
    assert left_out(printed(made, width + 1)) <= left_out(printed(made, width))

"""The tables and sentences after a run: exactly, for made-up findings, at several widths."""

import io
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agentdyno.analysis.controls import Comparison
from agentdyno.analysis.gate import Failure
from agentdyno.analysis.ratio import Ratio
from agentdyno.report.terminal import print_findings
from agentdyno.results.experiment import Experiment
from agentdyno.results.summary import Row
from report.synthetic import LATE, experiment, row

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

AT_100 = """
medians of 3 runs, 100 builtin tasks, profile chat-7b, 100 agents, verifier cold
runtime           peak       95%              passed first recov- fail- err-   re- CPU ms wall
                   MiB  interval ×floor ×base                ered    ed  ors tries  /task    s
cpp ✗             13.5 13.4–13.6   29.0  0.73    96%    87      9     4    0  0.27    8.7 37.9
floor              0.5   0.5–0.5    1.0  0.03    96%    87      9     4    0  0.27    4.8 37.9
python            18.4 18.4–18.4   39.5  1.00    96%    87      9     4    0  0.27   12.3 37.9
rust              6.1*   6.0–6.1   13.0  0.33    96%    87      9     4    0  0.27   5.7* 37.9
typescript-tuned  48.3 47.8–48.9  103.5  2.63    96%    87      9     4    0  0.27   21.1 37.9

milliseconds of an attempt, 100 agents, verifier cold
runtime          overhead       95%                          model      queue      verify
                      p50  interval ×floor ×base   p95   p99   p50  p99   p50  p99    p50 p99
cpp ✗                 9.2  6.6–11.9    1.4  0.56  18.9  19.7  5781 8207  2134 4956    186 346
floor                 5.4  2.6–14.1    1.0  0.37  12.3  13.5  5781 8207  2134 4956    186 346
python              14.3* 10.5–20.9    2.7  1.00  24.1  27.4  5781 8207  2134 4956    186 346
rust                 6.1*  3.8–11.8    1.1  0.43  8.5* 10.3*  5781 8207  2134 4956    186 346
typescript-tuned     26.5 22.0–31.8    5.0  1.85  31.5   103  5781 8207  2134 4956    186 346

* best among the rows with as many agents, or not to be told from the best, as their 95% intervals meet; \
floor, the practical limit, and INVALID rows do not compete
measuring took, of one core: –
INVALID cpp, 100 agents, verifier cold, run 1: the endpoint was late, p99 12.4 ms (limit 10 ms): \
give it a free core
"""

AT_60 = """
medians of 3 runs, 100 builtin tasks, profile chat-7b, 100
  agents, verifier cold
runtime           peak       95%              passed CPU ms
                   MiB  interval ×floor ×base         /task
cpp ✗             13.5 13.4–13.6   29.0  0.73    96%    8.7
floor              0.5   0.5–0.5    1.0  0.03    96%    4.8
python            18.4 18.4–18.4   39.5  1.00    96%   12.3
rust              6.1*   6.0–6.1   13.0  0.33    96%   5.7*
typescript-tuned  48.3 47.8–48.9  103.5  2.63    96%   21.1
no room in 60 columns for first, recovered, failed, errors, retries, wall s: --json has them

milliseconds of an attempt, 100 agents, verifier cold
runtime          overhead       95%
                      p50  interval ×floor ×base   p95   p99
cpp ✗                 9.2  6.6–11.9    1.4  0.56  18.9  19.7
floor                 5.4  2.6–14.1    1.0  0.37  12.3  13.5
python              14.3* 10.5–20.9    2.7  1.00  24.1  27.4
rust                 6.1*  3.8–11.8    1.1  0.43  8.5* 10.3*
typescript-tuned     26.5 22.0–31.8    5.0  1.85  31.5   103
no room in 60 columns for model p50, model p99, queue p50, queue p99, verify p50, verify p99: \
--json has them
"""

AT_40 = """
medians of 3 runs, 100 builtin tasks,
  profile chat-7b, 100 agents, verifier
  cold
runtime           peak       95%
                   MiB  interval ×floor
cpp ✗             13.5 13.4–13.6   29.0
floor              0.5   0.5–0.5    1.0
python            18.4 18.4–18.4   39.5
rust              6.1*   6.0–6.1   13.0
typescript-tuned  48.3 47.8–48.9  103.5
no room in 40 columns for peak ×base,
  passed, first, recovered, failed,
  errors, retries, CPU ms/task, wall s:
  --json has them

milliseconds of an attempt, 100 agents,
  verifier cold
runtime          overhead       95%
                      p50  interval
cpp ✗                 9.2  6.6–11.9
floor                 5.4  2.6–14.1
python              14.3* 10.5–20.9
rust                 6.1*  3.8–11.8
typescript-tuned     26.5 22.0–31.8
no room in 40 columns for overhead
  ×floor, overhead ×base, overhead p95,
  overhead p99, model p50, model p99,
  queue p50, queue p99, verify p50,
  verify p99: --json has them

* best among the rows with as many
  agents, or not to be told from the
  best, as their 95% intervals meet;
  floor, the practical limit, and
  INVALID rows do not compete
measuring took, of one core: –
INVALID cpp, 100 agents, verifier cold,
  run 1: the endpoint was late, p99 12.4
  ms (limit 10 ms): give it a free core
"""


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


def test_in_a_pipe_of_100_columns_nothing_is_left_out() -> None:
    assert printed(experiment(ROWS), 100) == AT_100


def test_what_there_is_no_room_for_is_left_out_and_named() -> None:
    assert printed(experiment(ROWS), 60).startswith(AT_60)


def test_on_a_narrow_terminal_sentences_are_wrapped_with_a_hanging_indent() -> None:
    assert printed(experiment(ROWS), 40, terminal=True) == AT_40


def test_on_a_terminal_the_best_stand_out_and_what_is_not_valid_is_struck() -> None:
    text = printed(experiment(ROWS), 100, terminal=True, colours="yes")
    assert "\x1b[1;32m 6.1*\x1b[0m" in text
    assert "\x1b[9mcpp ✗" in text
    assert "\x1b[31mINVALID cpp" in text


def test_no_color_leaves_the_marks() -> None:
    text = printed(experiment(ROWS), 100, terminal=True, colours="NO_COLOR")
    assert re.findall(r"\x1b\[(?!0m|1m|9m)[\d;]*m", text) == []
    assert "\x1b[1m 6.1*\x1b[0m" in text
    assert "\x1b[9mcpp ✗" in text
    assert "\x1b" not in printed(experiment(ROWS), 100)


def test_one_run_has_no_interval_and_the_least_figure_is_marked() -> None:
    rows = [
        row("go", peak_rss_mib=11.04),
        row("python", peak_rss_mib=18.4),
        row("go-tuned", peak_rss_mib=11.01),
    ]
    text = printed(experiment(rows, repeats=1), 100)
    assert table_of(text, ["go", "go-tuned", "python"]) == {
        "go": ["go", "11.0*", "96%", "87", "9", "4", "0", "0.27", "–", "37.9"],
        "go-tuned": ["go-tuned", "11.0*", "96%", "87", "9", "4", "0", "0.27", "–", "37.9"],
        "python": ["python", "18.4", "96%", "87", "9", "4", "0", "0.27", "–", "37.9"],
    }
    lines = text.splitlines()
    assert lines[1] == "one run, 100 builtin tasks, profile chat-7b, 100 agents, verifier cold"
    assert lines[-3:-1] == [
        "* least among the rows with as many agents, which may be chance; "
        "floor, the practical limit, and INVALID rows do not compete",
        "fewer than 3 runs of a row have no 95% interval: measure with --repeats 3 or more",
    ]


def test_a_row_of_too_few_runs_among_others_has_no_interval() -> None:
    text = printed(
        experiment([row("go", peak_rss_mib=(11.0, 10.8, 11.4)), row("python", peak_rss_mib=18.4)]), 100
    )
    assert [words[:3] for words in table_of(text, ["go", "python"]).values()] == [
        ["go", "11.0*", "10.8–11.4"],
        ["python", "18.4", "–"],
    ]
    assert text.splitlines()[-3].startswith(
        "* best among the rows with as many agents, or not to be told from"
    )
    assert text.splitlines()[-2].startswith("fewer than 3 runs of a row have no 95% interval: ")


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
        assert figures == [["python", "1", "1.0"], ["python", "1000", "1000.0"]] + [
            ["python", agents, "–"] for agents in ("1", "1000")
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
    assert text.partition("with all")[2].partition("\nmeasuring")[0] == (
        " agents at work, 100 agents, verifier cold\n"
        "runtime plateau tasks/s overhead\n"
        "              s              p50 p95 p99\n"
        "python     12.0     3.2      1.5   –   –\n"
        "\n"
        "milliseconds of a task, 100 agents, verifier cold\n"
        "runtime from due         from begun\n"
        "             p50 p95 p99        p50 p95 p99\n"
        "python      9000   –   –      100.0   –   –\n"
        "\n"
        "fewer than 3 runs of a row have no 95% interval: measure with --repeats 3 or more"
    )


def test_what_stands_against_all_rows_is_said_once() -> None:
    drift = Failure("sentinel", None, "it drifted", "measure again", is_fault=False)
    rows = [row("go", drift), row("python", LATE, drift)]
    lines = printed(experiment(rows), 100).splitlines()
    assert [line for line in lines if line.startswith("INVALID")] == [
        "INVALID all rows, it drifted: measure again",
        "INVALID python, 100 agents, verifier cold, run 1: the endpoint was late, p99 12.4 ms (limit 10 ms): "
        "give it a free core",
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
        "100 agents, verifier cold: memory ×1.00 (0.98 to 1.02), CPU ×1.20, overhead p50 –, "
        "wall ×1.00 (0.50 to 1.50)"
    )
    assert printed(experiment(rows, controls), 100).splitlines()[-3:] == [
        "measuring took, of one core: endpoint 2.0%, harness 20.0%",
        f"A/A, python against itself, {said}",
        f"sentinel, the first run again at the end, {said}",
    ]


def test_a_name_that_is_too_long_goes_on_in_a_second_line() -> None:
    rows = [row("a-runtime-whose-name-has-all-40-letters", LATE, peak_rss_mib=18.4)]
    assert printed(experiment(rows), 40).splitlines()[3:8] == [
        "  cold",
        "runtime                   peak",
        "                           MiB",
        "a-runtime-whose-name-has- 18.4",
        "all-40-letters ✗",
    ]


NAMES = ("cpp", "floor", "go-tuned", "python", "a-runtime-whose-name-has-all-40-letters")
amount = st.floats(0, 99_999)
figure = (
    st.none()
    | amount
    | st.lists(amount, min_size=3, max_size=3).map(sorted).map(lambda its: (its[1], its[0], its[2]))
)
SCALE = {"share": 100, "s/task": 1000}
METRICS = (
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
            *draw(st.sampled_from([(), (), (LATE,)])),
            agents=agents,
            **draw(st.fixed_dictionaries(dict.fromkeys(METRICS, figure))),
        )
        for name, agents in cells
    ]


@given(rows(), st.integers(40, 160))
def test_on_a_terminal_no_line_is_longer_than_it_is_wide(found: list[Row], width: int) -> None:
    text = printed(experiment(found), width, terminal=True)
    assert [line for line in text.splitlines() if len(line) > width] == []


@given(rows(), st.integers(40, 160))
def test_every_figure_in_a_table_is_one_of_the_findings_and_whole(found: list[Row], width: int) -> None:
    known = [
        value * SCALE.get(metric.unit, 1)
        for each in found
        for metric in each.metrics.values()
        for value in (metric.median, *(metric.ci95 or ()))
        if value is not None
    ]
    known += [each.cell.agents for each in found]
    for line in printed(experiment(found), width).splitlines():
        if line.startswith(NAMES) and ":" not in line:
            for number in re.findall(r"(?<=[ –])\d+(?:\.\d+)?(?=[ –*%]|$)", line):
                half = 0.5 * 10 ** -len(number.partition(".")[2])
                assert any(abs(value - float(number)) <= half * 1.0001 for value in known)


def left_out(text: str) -> set[str]:
    found = re.findall(r"no room in \d+ columns for (.*): --json has them", text)
    return {name for names in found for name in names.split(", ")}


@given(rows(), st.integers(40, 160))
def test_what_is_left_out_with_more_room_is_left_out_with_less(found: list[Row], width: int) -> None:
    made = experiment(found)
    assert left_out(printed(made, width + 1)) <= left_out(printed(made, width))

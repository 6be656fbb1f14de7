"""The tables and sentences that a person reads after a run, a sweep or a comparison of controls."""

from collections.abc import Iterator, Sequence

from rich.console import Console

from agentdyno.analysis.controls import Comparison
from agentdyno.analysis.difference import LEAST_BLOCKS
from agentdyno.analysis.ratio import FLOOR, Ratio
from agentdyno.analysis.registry import METRICS, MetricDefinition
from agentdyno.analysis.statistics import median as median_of
from agentdyno.format import INVALID, MISSING, ratio, ratio_interval, runs
from agentdyno.report.columns import FROM_DUE, OUTCOMES, OVER_BEST, STEADY, TIMES, Layout, headings
from agentdyno.report.tables import BEST, Column, marked, say, show_columns
from agentdyno.results.experiment import Experiment
from agentdyno.results.summary import Row, invalid
from agentdyno.results.sweep import SHOWN, Point, Swept, complaints, sentences
from agentdyno.rundata.cell import AA_CONTROL, DRIFT_CHECK, UNSAMPLED
from agentdyno.runner.checks import AT_ONCE

GOES_FIRST = (
    "endpoint_cpu_share",
    "endpoint_lateness_ms_p99",
    "max_in_flight",
    "tasks_per_s",
    "cpu_s_per_task",
    "overhead_ms_p99",
)
"""What may be left out, the least important first."""

NOT_VALID = (
    f"{INVALID} not valid: above the capacity, with fewer attempts than percentiles take, or as said below; "
    "table.md has every reason"
)


def print_sweep(console: Console, found: Sequence[Swept], rows: Sequence[Row]) -> None:
    """Print a table of each runtime, the cost of an agent and the capacity below it, and what is wrong."""
    goes_first = [METRICS[name].called for name in GOES_FIRST]
    for each in found:
        title = f"{each.runtime} against agents, times in ms, verifier {each.verifier}"
        show_columns(console, title, _columns(each), goes_first)
        for line in sentences(each):
            say(console, line)
    if not all(point.valid for each in found for point in each.points):
        say(console, NOT_VALID)
    for line in complaints(found, rows):
        say(console, line, "red")


def _columns(each: Swept) -> list[Column]:
    agents = [f"{point.agents:,}{f' {INVALID}' if point.is_void else ''}" for point in each.points]
    metrics = [METRICS[name] for name in SHOWN]
    return [
        Column("agents", "agents\n", agents),
        *(
            Column(metric.called, heading, _figures(each.points, metric))
            for metric, heading in zip(metrics, headings(metrics), strict=True)
        ),
    ]


def _figures(points: Sequence[Point], metric: MetricDefinition) -> list[str]:
    medians = [point.metrics.get(metric.name) for point in points]
    marks = [
        "" if median is None or point.has_valid(metric.name) else INVALID
        for point, median in zip(points, medians, strict=True)
    ]
    return marked([metric.shown(median) for median in medians], marks)


CONTROLS = {
    AA_CONTROL: "A/A control, {runtime} against itself",
    DRIFT_CHECK: "drift check, the first run again at the end",
    UNSAMPLED: "{runtime} without the sampler, against {runtime} with the sampler",
}
INSTRUMENT = ("endpoint_cpu_share", "harness_cpu_share", "sampler_cpu_share")

DO_NOT_COMPETE = f"{FLOOR}, the practical limit, and figures with {INVALID} do not compete"
IS_BEST = (
    f"{BEST} best: no row with as many agents surely takes less (simultaneous 95% CI, docs/method.md); "
    f"{DO_NOT_COMPETE}"
)
OVER_BEST_OTHER = (
    "× best other: times the best of the other rows, 95% CI; above 1 where another row is better"
)
TOO_FEW = (
    f"fewer than {LEAST_BLOCKS} runs of a row cannot tell rows apart: measure with --repeats {LEAST_BLOCKS} "
    "or more"
)


def print_findings(console: Console, experiment: Experiment) -> None:
    """Print the rows of each verifier: first memory and outcomes, then where the time of an attempt went;
    then what measuring took, what the controls show, and why rows are not valid.

    Where tasks were scheduled, their times are shown from when they were due, and from when they were begun.
    """
    rows, is_marked, is_compared = experiment.summary.rows, False, False
    for verifier in dict.fromkeys(row.cell.verifier for row in rows):
        its = [row for row in rows if row.cell.verifier == verifier]
        for title, layout in _tables(experiment, its):
            columns = layout.columns(experiment, its)
            title = f"{title}, {_agents(its)}verifier {verifier}"
            shown = show_columns(console, title, columns, layout.names_that_go_first)
            is_compared |= any(column.name.endswith(OVER_BEST) for column in shown)
            is_marked |= any(cell.endswith(BEST) for column in shown for cell in column.cells)
    console.print()
    for line in _notes(rows, is_marked=is_marked, is_compared=is_compared):
        say(console, line)
    if again := experiment.made_again:
        say(console, f"made again, because other programs disturbed the first try: {runs(again)}")
    for line in [_instrument(rows), *map(_control, experiment.summary.comparisons)]:
        say(console, line)
    for line in (remark for row in rows for remark in row.remarks):
        say(console, line, "yellow")
    for line in _complaints(rows):
        say(console, line, "red")


def _tables(experiment: Experiment, rows: Sequence[Row]) -> Iterator[tuple[str, Layout]]:
    """What is shown of the rows of one verifier."""
    yield _title(experiment), OUTCOMES
    yield "milliseconds of an attempt", TIMES
    if any(row.metrics["steady_tasks_per_s"].median is not None for row in rows):
        yield "steady state, times in ms", STEADY
    if experiment.document["experiment"]["arrivals"] != AT_ONCE:
        yield "milliseconds of a task", FROM_DUE


def _title(experiment: Experiment) -> str:
    asked = experiment.document["experiment"]
    repeats = asked["repeats"]
    runs = "one run" if repeats == 1 else f"medians of {repeats} runs"
    if asked["until_ci"] is not None:
        runs += " or more"
    if not asked["complete"]:
        runs += ", not all of which were made"
    counts = sorted({max(asked["limit"], cell.agents) for cell in experiment.cells})
    tasks = f"{', '.join(map(str, counts))} {asked['tasks']} tasks"
    return f"{runs}, {tasks}, profile {asked['profile']}"


def _agents(rows: Sequence[Row]) -> str:
    """How many agents, where the rows do not say."""
    agents = {row.cell.agents for row in rows}
    if len(agents) > 1:
        return ""
    return "1 agent, " if agents == {1} else f"{agents.pop()} agents, "


def _notes(rows: Sequence[Row], *, is_marked: bool, is_compared: bool) -> Iterator[str]:
    if is_marked:
        yield IS_BEST
    if is_compared:
        yield OVER_BEST_OTHER
    if min(len(row.metrics["peak_rss_mib"].values) for row in rows) < LEAST_BLOCKS:
        yield TOO_FEW


def _instrument(rows: Sequence[Row]) -> str:
    """What measuring itself took, as the median over the rows."""
    said = [
        f"{METRICS[name].label} {METRICS[name].with_unit(median)}"
        for name in INSTRUMENT
        if (median := median_of([row.metrics[name].median for row in rows])) is not None
    ]
    return f"measuring took: {', '.join(said) or MISSING}"


def _control(comparison: Comparison) -> str:
    what = CONTROLS[comparison.control].format(runtime=comparison.runtime)
    ratios = [f"{METRICS[metric].label} {_ratio(its)}" for metric, its in comparison.ratios.items()]
    return f"{what}, {comparison.agents} agents, verifier {comparison.verifier}: {', '.join(ratios)}"


def _ratio(its: Ratio) -> str:
    within = f" ({ratio_interval(its.ci95)})" if its.ci95 else ""
    return f"{ratio(its.median)}{within}"


def _complaints(rows: Sequence[Row]) -> list[str]:
    """Why rows are not valid; what stands against the whole experiment is said once."""
    of_all = [failure for failure in rows[0].failures if failure.run is None]
    return [
        *(f"{invalid(failure)} all rows, {failure.line}" for failure in of_all),
        *(row.complaint(failure) for row in rows for failure in row.failures if failure.run is not None),
    ]

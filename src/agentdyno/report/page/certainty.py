"""How certain a report is, in sentences: who leads in a metric, and who is not distinct from the leader."""

from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.difference import LEAST_BLOCKS, Difference, Group
from agentdyno.analysis.gate import Failure
from agentdyno.analysis.gates import ENOUGH
from agentdyno.analysis.registry import METRICS, MetricDefinition
from agentdyno.format import capitalised, counted, listed, percent, ratio, runs
from agentdyno.results.experiment import Experiment
from agentdyno.results.groups import competing, group
from agentdyno.results.summary import Row
from agentdyno.results.sweep import Swept
from agentdyno.rundata.cell import AA_CONTROL, DRIFT_CHECK, Cell

NULL = "null"
"""The verifier that runs no tests, and so shows the runtime alone."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a runtime may be picked by; less is better.

    It is taken with the tests running (`of_tests`), or where it can be had without them.
    """

    metric: MetricDefinition
    name: str
    best: str
    of_tests: bool


CRITERIA = (
    Criterion(METRICS["peak_rss_mib"], "memory", "least memory", of_tests=True),
    Criterion(METRICS["overhead_ms_p50"], "overhead", "lowest overhead", of_tests=False),
    Criterion(METRICS["cpu_s_per_task"], "processor time", "least processor time", of_tests=False),
)


@dataclass(frozen=True, slots=True)
class Place:
    """One runtime's figure, in the metric's own unit; `least_over_this` is the least figure as a share of it,
    and `over_best_other` how many times the best of the others it is, as a 95% CI, None with too few runs.
    """

    row: Row
    figure: float
    least_over_this: Difference | None
    over_best_other: tuple[float, float] | None

    @property
    def runtime(self) -> str:
        """Its name."""
        return self.row.cell.runtime


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows that compete by one criterion at one number of agents, least first; `group` says which differ."""

    criterion: Criterion
    agents: int
    verifier: str
    places: list[Place]
    group: Group[Cell]

    @property
    def leaders(self) -> list[Place]:
        """Those that no other surely takes less than: all of them where none can be told from another."""
        led = set(self.group.leaders)
        return [place for place in self.places if place.row.cell in led] or self.places

    @property
    def next(self) -> Place | None:
        """The first that is none of the leaders."""
        leaders = self.leaders
        return next((place for place in self.places if place not in leaders), None)

    @property
    def is_sure(self) -> bool:
        """Whether there are blocks enough to tell anything."""
        return self.group.can_tell


def rankings(experiment: Experiment) -> list[Ranking]:
    """One for each number of agents and criterion for which there is a figure; `floor` is no contender."""
    found = []
    for agents in sorted({row.cell.agents for row in experiment.rows}):
        for criterion in CRITERIA:
            contenders = competing(experiment.rows, criterion.metric.name)
            its = [row for row in contenders if row.cell.agents == agents]
            if not its:
                continue
            verifier = _verifier(its, criterion)
            rows = [row for row in its if row.cell.verifier == verifier]
            compared = group(experiment, rows[0].cell, criterion.metric.name)
            if places := _places(compared, criterion, rows):
                found.append(Ranking(criterion, agents, verifier, places, compared))
    return found


def aa_difference(experiment: Experiment, metric: str) -> float | None:
    """By how much, as a share, a runtime differed from itself in the A/A control, by the median of its pairs;
    None where there is no such control.
    """
    return next(
        (
            max(ratio, 1 / ratio) - 1
            for comparison in experiment.summary.comparisons
            if comparison.control == AA_CONTROL and (ratio := comparison.ratios[metric].median)
        ),
        None,
    )


def _verifier(rows: Sequence[Row], criterion: Criterion) -> str:
    names = list(dict.fromkeys(row.cell.verifier for row in rows))
    return next((name for name in names if (name != NULL) == criterion.of_tests), names[0])


def _places(compared: Group[Cell], criterion: Criterion, rows: Sequence[Row]) -> list[Place]:
    medians = {
        row.cell: median for row in rows if (median := row.metrics[criterion.metric.name].median) is not None
    }
    there = sorted((row for row in rows if row.cell in medians), key=lambda row: medians[row.cell])
    return [
        Place(
            row,
            medians[row.cell],
            compared.differences.get((there[0].cell, row.cell)),
            compared.over_best_other(row.cell) if row.cell in compared.rows else None,
        )
        for row in there
    ]


def certainty(experiment: Experiment, swept: Sequence[Swept]) -> list[str]:
    """What stands behind the figures, and what stands against them; what to do where something does.

    A sweep is not about who takes least with so many agents, so of it nothing is left out.
    """
    rows = experiment.summary.rows
    return [
        *_completeness(experiment, "sweep" if swept else "run"),
        *_made_again(experiment),
        *_validity(rows, is_sweep=bool(swept)),
        _intervals(rows),
        *_aa_control(experiment),
        *([] if swept else _resolution(experiment)),
        *_drift(experiment),
        *_service(experiment),
    ]


def _completeness(experiment: Experiment, command: str) -> list[str]:
    if experiment.document["experiment"]["complete"]:
        return []
    return [
        f"The experiment was not finished: {counted(len(experiment.runs), 'run')} of it are here. "
        f"`agentdyno {command} --resume DIR` goes on with it."
    ]


def _made_again(experiment: Experiment) -> list[str]:
    again = experiment.made_again
    return [f"Made again, because other programs disturbed the first try: {runs(again)}."] if again else []


def _validity(rows: Sequence[Row], *, is_sweep: bool) -> list[str]:
    """How many rows are valid; in a sweep, that few agents make few attempts is not held against them."""
    forgiven = {ENOUGH} if is_sweep else set()
    against = {
        row.cell: failures
        for row in rows
        if (failures := [failure for failure in row.failures if failure.gate not in forgiven])
    }
    few = sum(not row.valid for row in rows) - len(against)
    but = f", and {few:,} of them have too few attempts for percentiles" if few else ""
    if not against:
        return [f"The one row is valid{but}." if len(rows) == 1 else f"All {len(rows)} rows are valid{but}."]
    of_all = [failure for failure in rows[0].failures if failure.run is None]
    if of_all:
        return [_of_all(failure) for failure in of_all]
    names = listed(
        [f"{cell.runtime} at {cell.agents:,} ({_against(failures)})" for cell, failures in against.items()]
    )
    are = "is" if len(against) == 1 else "are"
    consequence = but if is_sweep else ", and left out above"
    return [f"{len(rows) - len(against)} of {len(rows)} rows are valid; {names} {are} not{consequence}."]


def _of_all(failure: Failure) -> str:
    if failure.concerns:
        return f"Of no row {failure.concerns} is valid, as a control failed: {failure.line}."
    return f"No row is valid, as a control failed: {failure.line}."


def _against(failures: Sequence[Failure]) -> str:
    """The first gate, and what of the row is not valid."""
    first = failures[0]
    return f"{first.concerns}: {first.gate}" if first.concerns else first.gate


def _intervals(rows: Sequence[Row]) -> str:
    numbers = [len(row.metrics["peak_rss_mib"].values) for row in rows]
    few, many = min(numbers), max(numbers)
    said = runs(few) if few == many else f"{few} to {many} runs"
    if few < LEAST_BLOCKS:
        return (
            f"{capitalised(said)} of each row: there is no 95% CI, and no difference between rows can be "
            f"told from noise. The command below with `--repeats {LEAST_BLOCKS}` or more gives both."
        )
    return f"Each row is the median of {said}."


def _resolution(experiment: Experiment) -> list[str]:
    """The least ratio that can be told apart, for each criterion; the largest over the numbers of agents."""
    least: dict[str, float] = {}
    for ranking in rankings(experiment):
        if (told_apart := ranking.group.resolution) is not None:
            name = ranking.criterion.name
            least[name] = max(least.get(name, 1.0), told_apart)
    if not least:
        return []
    told = listed([f"{ratio(told_apart)} in {name}" for name, told_apart in least.items()])
    return [f"Differences below about {told} cannot be told from noise here."]


def _aa_control(experiment: Experiment) -> list[str]:
    controls = [
        comparison for comparison in experiment.summary.comparisons if comparison.control == AA_CONTROL
    ]
    if not controls:
        return [
            "There is no A/A control (`--controls aa`): nothing shows what a runtime differs from itself by."
        ]
    differs = [
        f"{percent(by)} in {criterion.name}"
        for criterion in CRITERIA
        if (by := aa_difference(experiment, criterion.metric.name)) is not None
    ]
    return [f"A/A control: {controls[0].runtime} differed from itself by {listed(differs)}."]


def _drift(experiment: Experiment) -> list[str]:
    again = [
        comparison.ratios
        for comparison in experiment.summary.comparisons
        if comparison.control == DRIFT_CHECK
    ]
    return [
        f"Drift check: the first run, made again at the end, differed by {percent(abs(memory - 1))} in "
        f"memory and {percent(abs(wall - 1))} in wall time."
        for ratios in again
        if (memory := ratios["peak_rss_mib"].median) is not None
        and (wall := ratios["wall_s"].median) is not None
    ]


def _service(experiment: Experiment) -> list[str]:
    if experiment.document["experiment"]["simulated"]:
        return []
    return [
        "A real model served the runs: its replies, its times and the tasks passed are its own and differ "
        "from run to run.",
        *(f"{remark}." for row in experiment.summary.rows for remark in row.remarks),
    ]

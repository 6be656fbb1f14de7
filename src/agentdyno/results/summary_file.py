"""What `summary.json` must hold, so that everything that reads an experiment can rely on it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from agentdyno.analysis.controls import Comparison
from agentdyno.analysis.gate import ALL, Failure
from agentdyno.analysis.gates import KINDS
from agentdyno.analysis.notes import Note
from agentdyno.analysis.registry import METRICS, Kind
from agentdyno.results.summary import Metric, Row, Summary
from agentdyno.rundata.cell import CONTROL_NAMES, Cell
from agentdyno.shape import AtLeast1, Count, Json, Must, Positive, Text, Unfit, Url, shaped


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text) is not None
    except ValueError:
        return False


Moment = Annotated[str, Must("a date and a time as in ISO 8601", _is_moment)]


class _Cell(TypedDict):
    runtime: Text
    agents: AtLeast1
    verifier: Text
    profile: Text


class _Run(_Cell):
    folder: Text
    block: Count
    control: Literal["", "twin", "sentinel", "unsampled"]
    sha256: dict[str, str]


class _Runtime(TypedDict):
    language: str
    description: str
    run: list[str]


class _Times(TypedDict):
    ttft: str
    itl: str


class _Asked(TypedDict):
    """What was asked for, and the runs that were made. Version 0.1.0 had neither `times` nor references."""

    command: list[str]
    started: Moment
    written: Moment
    complete: bool
    simulated: bool
    cells: list[_Cell]
    runs: list[_Run]
    runtimes: dict[str, _Runtime]
    tasks: Text
    limit: Count
    repeats: Count
    until_ci: Positive | None
    max_repeats: Count
    controls: list[str]
    baseline: str | None
    arrivals: Text
    cgroup: bool
    references_sha256: NotRequired[str | None]
    profile: Text
    times: NotRequired[_Times | None]
    endpoint: Text
    model: Text
    request: dict[str, Json]
    seed: Count
    verifiers: list[str]
    verify_slots: Count
    verify_timeout_s: Positive
    max_retries: Count
    timeouts: dict[str, float]
    transport: dict[str, float]


class _RealEndpoint(TypedDict):
    endpoint: Url


class _OfARealEndpoint(TypedDict):
    experiment: _RealEndpoint


class _OpenFiles(TypedDict):
    soft: int
    hard: int


class _Verifier(TypedDict):
    name: Text


class _Environment(TypedDict):
    cpu: str
    cpus: Count
    architecture: str
    kernel: str
    system: str
    memory_mib: Count
    memory_available_mib: Count
    swap_mib: Count
    load_average: list[float]
    open_files: _OpenFiles
    virtualised: bool
    python: str
    verifiers: list[_Verifier]
    agentdyno: str
    libraries: dict[str, str]
    git_commit: str | None
    git_dirty: bool | None


@dataclass(frozen=True, slots=True)
class _Failure:
    """A failure as it is written; version 0.1.0 wrote no kinds, and they are those of the gate today."""

    gate: str
    run: int | None
    reason: str
    remedy: str
    is_fault: bool
    kinds: list[Kind] | None = None

    @property
    def failure(self) -> Failure:
        kinds = KINDS.get(self.gate, ALL) if self.kinds is None else self.kinds
        return Failure(self.gate, self.run, self.reason, self.remedy, self.is_fault, list(kinds))


@dataclass(frozen=True, slots=True)
class _Row:
    runtime: Text
    agents: AtLeast1
    verifier: Text
    profile: Text
    failures: list[_Failure]
    methods: dict[str, str | None]
    metrics: dict[str, Metric]
    notes: list[Note] = field(default_factory=list)

    @property
    def row(self) -> Row:
        cell = Cell(self.runtime, self.agents, self.verifier, self.profile)
        failures = [each.failure for each in self.failures]
        return Row(cell, failures, self.metrics, self.methods, self.notes)


class _Document(TypedDict):
    experiment: _Asked
    environment: _Environment
    rows: list[Json]
    controls: list[Json]


@dataclass(frozen=True, slots=True)
class _Findings:
    rows: list[_Row]
    controls: list[Comparison]


NEVER_BELOW_0 = (Kind.MEMORY, Kind.PROCESSOR_TIME, Kind.OUTCOME, Kind.CONCURRENCY)
"""Times can be: those of a runtime whose events contradict the endpoint's journal."""


def summary_of(document: Mapping[str, Any]) -> Summary:
    """The findings in the document of a `summary.json`; an Unfit says where it is not such a document."""
    asked = shaped(document, _Document)["experiment"]
    if not asked["simulated"]:
        shaped(document, _OfARealEndpoint)
    found = shaped(document, _Findings)
    # A run that was made again is in its block more than once.
    counted = Counter(cell for cell, _ in {(_cell(run), run["block"]) for run in asked["runs"]})
    rows = [each.row for each in found.rows]
    for place, row in enumerate(rows):
        try:
            _check_row(row, counted[row.cell])
        except Unfit as wrong:
            raise wrong.within(place).within("rows") from None
    if len({row.cell for row in rows}) < len(rows):
        raise Unfit("must not hold a row twice", "rows")
    for place, comparison in enumerate(found.controls):
        try:
            _check_control(comparison)
        except Unfit as wrong:
            raise wrong.within(place).within("controls") from None
    return Summary(rows, found.controls)


def _cell(run: _Run) -> Cell:
    return Cell(run["runtime"], run["agents"], run["verifier"], run["profile"], run["control"])


def _check_row(row: Row, runs: int) -> None:
    """A row has runs, and every metric with a value for each of them."""
    if not runs:
        raise Unfit("has no run in experiment.runs")
    for name in METRICS.keys() - row.metrics.keys():
        if METRICS[name].since is None:
            raise Unfit("is missing", f"metrics.{name}")
        row.metrics[name] = Metric(None, None, [None] * runs, METRICS[name].unit)
    for name, metric in row.metrics.items():
        try:
            _check_metric(name, metric, runs)
        except Unfit as wrong:
            raise wrong.within(name).within("metrics") from None


def _check_metric(name: str, metric: Metric, runs: int) -> None:
    known = METRICS.get(name)
    if known is None:
        raise Unfit("is no metric of this version")
    if metric.unit != known.unit:
        raise Unfit(f"must be {known.unit}", "unit")
    if len(metric.values) != runs:
        raise Unfit(f"must have a value for each of the {runs} runs, and has {len(metric.values)}", "values")
    if known.kind in NEVER_BELOW_0 and any(
        value is not None and value < 0 for value in (metric.median, *metric.values)
    ):
        raise Unfit("must hold no number below 0")


def _check_control(comparison: Comparison) -> None:
    if comparison.control not in CONTROL_NAMES:
        raise Unfit(f"must be {', '.join(CONTROL_NAMES)}", "control")
    for name in comparison.ratios.keys() - METRICS.keys():
        raise Unfit("is no metric of this version", f"ratios.{name}")

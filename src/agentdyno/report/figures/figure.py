"""What a figure is, the rows that can stand in one chart, and the attempts that rows are made of."""

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from agentdyno.analysis.ledger import Entry
from agentdyno.format import counted
from agentdyno.results.experiment import Experiment
from agentdyno.results.records import Run
from agentdyno.results.summary import Row
from agentdyno.rundata.cell import Cell

MOST_AGENTS = 3
"""With more numbers of agents, figures of a single one are drawn of one alone."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with the same verifier and profile, in the order of the summary; `label` is part of the names of
    their figures, `words` of the titles.
    """

    verifier: str
    label: str
    words: str
    rows: list[Row]

    @property
    def agents(self) -> list[int]:
        """The numbers of agents, fewest first."""
        return sorted({row.cell.agents for row in self.rows})

    def of(self, agents: int) -> "Group":
        """Those of its rows that have so many agents."""
        return Group(
            self.verifier,
            f"{self.label}-{agents}",
            f"{counted(agents, 'agent')}, {self.words}",
            [row for row in self.rows if row.cell.agents == agents],
        )

    def by_runtime(self) -> dict[str, list[Row]]:
        """The rows of each runtime, fewest agents first."""
        found: dict[str, list[Row]] = {}
        for row in sorted(self.rows, key=lambda row: row.cell.agents):
            found.setdefault(row.cell.runtime, []).append(row)
        return {runtime: found[runtime] for runtime in dict.fromkeys(row.cell.runtime for row in self.rows)}


def groups(rows: Iterable[Row]) -> list[Group]:
    """The rows by verifier and profile, in the order in which these first come."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.cell.verifier, row.cell.profile), []).append(row)
    tells_profile = len({profile for _, profile in found}) > 1
    return [
        Group(verifier, f"{verifier}-{slug(profile)}", f"verifier {verifier}, profile {profile}", its)
        if tells_profile
        else Group(verifier, verifier, f"verifier {verifier}", its)
        for (verifier, profile), its in found.items()
    ]


def by_agents(every: Sequence[Group]) -> list[Group]:
    """The groups by numbers of agents as well, most first. A sweep has too many of these to draw them all:
    then it is the largest at which each runtime has a row, or else the largest of all.
    """
    found = []
    for group in every:
        agents = group.agents
        if len(agents) > MOST_AGENTS:
            runtimes = len(group.by_runtime())
            of_all = [number for number in agents if len(group.of(number).rows) == runtimes]
            agents = (of_all or agents)[-1:]
        found += [group.of(number) for number in reversed(agents)]
    return found


def slug(text: str) -> str:
    """The text as part of a file's name and of an anchor."""
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")


Attempts = Mapping[Cell, Sequence[Sequence[Entry]]]
"""The ledgers of each run of a row, by its cell; runs whose files are gone are left out."""


def attempts_of(groups: Iterable[Group], experiment: Experiment) -> Attempts:
    """Those of all rows of the groups."""
    return {
        row.cell: [run.ledger() for run in experiment.runs_of(row.cell) if run.folder.exists()]
        for group in groups
        for row in group.rows
    }


def median_run(experiment: Experiment, row: Row, metric: str) -> Run | None:
    """Of the runs whose files are there, the one with the median of the metric, the lower of the two in the
    middle; None where no run has both.
    """
    runs = [run for run in experiment.runs_of(row.cell) if run.folder.exists()]
    figures = experiment.by_block(row.cell, metric) if runs else {}
    found = [(figure, run) for run in runs if (figure := figures[run.block]) is not None]
    if not found:
        return None
    middle = statistics.median_low([figure for figure, _ in found])
    return next(run for figure, run in found if figure == middle)


Chart = alt.LayerChart | alt.FacetChart | alt.ConcatChart | alt.VConcatChart
"""What Altair draws as a whole."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, and the same in words and in a table for those who cannot see it.

    `name` serves as a file name and an anchor. `title` says what the figure shows, `caption` how to read it
    and what is left out of it. `headings` and `lines` are the table behind it: what the chart says, not every
    sample that it is drawn from.
    """

    name: str
    title: str
    caption: str
    chart: Chart
    headings: list[str]
    lines: list[list[str]]

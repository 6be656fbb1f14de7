"""What is run next: blocks of cells in random order, controls, and the search for a capacity."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from agentdyno.analysis.capacity import capacity, next_to_try
from agentdyno.process import limits
from agentdyno.results.order import blocks, with_controls
from agentdyno.results.summary import Summary
from agentdyno.rundata.cell import DRIFT_CHECK, Cell
from agentdyno.runner.prepare import Prepared, open_files_needed
from agentdyno.runner.results_writer import ResultsWriter
from agentdyno.runner.settings import Settings

Plan = Callable[[ResultsWriter], Iterator[tuple[int, Cell]]]
"""Says what to run next, by what came of the runs so far: block after block, cell after cell."""

NARROW = ("peak_rss_mib", "overhead_ms_p50")
"""The metrics whose intervals `--until-ci` waits for."""


def cells_of(prepared: Prepared) -> list[Cell]:
    """Every combination of what is varied."""
    settings = prepared.settings
    return [
        Cell(manifest.name, agents, verifier, settings.served_by)
        for verifier in settings.verifiers
        for agents in settings.agents
        for manifest in prepared.runtimes
    ]


def repeated(prepared: Prepared) -> Plan:
    """Block after block, as many as asked for or as it takes, and the drift check at last."""
    settings = prepared.settings

    def plan(results: ResultsWriter) -> Iterator[tuple[int, Cell]]:
        cells = with_controls(cells_of(prepared), settings.controls)
        first: Cell | None = None
        for block, order in enumerate(blocks(cells, settings.seed), start=1):
            for cell in order:
                first = first or cell
                yield block, cell
            if block >= settings.least_repeats and not _goes_on(settings, block, results.summary):
                break
        made: Counter[Cell] = Counter()
        yield from _again(results, made, settings.redo)
        if DRIFT_CHECK in settings.controls and first is not None:
            yield block, replace(first, control=DRIFT_CHECK)
            yield from _again(results, made, settings.redo)

    return plan


def _again(results: ResultsWriter, made: Counter[Cell], most: int) -> Iterator[tuple[int, Cell]]:
    """The runs that were disturbed, once more in their blocks, `most` of each cell; `made` counts them.

    What the figures are has no part in it, so nobody can measure until they please.
    """
    while disturbed := [run for run in results.measured if run.is_disturbed and made[run.cell] < most]:
        run = disturbed[0]
        made[run.cell] += 1
        yield run.block, run.cell


def _goes_on(settings: Settings, block: int, found: Summary) -> bool:
    return settings.until_ci is not None and block < settings.max_repeats and bool(wide(settings, found))


def wide(settings: Settings, found: Summary) -> list[str]:
    """The figures whose intervals are not as narrow as `until_ci` asks, a line each."""
    limit = settings.until_ci
    return [
        f"{row.cell.runtime}, {row.cell.agents} agents, verifier {row.cell.verifier}: {name} ±{half:.1%}"
        for row in found.rows
        for name in NARROW
        if limit is not None and (half := row.metrics[name].half_width) is not None and half > limit
    ]


def planned(prepared: Prepared) -> int | None:
    """How many runs `repeated` makes if none is disturbed, where that is known beforehand."""
    settings = prepared.settings
    if settings.until_ci is not None:
        return None
    block = with_controls(cells_of(prepared), settings.controls)
    return len(block) * settings.least_repeats + (DRIFT_CHECK in settings.controls)


def searching(prepared: Prepared) -> Plan:
    """All numbers of agents that were asked for, then of each contender those that find its capacity."""

    def plan(results: ResultsWriter) -> Iterator[tuple[int, Cell]]:
        yield from repeated(prepared)(results)
        for contender in contenders(prepared):
            while (agents := _next(prepared, results, contender)) is not None:
                limits.allow_open_files(open_files_needed(prepared.settings, agents), f"{agents} agents")
                for block in range(1, prepared.settings.least_repeats + 1):
                    yield block, replace(contender, agents=agents)

    return plan


def contenders(prepared: Prepared) -> list[Cell]:
    """A cell of each runtime with each verifier."""
    return [cell for cell in cells_of(prepared) if cell.agents == prepared.settings.agents[0]]


def most_agents(settings: Settings) -> int | None:
    """The most agents that the hard limit on open files leaves room for; None where there is no limit."""
    return limits.most_agents(settings.verify_slots, relayed=settings.real_endpoint is not None)


def _next(prepared: Prepared, results: ResultsWriter, contender: Cell) -> int | None:
    """The number of agents to try next, which is never one that was tried or for which there are no files."""
    its = [run for run in results.measured if replace(run.cell, agents=contender.agents) == contender]
    settings = prepared.settings
    found, most = capacity(its, settings.objective), most_agents(settings)
    agents = next_to_try(found)
    if agents is not None and most is not None:
        agents = min(agents, most)
    return agents if agents != found.kept else None

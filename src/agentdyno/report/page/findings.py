"""What an experiment found, in sentences that follow from the summary, and which runtime to pick."""

from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.difference import LEAST_BLOCKS, compare_rows
from agentdyno.analysis.ratio import FLOOR
from agentdyno.analysis.statistics import slope
from agentdyno.format import capitalised, ci95, counted, listed, multiple
from agentdyno.report.page.certainty import Place, Ranking, rankings
from agentdyno.results.experiment import Experiment
from agentdyno.results.sweep import Swept


@dataclass(frozen=True, slots=True)
class Lead:
    """Who is best in one thing; several `leaders` cannot be told apart."""

    name: str
    best: str
    leaders: list[str]


@dataclass(frozen=True, slots=True)
class Pick:
    """Which runtime to pick, `where` (as "at 100 agents"), and why. Several where nothing decides between
    them, none where there is nothing to go by.
    """

    where: str
    runtimes: list[str]
    why: str


def pick(where: str, leads: Sequence[Lead], usable: set[str], measured: set[str]) -> Pick:
    """The runtime that leads in more than half of the things, alone or with others.

    `measured` are the contenders, `usable` those of them with figures that count.
    """
    if not usable:
        return Pick(where, [], "no row is valid" if measured else "only the practical limit was measured")
    if len(usable) == 1:
        why = "nothing else was measured" if usable == measured else "no other runtime's row is valid"
        return Pick(where, sorted(usable), f"{why}, so there is nothing to choose between")
    if not leads:
        return Pick(where, [], "of no two are there figures with one verifier")
    led = {name: [lead for lead in leads if name in lead.leaders] for name in usable}
    most = max(map(len, led.values()))
    if 2 * most <= len(leads):
        parts = [f"{lead.best}: {listed(lead.leaders)}" for lead in leads]
        return Pick(where, [], f"it depends on what is scarce. {capitalised('; '.join(parts))}")
    # Who shares its leads with fewer has more reason to be picked.
    crowd = {name: sum(len(lead.leaders) for lead in its) for name, its in led.items() if len(its) == most}
    best = sorted(name for name, others in crowd.items() if others == min(crowd.values()))
    if len(best) > 1:
        return Pick(where, best, "nothing that was measured decides between them")
    return Pick(where, best, _why(best[0], leads))


def _why(runtime: str, leads: Sequence[Lead]) -> str:
    won = [lead.best for lead in leads if lead.leaders == [runtime]]
    parts = [listed(won)] if won else []
    for lead in leads:
        others = [name for name in lead.leaders if name != runtime]
        if runtime not in lead.leaders:
            parts.append(f"{lead.best}: {listed(others)}")
        elif others:
            parts.append(f"in {lead.name} it cannot be told from {listed(others)}")
    return "; ".join(parts)


def picks_for_many(experiment: Experiment, swept: Sequence[Swept]) -> list[Pick]:
    """Which runtime to pick for many agents, by the memory of one more and by how many there can be; one for
    each verifier.
    """
    found = []
    for verifier in dict.fromkeys(each.verifier for each in swept):
        measured = [each for each in swept if each.verifier == verifier and each.runtime != FLOOR]
        usable = [each for each in measured if each.memory is not None or each.capacity.kept]
        where = "for many agents"
        if len({each.verifier for each in swept}) > 1:
            where += f", verifier {verifier}"
        leads = [*_least_memory(experiment, usable), *_most_agents(usable)]
        found.append(
            pick(where, leads, {each.runtime for each in usable}, {each.runtime for each in measured})
        )
    return found


def _least_memory(experiment: Experiment, swept: Sequence[Swept]) -> list[Lead]:
    """By the one rule of difference, a slope a block being the figure: a sweep of one block cannot tell."""
    slopes = {each.runtime: _slopes_by_block(experiment, each) for each in swept if each.memory is not None}
    found = compare_rows(slopes)
    if not found.can_tell:
        return []
    leaders = found.leaders or list(found.rows)
    return [Lead("memory an agent", "least memory an agent", leaders)]


def _slopes_by_block(experiment: Experiment, each: Swept) -> dict[int, float | None]:
    """KiB an agent in each block of the sweep, through the rows with which nothing is wrong."""
    points: dict[int, list[tuple[int, float]]] = {}
    for row in experiment.rows:
        if (row.cell.runtime, row.cell.verifier) == (each.runtime, each.verifier) and row.is_sound:
            for block, peak in experiment.by_block(row.cell, "peak_rss_mib").items():
                if peak is not None:
                    points.setdefault(block, []).append((row.cell.agents, peak))
    return {
        block: found.kib_per_agent
        for block, its in points.items()
        if (found := slope([agents for agents, _ in its], [peak for _, peak in its])) is not None
    }


def _most_agents(swept: Sequence[Swept]) -> list[Lead]:
    """A capacity lies between two numbers of agents; where something else than the runtime gave out, the
    runtime's capacity is above them.
    """
    if not any(each.capacity.kept for each in swept):
        return []
    most = max(each.capacity.kept for each in swept)
    leaders = [each.runtime for each in swept if each.capacity.kept and _may_be_above(each, most)]
    return [Lead("the number of agents", "most agents within the objective", leaders)]


def _may_be_above(each: Swept, agents: int) -> bool:
    found = each.capacity
    is_its_own = found.bottleneck is not None and found.bottleneck.is_runtimes
    return found.broken is None or found.broken > agents or not is_its_own


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence, and the figures it rests on."""

    text: str
    ranking: Ranking


def picks(experiment: Experiment) -> list[Pick]:
    """Which runtime to pick at each number of agents that was measured."""
    found: dict[int, list[Ranking]] = {row.cell.agents: [] for row in experiment.summary.rows}
    for ranking in rankings(experiment):
        found[ranking.agents].append(ranking)
    return [_pick(experiment, agents, found[agents]) for agents in sorted(found)]


def findings(experiment: Experiment) -> list[Finding]:
    """Who takes least of what, by how much less than the next, and how sure that is."""
    verifiers = {row.cell.verifier for row in experiment.summary.rows}
    baseline: str | None = experiment.document["experiment"]["baseline"]
    return [
        Finding(_sentence(ranking, baseline, says_verifier=len(verifiers) > 1), ranking)
        for ranking in rankings(experiment)
    ]


def _pick(experiment: Experiment, agents: int, rankings: Sequence[Ranking]) -> Pick:
    rows = [row for row in experiment.summary.rows if row.cell.agents == agents]
    where = f"at {counted(agents, 'agent')}"
    compared = [ranking for ranking in rankings if len(ranking.places) > 1]
    if compared and not any(ranking.is_sure for ranking in compared):
        return Pick(
            where,
            [],
            f"fewer than {LEAST_BLOCKS} blocks cannot tell which runtime takes less; measure with "
            f"`--repeats {LEAST_BLOCKS}` or more",
        )
    return pick(
        where,
        [_lead(ranking) for ranking in compared if ranking.is_sure],
        {place.runtime for ranking in rankings for place in ranking.places},
        {row.cell.runtime for row in rows} - {FLOOR},
    )


def _lead(ranking: Ranking) -> Lead:
    criterion = ranking.criterion
    return Lead(criterion.name, criterion.best, _names(ranking.leaders))


def _sentence(ranking: Ranking, baseline: str | None, *, says_verifier: bool) -> str:
    criterion, leaders, first = ranking.criterion, ranking.leaders, ranking.places[0]
    where = f"at {counted(ranking.agents, 'agent')}"
    if says_verifier:
        where += f", verifier {ranking.verifier}"
    if len(ranking.places) == 1:
        return f"{capitalised(criterion.name)} {where}: {first.runtime}, {_amount(first, ranking)}."
    if not ranking.is_sure:
        lowest = listed([f"{place.runtime} ({_amount(place, ranking)})" for place in ranking.places])
        medians = f"{capitalised(criterion.name)} {where}, lowest medians first: {lowest}"
        return f"{medians}. Fewer than {LEAST_BLOCKS} blocks cannot tell them apart."
    told = f"{capitalised(criterion.best)} {where}: "
    if len(leaders) > 1:
        told += listed([f"{place.runtime} ({_amount(place, ranking)})" for place in leaders])
        told += " cannot be told apart"
    else:
        told += f"{first.runtime}, {_amount(first, ranking)}"
    others = _others(ranking, baseline)
    if not others:
        return f"{told}."
    told += f"; {first.runtime} has " if len(leaders) > 1 else ", "
    return f"{told}{others[0]}." if len(others) == 1 else f"{told}{', '.join(others[:-1])}, and {others[-1]}."


def _others(ranking: Ranking, baseline: str | None) -> list[str]:
    """With whom the first is compared, each once; how sure it is that the last takes more needs no words."""
    places = ranking.places[1:]
    following = ranking.next
    base = next((place for place in places if place.runtime == baseline and place is not following), None)
    said = []
    if following is not None:
        said.append(f"{_than(following, ranking)}, the next ({ci95(_ci95(following))})")
    if base is not None:
        said.append(f"{_than(base, ranking)}, the baseline ({ci95(_ci95(base))})")
    if following is not None and places[-1] not in (following, base):
        said.append(f"{_than(places[-1], ranking)}, the most")
    return said


def _than(place: Place, ranking: Ranking) -> str:
    if place.least_over_this is None:  # in no block do both have a figure
        return f"less than {place.runtime} with {_amount(place, ranking)}"
    return f"{multiple(place.least_over_this.ratio)} times that of {place.runtime}"


def _ci95(place: Place) -> tuple[float, float] | None:
    return None if place.least_over_this is None else place.least_over_this.ci95


def _amount(place: Place, ranking: Ranking) -> str:
    return ranking.criterion.metric.with_unit(place.figure)


def _names(places: Sequence[Place]) -> list[str]:
    return [place.runtime for place in places]

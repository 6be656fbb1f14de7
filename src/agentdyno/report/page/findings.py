"""What an experiment has found, in sentences; all of it follows from the summary."""

from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.analysis.difference import LEAST_BLOCKS
from agentdyno.analysis.ratio import FLOOR
from agentdyno.format import capitalised, ci95, counted, listed, multiple
from agentdyno.report.page.pick import Lead, Pick, pick
from agentdyno.report.page.ranking import Place, Ranking, rankings
from agentdyno.results.experiment import Experiment


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

"""What a sweep says of many agents."""

from collections.abc import Sequence

from agentdyno.analysis.reference import FLOOR
from agentdyno.report.page.pick import Lead, Pick, pick
from agentdyno.report.sweep import Swept


def picks_for_many(swept: Sequence[Swept]) -> list[Pick]:
    """Which runtime to pick for many agents, by the memory of one more and by how many there can be; one for
    each verifier.
    """
    found = []
    for verifier in dict.fromkeys(each.verifier for each in swept):
        measured = [each for each in swept if each.verifier == verifier and each.runtime != FLOOR]
        usable = [each for each in measured if each.memory is not None or each.ceiling.kept]
        where = "for many agents"
        if len({each.verifier for each in swept}) > 1:
            where += f", verifier {verifier}"
        leads = [*_least_memory(usable), *_most_agents(usable)]
        found.append(
            pick(where, leads, {each.runtime for each in usable}, {each.runtime for each in measured}, [])
        )
    return found


def _least_memory(swept: Sequence[Swept]) -> list[Lead]:
    """Slopes whose intervals overlap cannot be told apart."""
    slopes = {each.runtime: each.memory for each in swept if each.memory is not None}
    if not slopes:
        return []
    least = min(slopes.values(), key=lambda slope: slope.kib_per_agent)
    leaders = [
        runtime for runtime, slope in slopes.items() if slope is least or slope.ci95[0] <= least.ci95[1]
    ]
    return [Lead("memory an agent", "least memory an agent", leaders)]


def _most_agents(swept: Sequence[Swept]) -> list[Lead]:
    """A ceiling lies between two numbers, and where the runtime was not what gave out, it is above them."""
    if not any(each.ceiling.kept for each in swept):
        return []
    most = max(each.ceiling.kept for each in swept)
    leaders = [each.runtime for each in swept if each.ceiling.kept and _ceiling_may_be_above(each, most)]
    return [Lead("the number of agents", "most agents within the objective", leaders)]


def _ceiling_may_be_above(each: Swept, agents: int) -> bool:
    found = each.ceiling
    is_its_own = found.binding is not None and found.binding.is_runtimes
    return found.broken is None or found.broken > agents or not is_its_own

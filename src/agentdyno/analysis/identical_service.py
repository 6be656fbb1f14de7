"""The gates that compare runs with each other: all made identical requests and had identical outcomes."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from agentdyno.analysis.gate import Failure
from agentdyno.analysis.run_analysis import RunAnalysis

Service = tuple[dict[tuple[str, int], set[str]], dict[str, tuple[str, int]]]
"""The service that a run got: hashes of its requests by task and attempt, and its outcomes by task."""

Key = TypeVar("Key", str, tuple[str, int])


def identical_service(runs: Sequence[RunAnalysis], *, simulated: bool) -> dict[str, list[Failure]]:
    """The failures of runs whose requests or outcomes differ from those of most runs, by the run's folder.

    The gates compare runs with the same number of agents and the same verifier. The most frequent service is
    the reference; among equally frequent ones, the earliest in `runs`. A simulated endpoint answers equal
    conversations equally, so all requests and outcomes must be identical. A real model may answer
    differently, so the gates compare only the first request of each task.
    """
    groups: dict[tuple[int, str], list[RunAnalysis]] = {}
    for run in runs:
        if not run.interrupted:
            groups.setdefault((run.cell.agents, run.cell.verifier), []).append(run)
    found: dict[str, list[Failure]] = {}
    for group in groups.values():
        services = [_service(run, simulated=simulated) for run in group]
        usual = max(services, key=services.count)
        reference = group[services.index(usual)]
        for run, service in zip(group, services, strict=True):
            found[run.folder.name] = _differences(run.block, service, usual, reference.folder.name)
    return found


def _service(run: RunAnalysis, *, simulated: bool) -> Service:
    if simulated:
        return run.requests, run.outcomes
    return {(task, attempt): seen for (task, attempt), seen in run.requests.items() if attempt == 1}, {}


def _differences(block: int, service: Service, usual: Service, reference: str) -> list[Failure]:
    (requests, outcomes), (usual_requests, usual_outcomes) = service, usual
    failures = []
    if unlike := _unlike(requests, usual_requests):
        task, attempt = unlike[0]
        reason = (
            f"{len(unlike)} requests differ from those of {reference}, the first: {task} attempt {attempt}"
        )
        remedy = "see messages.json and feedback.json of the contract's vectors"
        failures.append(Failure("identical requests", block, reason, remedy, is_fault=True))
    if tasks := _unlike(outcomes, usual_outcomes):
        reason = f"{len(tasks)} outcomes differ from those of {reference}, the first: {tasks[0]}"
        remedy = "compare that task's attempts in the two runs' events.jsonl"
        failures.append(Failure("identical outcomes", block, reason, remedy, is_fault=True))
    return failures


def _unlike(these: Mapping[Key, object], those: Mapping[Key, object]) -> list[Key]:
    """The keys, in order, whose values differ between the two."""
    return sorted(key for key in these.keys() | those.keys() if these.get(key) != those.get(key))

"""What was asked of an experiment, and where it was measured, as names and values."""

import json
from collections.abc import Mapping
from typing import Any

from agentdyno.analysis.ratio import FLOOR
from agentdyno.format import counted, listed
from agentdyno.results.experiment import Experiment

Facts = dict[str, str]


def title(experiment: Experiment) -> str:
    """What was measured where, in a line."""
    asked, machine = experiment.document["experiment"], experiment.document["environment"]
    runtimes = [name for name in asked["runtimes"] if name != FLOOR] or [FLOOR]
    who = listed(runtimes) if len(runtimes) < 4 else f"{len(runtimes)} agent runtimes"
    return f"{who} at {_agents(experiment)}, on {_cores(machine)}"


def about(experiment: Experiment) -> str:
    """How and when, in a line."""
    its = experiment.document["experiment"]
    counts = sorted({max(its["limit"], cell.agents) for cell in experiment.cells})
    tasks = (
        f"{listed([f'{count:,}' for count in counts])} {its['tasks']} tasks a run"
        if len(counts) < 4
        else f"as many {its['tasks']} tasks as agents"
    )
    verifiers = f"verifier {listed(its['verifiers'])}"
    return f"{tasks}, profile {its['profile']}, {verifiers}, {_time(its['started'])}"


def asked(experiment: Experiment) -> Facts:
    """What every row was asked to do."""
    its = experiment.document["experiment"]
    repeats = (
        f"until intervals are within {its['until_ci'] * 100:g}% of the medians" if its["until_ci"] else None
    )
    served = "simulated" if its["simulated"] else "a real one, through a relay that journals"
    return _there(
        {
            "Agents": _agents(experiment),
            "Tasks of a run": f"{its['limit']:,} of {its['tasks']}, or as many as agents if those are more",
            "Runs of a row": repeats or f"{its['repeats']:,}",
            "Controls": ", ".join(its["controls"]) or "none",
            "Baseline": its["baseline"],
            "Tasks are due": its["arrivals"],
            "Endpoint": f"{served}, model {its['model']}",
            "Profile": its["profile"],
            "Verifier": ", ".join(its["verifiers"]),
            "Tests at once": f"{its['verify_slots']:,}, each for {its['verify_timeout_s']:g} s at most",
            "Retries of a task": f"{its['max_retries']:,} at most",
            "Request": json.dumps(its["request"], ensure_ascii=False),
            "Timeouts": _listed(its["timeouts"]),
            "Transport": _listed(its["transport"]),
            "Seed": f"{its['seed']}",
            "Begun": _time(its["started"]),
            "Ended": _time(its["written"]),
        }
    )


def machine(experiment: Experiment) -> Facts:
    """The machine and the programs."""
    its = experiment.document["environment"]
    files = its["open_files"]
    return _there(
        {
            "Processor": f"{_cores(its)}, {its['architecture']}{', virtual' if its['virtualised'] else ''}",
            "Memory": f"{its['memory_mib']:,} MiB, of which {its['memory_available_mib']:,} were free",
            "Swap": f"{its['swap_mib']:,} MiB",
            "Load before": ", ".join(f"{load:.2f}" for load in its["load_average"]),
            "Open files": f"{files['soft']:,}, at most {files['hard']:,}",
            "System": its["system"],
            "Kernel": its["kernel"],
            "Python": its["python"],
            **{
                f"Verifier {verifier['name']}": _listed(verifier, "name")
                for verifier in its["verifiers"]
                if len(verifier) > 1
            },
            "Libraries": _listed(its["libraries"]),
            "agentdyno": f"{its['agentdyno']}, {_commit(its)}",
        }
    )


def _agents(experiment: Experiment) -> str:
    numbers = sorted({cell.agents for cell in experiment.cells})
    if len(numbers) > 3:
        return f"{numbers[0]:,} to {counted(numbers[-1], 'agent')}"
    return f"{listed([f'{number:,}' for number in numbers])} {'agent' if numbers == [1] else 'agents'}"


def _cores(machine: Mapping[str, Any]) -> str:
    return f"{counted(machine['cpus'], 'core')} of {machine['cpu']}"


def _commit(machine: Mapping[str, Any]) -> str:
    if machine["git_commit"] is None:
        return "commit not known"
    dirty = ", with changes that are in no commit" if machine["git_dirty"] else ""
    return f"commit {machine['git_commit']}{dirty}"


def _listed(values: Mapping[str, Any], *without: str) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if name not in without)


def _time(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC"


def _there(facts: Mapping[str, str | None]) -> Facts:
    return {name: value for name, value in facts.items() if value is not None}

"""What was asked of an experiment, where it was measured, and the command that makes it again."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from agentdyno.analysis.ratio import FLOOR
from agentdyno.format import counted, listed
from agentdyno.results.experiment import Experiment
from agentdyno.results.sweep import Swept
from agentdyno.rundata.cell import CONTROLS
from agentdyno.runner.settings import REQUEST, Settings

AGENTDYNO = ".venv/bin/agentdyno"

_SPELLING = {control: name for name, control in CONTROLS.items()}
"""What `--controls` takes for the controls that files name."""


def commands(experiment: Experiment, swept: Sequence[Swept]) -> list[str]:
    """Lines for a shell at the root of a checkout.

    Every option is said, so that neither defaults nor the environment, nor that an experiment was gone on
    with, matter. The key of a real endpoint is known to nobody here.
    """
    asked, commit = experiment.document["experiment"], experiment.document["environment"]["git_commit"]
    lines = [] if commit is None else [shlex.join(["git", "checkout", commit])]
    lines.append("runner/setup.sh harness")
    if not asked["simulated"]:
        model = shlex.quote(asked["model"])
        lines.append(f"export LLM_BASE_URL='…/v1' LLM_MODEL={model} LLM_API_KEY='…'")
    return [*lines, shlex.join([AGENTDYNO, *_words(experiment, swept, asked)])]


def _words(experiment: Experiment, swept: Sequence[Swept], asked: dict[str, Any]) -> list[str]:
    options: dict[str, Any] = {
        "--runtimes": _runtimes(asked),
        "--agents": ",".join(dict.fromkeys(str(cell.agents) for cell in experiment.cells)),
        "--tasks": asked["tasks"],
        "--limit": asked["limit"],
        "--repeats": asked["repeats"],
        "--until-ci": None if asked["until_ci"] is None else f"{asked['until_ci'] * 100:g}%",
        "--max-repeats": None if asked["until_ci"] is None else asked["max_repeats"],
        "--baseline": asked["baseline"],
        "--controls": ",".join(_SPELLING.get(name, name) for name in asked["controls"]) or "none",
        "--arrivals": asked["arrivals"],
        "--profile": asked["profile"] if asked["simulated"] else None,
        "--verifier": ",".join(asked["verifiers"]),
        "--verify-slots": asked["verify_slots"],
        "--verify-timeout": f"{asked['verify_timeout_s']:g}",
        "--max-retries": asked["max_retries"],
        "--request": _request(asked["request"]),
        "--seed": asked["seed"],
        "--overhead-limit": f"{swept[0].objective_ms / 1000:g}" if swept else None,
    }
    words = ["sweep" if swept else "run"]
    for option, value in options.items():
        if value is not None:
            words += [option, str(value)]
    words += [*_timeouts(asked.get("timeouts", {})), *_connection(asked.get("connection", {}))]
    return [*words, "--cgroup"] if asked["cgroup"] else words


def _timeouts(asked: Mapping[str, float]) -> Iterator[str]:
    """The timeouts that are not the usual ones."""
    usual = {each.name: each.default for each in fields(Settings)}
    for name, setting in (("connect", "connect"), ("event_idle", "idle"), ("total", "total")):
        seconds = asked.get(f"{name}_s")
        if seconds is not None and seconds != usual[f"{setting}_timeout_s"]:
            yield from (f"--{setting}-timeout", f"{seconds:g}")


def _connection(asked: Mapping[str, Any]) -> Iterator[str]:
    """How a real endpoint was reached, where that was not the usual way."""
    for name, option in (("proxy", "--proxy"), ("ca_bundle", "--ca-bundle")):
        if name in asked:
            yield from (option, asked[name])
    for name, value in asked.get("headers", {}).items():
        yield from ("--header", f"{name}={value}")
    if "system_role" in asked:
        yield "--no-system-role"


def _runtimes(asked: dict[str, Any]) -> str:
    """As they were named, since some may be paths; by name where all were measured."""
    for option, value in zip(asked["command"], [*asked["command"][1:], ""], strict=True):
        if option == "--runtimes":
            return str(value)
        if option.startswith("--runtimes="):
            return str(option).removeprefix("--runtimes=")
    return ",".join(asked["runtimes"])


def _request(fields: dict[str, Any]) -> str | None:
    """What was sent beside what is sent anyway; null drops a field."""
    changed = {name: value for name, value in fields.items() if name not in REQUEST or value != REQUEST[name]}
    dropped = {name: None for name in REQUEST if name not in fields}
    return json.dumps(changed | dropped, ensure_ascii=False) if changed or dropped else None


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

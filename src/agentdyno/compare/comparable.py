"""Whether two experiments measured the same work on the same machine."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentdyno.compare.pairs import Pair
from agentdyno.results.experiment import RAW, Experiment

ASKED = {
    "arrivals": "give both the same --arrivals",
    "seed": "give both the same --seed",
    "endpoint": "measure both against the same endpoint",
    "model": "measure both with the same model",
    "request": "give both the same --request",
    "connection": "give both the same --proxy, --ca-bundle, --header and --no-system-role",
    "verify_slots": "give both the same --verify-slots",
    "verify_timeout_s": "give both the same --verify-timeout",
    "max_retries": "give both the same --max-retries",
    "timeouts": "give both the same --connect-timeout, --idle-timeout and --total-timeout",
    "transport": "measure both with the same version of agentdyno",
}
"""What an experiment was asked to do that its figures depend on, and how to have it the same."""

MACHINE = ("cpu", "cpus", "architecture", "memory_mib", "kernel", "system")
HUGE_PAGES = "transparent_huge_pages"
MEMORY_TOLERANCE = 0.01
"""The kernel keeps a little memory for itself, and not the same on every machine of one kind."""

HARNESS = ("agentdyno", "git_commit", "python")
"""What measures; another version may measure the same, so that it is said and no more."""


def obstacles(base: Experiment, new: Experiment, pairs: Sequence[Pair]) -> list[str]:
    """Why the two are not comparable: what was, what is, and what to do, in a line each."""
    return [
        *_tasks(base, new, pairs),
        *_asked(base, new),
        *_verifiers(base, new, pairs),
        *_machine(base, new),
    ]


def remarks(base: Experiment, new: Experiment) -> list[str]:
    """What differs, or is missing, and does not stand against comparing the two."""
    was, now = _harness(base), _harness(new)
    return [
        *(
            f"{name}: was {_short(was.get(name))}, is {_short(now[name])}"
            for name in now
            if was.get(name) != now[name]
        ),
        *(
            f"{side} was measured from a work tree with changes that are in no commit"
            for side, experiment in (("BASE", base), ("NEW", new))
            if experiment.document["environment"]["git_dirty"]
        ),
        *incomplete(("BASE", base), ("NEW", new)),
    ]


def _harness(experiment: Experiment) -> dict[str, Any]:
    environment = experiment.document["environment"]
    return {name: environment[name] for name in HARNESS} | dict(environment["libraries"])


def incomplete(*sides: tuple[str, Experiment]) -> list[str]:
    """Which of these experiments still run, or were interrupted."""
    return [
        f"{name} is not complete: it still runs, or was interrupted"
        for name, experiment in sides
        if not experiment.document["experiment"]["complete"]
    ]


def _tasks(base: Experiment, new: Experiment, pairs: Sequence[Pair]) -> Iterator[str]:
    for agents in dict.fromkeys(pair.new.cell.agents for pair in pairs):
        was, now = _tasks_of(base, agents), _tasks_of(new, agents)
        if was != now:
            yield (
                f"tasks of {agents} agents: was {_named_tasks(base)} (sha256 {_short(was)}), "
                f"is {_named_tasks(new)} (sha256 {_short(now)}); give both the same --tasks and --limit"
            )


def _tasks_of(experiment: Experiment, agents: int) -> list[str]:
    """The SHA-256 of the task files that runs with so many agents had."""
    runs = experiment.document["experiment"]["runs"]
    return sorted(
        {
            sha256
            for run in runs
            if run["agents"] == agents
            for name, sha256 in run["sha256"].items()
            if name not in RAW
        }
    )


def _named_tasks(experiment: Experiment) -> str:
    asked = experiment.document["experiment"]
    return f"{asked['tasks']}, {asked['limit']} a run"


def _asked(base: Experiment, new: Experiment) -> Iterator[str]:
    was, now = base.document["experiment"], new.document["experiment"]
    yield from _profile(was, now)
    yield from _references(was, now)
    for name, remedy in ASKED.items():
        if was.get(name) != now.get(name):
            yield f"{name}: was {_short(was.get(name))}, is {_short(now.get(name))}; {remedy}"


def _profile(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Profiles are alike if their times are: a file may say other things today, and two the same."""
    # Where a summary has none, of an earlier version or of a real endpoint, the name must do.
    told = "profile" if None in (was.get("times"), now.get("times")) else "times"
    if was[told] != now[told]:
        shown = "profile" if was["profile"] != now["profile"] else "times"
        yield f"profile: was {_short(was[shown])}, is {_short(now[shown])}; give both the same --profile"


def _references(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """The replies of the simulated endpoint are made from these."""
    hashes = was.get("references_sha256"), now.get("references_sha256")
    if None not in hashes and hashes[0] != hashes[1]:
        yield (
            f"references: was sha256 {_short(hashes[0])}, is {_short(hashes[1])}; "
            "give both the same reference solutions in --tasks"
        )


def _verifiers(base: Experiment, new: Experiment, pairs: Sequence[Pair]) -> Iterator[str]:
    was, now = _versions(base), _versions(new)
    for verifier in dict.fromkeys(pair.new.cell.verifier for pair in pairs):
        if was.get(verifier) != now.get(verifier):
            yield (
                f"verifier {verifier}: was {_short(was.get(verifier))}, is {_short(now.get(verifier))}; "
                "install the same versions for both"
            )


def _versions(experiment: Experiment) -> dict[str, Any]:
    """The programs of each verifier, by its name."""
    return {
        each["name"]: {program: version for program, version in each.items() if program != "name"}
        for each in experiment.document["environment"]["verifiers"]
    }


def _machine(base: Experiment, new: Experiment) -> Iterator[str]:
    was, now = base.document["environment"], new.document["environment"]
    for name in MACHINE:
        if name == "memory_mib" and abs(now[name] - was[name]) <= MEMORY_TOLERANCE * was[name]:
            continue
        if was[name] != now[name]:
            yield f"{name}: was {_short(was[name])}, is {_short(now[name])}; measure both on one machine"
    # Summaries of earlier versions do not say.
    then, today = (its.get(HUGE_PAGES) for its in (was, now))
    if then is not None and today is not None and then != today:
        yield (
            f"{HUGE_PAGES}: was {then}, is {today}; write the same to "
            "/sys/kernel/mm/transparent_hugepage/enabled for both"
        )


def _short(value: Any) -> str:
    """A value as it is printed; of hashes their beginning."""
    if isinstance(value, list):
        return " ".join(map(_short, value)) or "unknown"
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    text = "unknown" if value is None else str(value)
    return text[:8] if len(text) in (40, 64) and set(text) <= set("0123456789abcdef") else text

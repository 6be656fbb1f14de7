"""What of an experiment's folder does not go together: runs and plan, settings and runs, contenders, machine.

A summary that follows from its raw files may still be one of fewer runs than were made, or of runs under
another name. Each run therefore says itself what it is of, and the plan says which runs there must be.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from agentdyno.reading import Missing, Unreadable, json_lines, read_json
from agentdyno.results.order import blocks, with_controls
from agentdyno.results.records import Run
from agentdyno.rundata.cell import DRIFT_CHECK, Cell
from agentdyno.rundata.raw_run import REMEDY, RawRun, has_ended
from agentdyno.shape import Json, shaped

SETTINGS = "settings.json"
"""In an experiment's folder: the settings with which it began."""

SAME_IN_SETTINGS = (
    "tasks",
    "limit",
    "until_ci",
    "max_repeats",
    "controls",
    "baseline",
    "arrivals",
    "cgroup",
    "verifiers",
    "verify_slots",
    "verify_timeout_s",
    "max_retries",
    "request",
    "seed",
)
"""What the summary and the settings both say of the experiment."""

SAME_IN_RUN_FILES = ("model", "request", "max_retries", "timeouts", "transport")
"""What the summary and the run file of each run both say."""


def unlike_plan(asked: Mapping[str, Any], runs: Sequence[Run]) -> Iterator[str]:
    """The runs that the plan has and the summary has not, or the other way round.

    A sweep goes on with cells that it finds by its results; these have no order that could be checked.
    """
    cells = [Cell(**cell) for cell in asked["cells"]]
    controls, seed = asked["controls"], asked["seed"]
    block_of_cells = with_controls(cells, controls)
    made = [(run.block, run.cell) for run in runs]
    last = max((block for block, cell in made if cell in block_of_cells), default=0)
    expected = [
        (number, cell)
        for number, block in zip(range(1, last + 1), blocks(block_of_cells, seed), strict=False)
        for cell in block
    ]
    if not asked["complete"]:
        expected = expected[: len(made)]
    for place, (there, wanted) in enumerate(zip(made, expected, strict=False)):
        if there != wanted:
            yield (
                f"run {place + 1}: by the plan it is of {_named(*wanted)}, and it is of {_named(*there)}: "
                "runs were removed, added or exchanged"
            )
            return
    if len(made) < len(expected):
        first = _named(*expected[len(made)])
        yield f"{len(expected) - len(made)} runs of the plan are missing, the first: {first}"
    if last < asked["repeats"] and asked["complete"]:
        yield f"{asked['repeats']} blocks were asked for, and {last} are there"
    checks = any(cell.control == DRIFT_CHECK for _, cell in made)
    if DRIFT_CHECK in controls and asked["complete"] and not checks:
        yield "the drift check is missing"


def _named(block: int, cell: Cell) -> str:
    return f"{cell.label} in block {block}"


def unlike_settings(document: Mapping[str, Any], settings: Mapping[str, Json]) -> Iterator[str]:
    """What the summary says otherwise than the settings with which the experiment began."""
    asked, environment = document["experiment"], document["environment"]
    then, of = settings.get("settings"), settings.get("of")
    if isinstance(then, dict):
        for name in SAME_IN_SETTINGS:
            if name in then:
                yield from _otherwise(f"experiment.{name}", asked.get(name), then[name], SETTINGS)
        if then.get("until_ci") is None and "repeats" in then:
            yield from _otherwise("experiment.repeats", asked["repeats"], then["repeats"], SETTINGS)
    machine = of.get("machine") if isinstance(of, dict) else None
    for name, value in (machine or {}).items() if isinstance(machine, dict) else ():
        yield from _otherwise(f"environment.{name}", environment.get(name), value, SETTINGS)


def unlike_run(document: Mapping[str, Any], run: Run, data: RawRun) -> Iterator[str]:
    """What a run says of itself otherwise than the summary; runs of version 0.1.0 say nothing."""
    asked, origin = document["experiment"], data.outcome.origin
    where = f"{run.folder.parent.name}/{run.folder.name}"
    if origin is None:
        return
    said = {**asdict(run.cell), "block": run.block}
    for name, value in said.items():
        yield from _otherwise(f"{where}: {name}", value, getattr(origin, name), "outcome.json")
    contender = asked["runtimes"].get(run.cell.runtime, {}).get("sha256")
    yield from _otherwise(f"{where}: contender", contender, origin.contender_sha256, "outcome.json")
    for name, value in origin.machine.items():
        yield from _otherwise(f"{where}: {name}", document["environment"].get(name), value, "outcome.json")
    if data.outcome.samples is not None and data.outcome.samples != len(data.samples):
        yield f"{where}: {data.outcome.samples} samples were taken, and {len(data.samples)} are there"
    yield from _unlike_files(where, asked, run)


def _unlike_files(where: str, asked: Mapping[str, Any], run: Run) -> Iterator[str]:
    run_file = read_json(run.folder / "run.json", dict[str, Json], REMEDY)
    for name in SAME_IN_RUN_FILES:
        yield from _otherwise(f"{where}: {name}", asked.get(name), run_file.get(name), "run.json")
    yield from _otherwise(f"{where}: agents", run.cell.agents, run_file.get("agents"), "run.json")
    try:
        lines = json_lines(run.folder / "journal.jsonl", partial(shaped, kind=dict[str, Json]), REMEDY)
        first = next(lines, {})
    except Missing:
        return
    if asked["simulated"]:
        yield from _otherwise(f"{where}: seed", asked["seed"], first.get("seed"), "journal.jsonl")


def not_in_summary(runs: Sequence[Run]) -> Iterator[str]:
    """Runs that lie beside those of the summary, and are whole."""
    known = {run.folder for run in runs}
    for folder in sorted({run.folder.parent for run in runs}):
        for beside in sorted(folder.iterdir()):
            if beside not in known and has_ended(beside):
                yield f"{folder.name}/{beside.name}: it is there, and the summary has no such run"


def settings_beside(folder: Path) -> dict[str, Json] | None:
    """The settings that lie beside a summary; None where there are none that can be read."""
    try:
        return read_json(folder / SETTINGS, dict[str, Json], REMEDY)
    except Unreadable:
        return None


def _otherwise(where: str, said: object, fact: object, source: str) -> Iterator[str]:
    if json.loads(json.dumps(said)) != json.loads(json.dumps(fact)):
        yield f"{where}: {short(said)} is reported, and {source} says {short(fact)}"


def short(value: object) -> str:
    """A JSON value in at most 60 characters."""
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "…"

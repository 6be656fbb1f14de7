"""Whether what is reported follows from what was measured."""

import contextlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from agentdyno import __version__
from agentdyno.analysis.capacity import Objective
from agentdyno.analysis.registry import METRICS
from agentdyno.analysis.run_analysis import RunAnalysis
from agentdyno.reading import Missing, Unreadable, lines, read_json
from agentdyno.results.bound import (
    not_in_summary,
    settings_beside,
    short,
    unlike_plan,
    unlike_run,
    unlike_settings,
)
from agentdyno.results.documents import table
from agentdyno.results.experiment import LEDGER, Experiment, ExperimentAnalysis
from agentdyno.results.summary import Row, as_json, tasks_csv
from agentdyno.results.sweep import REMEDY, SWEEP, read_file, sweep_markdown, swept
from agentdyno.results.sweep import as_json as sweep_as_json
from agentdyno.shape import Json


def differences(experiment: Experiment, runs: ExperimentAnalysis) -> Iterator[str]:
    """What is not as it was, or does not follow from the raw files; `runs` takes in the runs."""
    document, folder = experiment.document, experiment.folder
    yield from unlike_plan(document["experiment"], experiment.all_runs)
    yield from not_in_summary(experiment.all_runs)
    if (settings := settings_beside(folder)) is not None:
        yield from unlike_settings(document, settings)
    for run, said in zip(experiment.all_runs, document["experiment"]["runs"], strict=True):
        data = run.read()
        ledger = runs.add(data)
        yield from _unlike(f"{said['folder']}: sha256", said["sha256"], runs.described[-1]["sha256"])
        yield from _unlike_text(run.folder / LEDGER, ledger)
        yield from unlike_run(document, run, data)
    findings = runs.summary()
    for name, recomputed in json.loads(json.dumps(as_json(findings))).items():
        said = experiment.document.get(name)
        yield from _unlike(name, said, _as_then(said, recomputed) if name == "rows" else recomputed)
    if (experiment.folder / SWEEP).exists():
        yield from _unlike_sweep(experiment, findings.rows, runs.measured)
    yield from _unlike_text(experiment.folder / "tasks.csv", tasks_csv(runs.measured))
    if is_of_this_version(experiment):
        yield from _unlike_text(experiment.folder / "table.md", [table(findings.rows)])


def _as_then(said: Any, recomputed: Any) -> Any:
    """The rows without what the version that wrote these did not write: kinds of figures, later metrics."""
    if any("invalid_kinds" in row for row in said):
        return recomputed
    return [
        {name: value for name, value in row.items() if name != "invalid_kinds"}
        | {"failures": [{**failure, "kinds": None} for failure in row["failures"]]}
        | {"metrics": {name: its for name, its in row["metrics"].items() if METRICS[name].since is None}}
        for row in recomputed
    ]


def is_of_this_version(experiment: Experiment) -> bool:
    """Whether this version of agentdyno wrote the experiment; others may write tables in another form."""
    return bool(experiment.document["environment"]["agentdyno"] == __version__)


def _unlike_sweep(
    experiment: Experiment, rows: Sequence[Row], measured: Sequence[RunAnalysis]
) -> Iterator[str]:
    """What of a sweep is not as it was; its objective and the limit on open files are taken as given."""
    path = experiment.folder / SWEEP
    try:
        read = read_file(path)
    except Unreadable as damage:
        yield f"{SWEEP}: it cannot be read any more ({damage.reason})"
        return
    found = [
        swept(each.runtime, each.verifier, rows, measured, Objective(each.objective_ms), each.most_agents)
        for each in read
    ]
    contenders = dict.fromkeys((row.cell.runtime, row.cell.verifier) for row in rows)
    for runtime, verifier in contenders.keys() - {(each.runtime, each.verifier) for each in found}:
        yield f"sweep.json: {runtime}, verifier {verifier}, is measured and not in it"
    said = read_json(path, list[Json], REMEDY)
    for each, its in zip(said, json.loads(json.dumps(sweep_as_json(found))), strict=True):
        yield from _unlike(f"sweep.json: {its['runtime']}, verifier {its['verifier']}", each, its)
    if is_of_this_version(experiment):
        yield from _unlike_text(experiment.folder / "sweep.md", [sweep_markdown(found)])


def _unlike(where: str, said: Any, recomputed: Any) -> Iterator[str]:
    """Every place at which two JSON values differ."""
    if isinstance(said, dict) and isinstance(recomputed, dict):
        for name in {**said, **recomputed}:
            yield from _unlike(f"{where}.{name}", said.get(name), recomputed.get(name))
    elif isinstance(said, list) and isinstance(recomputed, list) and len(said) == len(recomputed):
        for number, (one, other) in enumerate(zip(said, recomputed, strict=True)):
            yield from _unlike(f"{where}[{number}]", one, other)
    elif said != recomputed:
        yield f"{where}: {short(said)} is reported, {short(recomputed)} follows from the raw files"


def _unlike_text(path: Path, recomputed: Iterable[str]) -> Iterator[str]:
    """The first place at which a file is not made of these pieces, each of which ends a line."""
    again = (line.encode() for piece in recomputed for line in io.StringIO(piece, newline="\n"))
    for number, (one, other) in enumerate(zip_longest(_lines_of(path), again), 1):
        if one != other:
            where = "its end" if one is None or other is None else f"line {number}"
            yield f"{path.name} in {path.parent.name} at {where}"
            return


def _lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file; none where there is no file."""
    with contextlib.suppress(Missing):
        yield from lines(path, REMEDY)

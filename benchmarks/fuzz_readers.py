"""Damages the files of an experiment, and feeds them to everything that reads them, in one process.

    python benchmarks/fuzz_readers.py DIR --inputs 100000 --seed 1

DIR is the folder of an experiment. Each input is one damaged file and one reader of it. A reader must
succeed, or say in one line what is wrong. Anything else (a traceback, no memory, no end) is printed, and kept
in --keep FOLDER; the exit status is then 1.
"""

import argparse
import contextlib
import io
import itertools
import json
import logging
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType

import damage
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from agentdyno.analysis.run_analysis import analyse
from agentdyno.calibration.capacity import known_capacity
from agentdyno.cli import main as agentdyno
from agentdyno.compare.change import parse as parse_threshold
from agentdyno.endpoint.profile import parse_profile
from agentdyno.errors import UserError
from agentdyno.results.experiment import Experiment, open_experiment
from agentdyno.results.record_kinds import attempts, requests, samples, tasks
from agentdyno.results.records import Run
from agentdyno.results.sweep import SWEEP, as_json, read_swept, swept
from agentdyno.rundata.raw_run import RawRun, has_ended
from agentdyno.runner.resume import kept_settings
from agentdyno.runtimes import manifest
from agentdyno.tasks import humaneval
from agentdyno.tasks.first_request import read_prompts
from agentdyno.tasks.load import load
from agentdyno.trace.perfetto import write_trace
from agentdyno.trace.spans import spans


class _NothingIsLogged(logging.Handler):
    """A library that catches an exception and logs its traceback has shown the user a traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage())


CPU_S = 20
MEMORY = 4 << 30

Reader = Callable[[Path, Path], object]
"""Takes the damaged file, and the folder of the undamaged experiment."""


def _command(*words: str) -> Reader:
    """A reader that runs a command on the folder of the damaged experiment; OUT is a path to write to."""

    def read(file: Path, whole: Path) -> None:
        its = {"DIR": str(_folder(file)), "WHOLE": str(whole), "OUT": str(_folder(file) / "out.json.gz")}
        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            status = agentdyno([its.get(word, word) for word in words])
        said = stderr.getvalue()
        if status not in (0, 1, 2) or "Traceback" in said:
            raise AssertionError(f"status {status}: {said}")
        if status == 2:
            _check_message(said.removeprefix("agentdyno: ").removesuffix("\n"))

    return read


def _check_message(message: str) -> None:
    lines = message.split("\n")
    if not message or any(line and not line.startswith("  ") for line in lines[1:]):
        raise AssertionError(f"not one line: {message!r}")


def _folder(file: Path) -> Path:
    """The folder of the experiment that a file of it lies in."""
    return next((folder for folder in file.parents if (folder / ".experiment").exists()), file.parent)


@cache
def _whole(folder: Path) -> Experiment:
    return open_experiment(folder)


def _values(file: Path, _: Path) -> None:
    for value in open_experiment(file).values:
        repr(value)


def _first_run(file: Path, whole: Path) -> RawRun:
    """The run that damaged files are of."""
    run = _whole(whole).runs[0]
    folder = _folder(file) / "runs" / run.folder.name
    has_ended(folder)
    return Run(folder, run.cell, run.block).read()


def _analysed(file: Path, whole: Path) -> None:
    analyse(_first_run(file, whole))


def _records(file: Path, whole: Path) -> None:
    run = _first_run(file, whole)
    for kind in (tasks, attempts, requests, samples):
        for record in kind(run):
            repr(record)


def _spans(file: Path, whole: Path) -> None:
    document = _whole(whole).document
    encode_spans(list(spans(_first_run(file, whole), document["experiment"], document["environment"])))


def _trace(file: Path, whole: Path) -> None:
    write_trace(_first_run(file, whole), _folder(file) / "out.json.gz")


FAST: dict[str, tuple[Reader, ...]] = {
    "summary.json": (_values,),
    "run": (_analysed, _records, _spans, _trace),
    SWEEP: (lambda file, _: read_swept(_folder(file) / "summary.json"),),
    "settings": (lambda file, _: kept_settings(_folder(file), "run"),),
    "tasks": (lambda file, _: load(str(file), None),),
    "humaneval": (lambda file, _: humaneval.convert(file, 1),),
    "manifest": (lambda file, _: manifest.read(file),),
    "profile": (lambda file, _: parse_profile(str(file)),),
    "prompts": (lambda file, _: read_prompts(file),),
    "calibration": (lambda file, _: known_capacity(file),),
    "threshold": (lambda file, _: parse_threshold(file.read_bytes().decode(errors="surrogateescape")),),
}

EVERY_COMMAND = (
    _command("show", "DIR"),
    _command("show", "DIR", "--csv"),
    _command("show", "DIR", "--markdown"),
    _command("show", "DIR", "--json"),
    _command("cost", "DIR"),
    _command("cost", "DIR", "--price-per-hour", "0.36", "--vcpus", "4", "--gib", "8", "--json"),
    _command("compare", "DIR", "WHOLE", "--all", "--force"),
    _command("compare", "WHOLE", "DIR", "--force", "--markdown", "-", "--fail-if", "peak_rss_mib > +5%"),
    _command("ledger", "DIR"),
    _command("verify", "DIR"),
    _command("export", "perfetto", "DIR", "--run", "001", "-o", "OUT"),
)
REPORT = _command("report", "DIR")

COMMANDS = {
    "summary.json": EVERY_COMMAND,
    "run": EVERY_COMMAND[-3:],
    SWEEP: (EVERY_COMMAND[0], EVERY_COMMAND[2], EVERY_COMMAND[3], EVERY_COMMAND[9]),
}


WEIGHTS = {"summary.json": 8, SWEEP: 2}
"""How much more often files are damaged that hold more than others."""


@dataclass(frozen=True, slots=True)
class Target:
    """A file of the experiment, by its path below the folder, and the kind of file that it is."""

    path: Path
    kind: str


def targets(folder: Path) -> list[Target]:
    """Every file below the folder that something reads."""
    kinds = {
        "summary.json": "summary.json",
        SWEEP: SWEEP,
        "settings.json": "settings",
        "tasks.jsonl": "tasks",
        "humaneval.jsonl": "humaneval",
        "runtime.toml": "manifest",
        "profile.toml": "profile",
        "prompts.json": "prompts",
        "calibration.json": "calibration",
        "threshold": "threshold",
    }
    found = [Target(Path(name), kind) for name, kind in kinds.items() if (folder / name).exists()]
    run = sorted((folder / "runs").iterdir())[0]
    of_run = [run / f"{name}.json" for name in ("run", "outcome")]
    of_run += [run / f"{name}.jsonl" for name in ("events", "journal", "receipts", "samples")]
    of_run += [path for path in (folder / "tasks").glob("*.json*") if "references" not in path.name]
    return [*found, *(Target(path.relative_to(folder), "run") for path in of_run if path.exists())]


def stocked(experiment: Path, folder: Path) -> Path:
    """A copy of the experiment in `folder`, with the other files that agentdyno reads."""
    shutil.copytree(experiment, folder, ignore=shutil.ignore_patterns("build", "*.gz", "*.html"))
    (folder / ".experiment").touch()
    found = open_experiment(folder)
    runs = found.unanalysed()
    for run in found.runs:
        runs.add(run.read())
    cell = found.rows[0].cell
    sweep = swept(cell.runtime, cell.verifier, found.rows, runs.measured, damage.OBJECTIVE, 100)
    (folder / SWEEP).write_text(json.dumps(as_json([sweep])))
    for name, text in damage.OTHER_FILES.items():
        (folder / name).write_text(text)
    _thin_out(found.runs[0].folder)
    return folder


def _thin_out(run: Path) -> None:
    """Leave of the run that is damaged what has every field: the first samples, the first chunks."""
    samples = run / "samples.jsonl"
    samples.write_text("".join(samples.read_text().splitlines(keepends=True)[:12]))
    journal = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    for line in journal:
        line |= {name: line[name][:4] for name in ("due_us", "late_us") if name in line}
    (run / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in journal))


class _Endless(BaseException):
    """A reader took too long."""


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Endless


def feed(reader: Reader, file: Path, whole: Path) -> str | None:
    """Have the reader read; returns what went wrong, None where it succeeded or said a line."""
    before = signal.signal(signal.SIGPROF, _stop)
    handler = _NothingIsLogged(logging.ERROR)
    logging.getLogger().addHandler(handler)
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    try:
        reader(file, whole)
    except UserError as refusal:
        try:
            _check_message(str(refusal))
        except AssertionError as wrong:
            return str(wrong)
    except _Endless:
        return f"no end within {CPU_S} s of processor time\n{traceback.format_exc()}"
    except BaseException:
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        logging.getLogger().removeHandler(handler)
        signal.signal(signal.SIGPROF, before)
    return None


def inputs(folder: Path, seed: int, share_of_commands: float) -> Iterator[tuple[Target, Reader, bytes]]:
    """Damaged files without end, each with a reader; `share_of_commands` of the readers are commands."""
    found = targets(folder)
    content = {target: (folder / target.path).read_bytes() for target in found}
    for number in itertools.count():
        draw = random.Random(f"{seed}/{number}")
        (target,) = draw.choices(found, [WEIGHTS.get(target.kind, 1) for target in found])
        readers = FAST[target.kind]
        if target.kind in COMMANDS and draw.random() < share_of_commands:
            readers = (REPORT,) if draw.random() < 0.01 else COMMANDS[target.kind]
        yield target, draw.choice(readers), damage.damaged(draw, content[target], target.path.suffix)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="an experiment")
    parser.add_argument("--inputs", type=int, default=100_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--commands", type=float, default=0.2, metavar="SHARE", help="commands among readers")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where inputs that fail are kept")
    return parser.parse_args()


def main() -> int:
    """Feed the inputs, and say how many of which kind, and what failed."""
    arguments = _arguments()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    fed, failures = Counter[str](), dict[str, str]()
    with tempfile.TemporaryDirectory(prefix="agentdyno-fuzz-") as name:
        whole = stocked(arguments.folder, Path(name) / "whole")
        folder = Path(shutil.copytree(whole, Path(name) / "damaged"))
        os.environ["COLUMNS"] = "100"
        source = inputs(whole, arguments.seed, arguments.commands)
        for target, reader, content in itertools.islice(source, arguments.inputs):
            file = folder / target.path
            file.write_bytes(content)
            wrong = feed(reader, file, whole)
            shutil.copyfile(whole / target.path, file)
            fed[target.kind] += 1
            if fed.total() % 1000 == 0:
                print(f"{fed.total():,} inputs, {time.process_time():.0f} s", file=sys.stderr, flush=True)
            if wrong is not None and (where := _where(wrong)) not in failures:
                failures[where] = wrong
                print(f"{target.path}: {wrong}", flush=True)
                if arguments.keep is not None:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    (arguments.keep / f"{len(failures):02}-{target.path.name}").write_bytes(content)
    print(f"{fed.total():,} inputs: {', '.join(f'{kind} {count:,}' for kind, count in fed.most_common())}")
    print(f"{len(failures)} kinds of failure")
    return 1 if failures else 0


def _where(wrong: str) -> str:
    """The lines of code that a failure came from, by which failures of one kind are told."""
    return "\n".join([line for line in wrong.split("\n") if line.startswith("  File")][-2:]) or wrong[:100]


if __name__ == "__main__":
    sys.exit(main())

"""`agentdyno run`."""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from rich.console import Console

from agentdyno.calibration.capacity import warning
from agentdyno.commands.show import add_documents, beside, print_experiment
from agentdyno.endpoint.profile import parse_profile
from agentdyno.errors import UserError
from agentdyno.options import SECONDS, WHOLE, above_0, percentage, whole
from agentdyno.process import limits
from agentdyno.process.signals import Interrupted, Interrupts
from agentdyno.project import RESULTS
from agentdyno.results.experiment import open_experiment
from agentdyno.results.summary import Row
from agentdyno.rundata.cell import AA_CONTROL, CONTROLS, DRIFT_CHECK
from agentdyno.rundata.raw_run import RawRun
from agentdyno.runner import real_endpoint
from agentdyno.runner.experiment import measure, planned, repeated, wide
from agentdyno.runner.plan import AT_ONCE, parse_arrivals
from agentdyno.runner.progress import Progress
from agentdyno.runner.resume import hold_to, keep, recall
from agentdyno.runner.settings import REQUEST, Settings
from agentdyno.runtimes.manifest import Manifest, choose
from agentdyno.runtimes.packages import buildable, install, say_skipped
from agentdyno.tasks.load import load
from agentdyno.trace.perfetto import FILE, write_trace
from agentdyno.verifiers import VERIFIERS, Verifier

DEFAULT_AGENTS = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `run`."""
    parser.add_argument(
        "--runtimes",
        metavar="NAME,…",
        help="runtimes by name, or with a slash the path of a folder or runtime.toml (default: all)",
    )
    parser.add_argument(
        "--agents",
        metavar="N,…",
        help=f"concurrent agents; several make several rows (default: {DEFAULT_AGENTS})",
    )
    parser.add_argument(
        "--tasks",
        default="builtin",
        metavar="SOURCE",
        help="builtin, humaneval or a task file (default: builtin)",
    )
    parser.add_argument("--limit", type=whole("--limit", 1), default=100, help="tasks a run (default: 100)")
    parser.add_argument(
        "--repeats",
        type=whole("--repeats", 1),
        default=1,
        help="runs of every row; 3 or more give intervals (default: 1)",
    )
    parser.add_argument(
        "--until-ci",
        type=percentage("--until-ci"),
        metavar="P%",
        help="repeat, 3 times at least, until the 95%% intervals of memory and overhead are within P%% of "
        "their medians",
    )
    parser.add_argument(
        "--max-repeats",
        type=whole("--max-repeats", 3),
        default=20,
        help="at most, with --until-ci (default: 20)",
    )
    parser.add_argument(
        "--baseline", metavar="NAME", help="the runtime that ratios are to, besides those to floor"
    )
    parser.add_argument(
        "--controls",
        default=f"{AA_CONTROL},{DRIFT_CHECK}",
        metavar="NAME,…",
        help="runs that try the instrument: twin (the first row measured twice must tie), sentinel (the "
        "first run again at the end must not have drifted), unsampled (what sampling takes); or none "
        "(default: twin,sentinel)",
    )
    parser.add_argument(
        "--arrivals",
        default=AT_ONCE,
        metavar="HOW",
        help="at-once, or poisson:RATE to have RATE tasks a second due on average, whether or not an agent "
        "is free; times then count from when a task was due (default: at-once)",
    )
    parser.add_argument(
        "--profile",
        default="chat-7b",
        help="when the simulated endpoint speaks: instant, steady, chat-7b, crowd, NAME:ttft=…,itl=… or a "
        "TOML file (default: chat-7b)",
    )
    parser.add_argument(
        "--verifier",
        default="cold",
        metavar="NAME,…",
        help=f"how attempts are checked: {', '.join(VERIFIERS)}; several make several rows (default: cold)",
    )
    parser.add_argument(
        "--verify-slots",
        type=whole("--verify-slots", 1),
        default=os.cpu_count() or 1,
        metavar="N",
        help="test processes at once (default: one a core; more of them starve the endpoint)",
    )
    parser.add_argument(
        "--verify-timeout",
        type=above_0("--verify-timeout", SECONDS),
        default=10.0,
        metavar="S",
        help="default: 10 s",
    )
    parser.add_argument(
        "--max-retries", type=whole("--max-retries", 0), default=3, help="after a failure (default: 3)"
    )
    parser.add_argument(
        "--request",
        type=_object,
        default={},
        metavar="JSON",
        help="further fields of every request; null drops one",
    )
    parser.add_argument(
        "--seed", type=whole("--seed", 0), default=0, help="of script, timings and order (default: 0)"
    )
    parser.add_argument(
        "--stall",
        type=above_0("--stall", SECONDS),
        default=120.0,
        metavar="S",
        help="end a runtime that shows neither events nor requests for so long (default: 120 s)",
    )
    parser.add_argument(
        "--cgroup",
        action="store_true",
        help="measure the memory of runtime and test processes by a control group as well, made below this "
        "program's own, where one can be had (the sum of PSS is always there)",
    )
    parser.add_argument(
        "--trace",
        action="store_true",
        help="write a trace of each run for ui.perfetto.dev, trace.json.gz in its folder",
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 when a row is not valid, whatever the reason"
    )
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="DIR",
        help="go on with the experiment in DIR, and run nothing again that is whole; no other option goes "
        "with it but --strict and those that say what is printed",
    )
    parser.add_argument(
        "--install",
        action="store_true",
        help="on Debian and Ubuntu, install what the runtimes need and is missing, as root or with sudo "
        "where that asks for no password",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=RESULTS,
        metavar="DIR",
        help="results go to DIR/raw/TIME (default: results)",
    )
    add_documents(parser)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print what came of it, and return 0; 1 when a row has a fault, or with --strict any flaw; 130
    or 143 after an interruption.
    """
    console = beside(arguments.document)
    with Interrupts() as interrupts:
        try:
            settings = settings_of(arguments, add_arguments)
            interrupts.defer()
            progress = Progress(console)
            left_out = skipped(arguments, settings)
            say_skipped(left_out)
            announce(progress, settings)
            results, interrupted = measure(
                settings, repeated(settings), planned(settings), progress, interrupts, tracing(settings)
            )
        except Interrupted as signal:
            print(f"agentdyno: interrupted by {signal.number.name}; nothing was measured", file=sys.stderr)
            return signal.status
    rows = results.summary.rows
    if rows:
        print_experiment(open_experiment(settings.folder), arguments.document)
    for line in wide(settings, results.summary):
        console.print(f"wider than --until-ci: {line}", markup=False, highlight=False, soft_wrap=True)
    say_skipped(left_out)
    return concluded(console, arguments, settings, interrupted, rows)


def tracing(settings: Settings) -> Callable[[RawRun], None]:
    """What writes the trace of each run where `--trace` asks for traces."""

    def write(run: RawRun) -> None:
        if settings.trace:
            write_trace(run, run.folder / FILE)

    return write


def concluded(
    console: Console,
    arguments: argparse.Namespace,
    settings: Settings,
    interrupted: Interrupted | None,
    rows: Sequence[Row],
) -> int:
    """Say where the results are, and how far they go; returns the exit status."""
    folder = _short(settings.folder)
    said = f"results: {folder}; `agentdyno report {folder}` makes a page of them"
    console.print(said, markup=False, highlight=False, soft_wrap=True)
    if interrupted is not None:
        print(
            f"agentdyno: interrupted by {interrupted.number.name}; what was measured until then is in "
            f"{folder}; `agentdyno {arguments.command} --resume {folder}` goes on with it",
            file=sys.stderr,
        )
        return interrupted.status
    return 1 if any(not (row.valid if arguments.strict else row.is_sound) for row in rows) else 0


def settings_of(
    arguments: argparse.Namespace, declare: Callable[[argparse.ArgumentParser], None]
) -> Settings:
    """Check everything that can be checked before anything is started, and make the folder of the results.

    `declare` is what declared the arguments.
    """
    if arguments.resume is not None:
        return _resumed(arguments, declare)
    settings = _settings(arguments, _new_folder)
    keep(arguments, settings)
    return settings


def _resumed(arguments: argparse.Namespace, declare: Callable[[argparse.ArgumentParser], None]) -> Settings:
    """The settings of the experiment in the folder that is to be gone on with."""
    folder = arguments.resume.resolve()  # and not results/latest, which leads to it
    parser = argparse.ArgumentParser()
    declare(parser)
    defaults = vars(parser.parse_args([]))
    given = [name for name, value in defaults.items() if getattr(arguments, name) != value]
    if others := [name for name in given if name not in ("resume", "strict", "document")]:
        raise UserError(
            f"--resume goes on with what {arguments.resume} was asked; "
            f"leave out --{others[0].replace('_', '-')}"
        )
    asked = argparse.Namespace(**{**defaults, **recall(arguments.resume, arguments.command)})
    settings = _settings(asked, lambda _: folder)
    hold_to(arguments.resume, settings)
    return settings


def _settings(arguments: argparse.Namespace, folder: Callable[[Path], Path]) -> Settings:
    endpoint = real_endpoint.from_environment()
    if endpoint is None:
        parse_profile(arguments.profile)
    agents = _agents(arguments.agents or os.environ.get("BENCH_CONCURRENCY") or str(DEFAULT_AGENTS))
    wanted = limits.open_files_needed(max(agents), arguments.verify_slots, relayed=endpoint is not None)
    limits.allow_open_files(wanted, f"{max(agents)} agents")
    parse_arrivals(arguments.arrivals)
    manifests = choose(arguments.runtimes.split(",") if arguments.runtimes else None)
    if arguments.install:
        install(manifests)
    if arguments.runtimes is None:
        manifests = buildable(manifests)
    tasks = load(arguments.tasks, None)[: arguments.limit]
    if endpoint is not None:
        real_endpoint.probe(endpoint, os.environ.get("LLM_API_KEY", ""))
    elif any(task.reference is None for task in tasks):
        raise UserError(
            f"{arguments.tasks}: a task has no reference, of which the simulated endpoint makes its replies: "
            "add `reference`, or set LLM_BASE_URL to use a real model"
        )
    request = {name: value for name, value in {**REQUEST, **arguments.request}.items() if value is not None}
    if arguments.baseline is not None and arguments.baseline not in (each.name for each in manifests):
        names = ", ".join(manifest.name for manifest in manifests)
        raise UserError(f"--baseline: {arguments.baseline!r} is not measured here; name one of {names}")
    return Settings(
        runtimes=tuple(manifests),
        agents=agents,
        tasks=tuple(tasks),
        tasks_source=arguments.tasks,
        limit=arguments.limit,
        repeats=arguments.repeats if arguments.until_ci is None else max(3, arguments.repeats),
        until_ci=arguments.until_ci,
        max_repeats=arguments.max_repeats,
        controls=_controls(arguments.controls),
        baseline=arguments.baseline,
        arrivals=arguments.arrivals,
        cgroup=arguments.cgroup,
        trace=arguments.trace,
        profile=arguments.profile,
        verifiers=_verifiers(arguments.verifier),
        verify_slots=arguments.verify_slots,
        verify_timeout_s=arguments.verify_timeout,
        max_retries=arguments.max_retries,
        request=request,
        seed=arguments.seed,
        stall_s=arguments.stall,
        real_endpoint=endpoint,
        folder=folder(arguments.out),
    )


def skipped(arguments: argparse.Namespace, settings: Settings) -> list[Manifest]:
    """The runtimes that were not asked for in particular and cannot be built."""
    if arguments.runtimes is not None or arguments.resume is not None:
        return []
    return [manifest for manifest in choose(None) if manifest not in settings.runtimes]


def _new_folder(out: Path) -> Path:
    """Make the folder of a new experiment below `out`, named after the time: the first of TIME, `TIME-2`, …
    that is not there yet, as two may begin in one second. A UserError says why when none can be made.
    """
    folder = out.absolute() / "raw" / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    names = (folder.name if number == 1 else f"{folder.name}-{number}" for number in count(1))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for name in names:
            with contextlib.suppress(FileExistsError):
                folder.with_name(name).mkdir()
                break
    except OSError as error:
        raise UserError(
            f"{folder.parent}: no results can be written there ({error.strerror}); choose another --out"
        ) from None
    return folder.with_name(name)


def announce(progress: Progress, settings: Settings) -> None:
    """Say what is about to be measured, and whether more is asked of the simulated endpoint than it can
    serve.
    """
    progress.say(_announcement(settings))
    if settings.real_endpoint is None:
        warned = warning(parse_profile(settings.profile), max(settings.agents))
        if warned is not None:
            progress.say(f"warning: {warned}")


def _announcement(settings: Settings) -> str:
    names = ", ".join(manifest.name for manifest in settings.runtimes)
    served = (
        f"{settings.real_endpoint.base_url}, model {settings.model}"
        if settings.real_endpoint
        else f"the simulated endpoint, profile {settings.profile}"
    )
    agents = ", ".join(map(str, settings.agents))
    verifiers = ", ".join(verifier.name for verifier in settings.verifiers)
    repeats = "one repeat" if settings.repeats == 1 else f"{settings.repeats} repeats"
    return (
        f"{names}: {_tasks(settings)}, agents {agents}, {repeats}, "
        f"verifier {verifiers} with {settings.verify_slots} slots, on {served}"
    )


def _tasks(settings: Settings) -> str:
    """How many tasks the runs have, and which."""
    counts = sorted({settings.task_count(agents) for agents in settings.agents})
    return f"{', '.join(map(str, counts))} {settings.tasks_source} tasks"


def _short(path: Path) -> str:
    """The path as seen from here, where that is shorter."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _agents(text: str) -> tuple[int, ...]:
    numbers = []
    for word in text.split(","):
        if not WHOLE.fullmatch(word.strip()) or int(word) == 0:
            raise UserError(
                f"agents must be whole numbers of at least 1, as in --agents 100,1000; not {word.strip()!r}"
            )
        numbers.append(int(word))
    return tuple(dict.fromkeys(numbers))


def _verifiers(text: str) -> tuple[Verifier, ...]:
    names = list(dict.fromkeys(word.strip() for word in text.split(",")))
    for name in names:
        if name not in VERIFIERS:
            raise UserError(
                f"--verifier: {name!r} is not known; choose of {', '.join(VERIFIERS)}, several with commas"
            )
    return tuple(VERIFIERS[name]() for name in names)


def _controls(text: str) -> tuple[str, ...]:
    names = [] if text == "none" else list(dict.fromkeys(word.strip() for word in text.split(",")))
    for name in names:
        if name not in CONTROLS:
            raise UserError(f"--controls: {name!r} is not known; choose of {', '.join(CONTROLS)}, or none")
    return tuple(names)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
        # Python reads NaN and halves of characters, which no runtime could send.
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError as error:
        raise UserError(f"--request is not JSON: {error}") from None
    if not isinstance(value, dict) or {"model", "messages", "stream"} & set(value):
        raise UserError(
            "--request must be a JSON object without model, messages and stream, which agentdyno sets"
        )
    return value

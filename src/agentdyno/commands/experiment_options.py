"""The options of the subcommands that measure, and the settings that options and environment make."""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from agentdyno.commands.endpoint_options import TIMEOUTS, UPSTREAM, add_timeouts, add_upstream_options
from agentdyno.commands.show import add_documents
from agentdyno.errors import UserError
from agentdyno.measure.cgroup import cores
from agentdyno.options import SECONDS, above_0, percentage, whole
from agentdyno.project import RESULTS
from agentdyno.rundata.cell import CONTROLS
from agentdyno.runner import checks
from agentdyno.runner.settings import BadSetting, RealEndpoint, Settings, request_with
from agentdyno.verifiers import VERIFIERS

T = TypeVar("T")

DEFAULTS = Settings(verify_slots=cores())
"""What `run` measures when it is asked for nothing in particular."""

OTHERWISE_NAMED = {
    "verifiers": "--verifier",
    "verify_timeout_s": "--verify-timeout",
    "stall_s": "--stall",
    "overhead_limit_s": "--overhead-limit",
    "connect_timeout_s": "--connect-timeout",
    "idle_timeout_s": "--idle-timeout",
    "total_timeout_s": "--total-timeout",
    "headers": "--header",
    "system_role": "--no-system-role",
}
"""The options whose names are not those of their settings."""


def option_of(setting: str) -> str:
    """The option that sets a setting."""
    return OTHERWISE_NAMED.get(setting, f"--{setting.replace('_', '-')}")


def add_experiment_options(parser: argparse.ArgumentParser, defaults: Settings) -> None:
    """Declare the options that `run` and `sweep` have in common; the help says what is not asked for is as in
    `defaults`.

    An option that sets a setting leaves no trace in the arguments when it is not given.
    """

    def setting(name: str, **how: Any) -> None:
        parser.add_argument(option_of(name), dest=name, default=argparse.SUPPRESS, **how)

    setting(
        "runtimes",
        type=runtimes,
        metavar="NAME,…",
        help="runtimes by name, or with a slash the path of a folder or runtime.toml (default: all)",
    )
    setting(
        "agents",
        type=several(whole("--agents", 1)),
        metavar="N,…",
        help=f"concurrent agents; several make several rows (default: {_listed(defaults.agents)})",
    )
    setting(
        "tasks",
        metavar="SOURCE",
        help=f"builtin, humaneval or a task file (default: {defaults.tasks})",
    )
    setting(
        "limit",
        type=whole("--limit", 1),
        metavar="N",
        help=f"tasks a run, or one for each agent where there are more agents (default: {defaults.limit})",
    )
    setting(
        "repeats",
        type=whole("--repeats", 1),
        metavar="N",
        help=f"runs of every row; 3 or more give intervals (default: {defaults.repeats})",
    )
    setting(
        "until_ci",
        type=percentage("--until-ci"),
        metavar="P%",
        help="repeat, 3 times at least, until the 95%% intervals of memory and overhead are within P%% of "
        "their medians",
    )
    setting(
        "max_repeats",
        type=whole("--max-repeats", 3),
        metavar="N",
        help=f"at most, with --until-ci (default: {defaults.max_repeats})",
    )
    setting(
        "redo",
        type=whole("--redo", 0),
        metavar="N",
        help="make runs again that other programs disturbed, at the end, N of each row at most "
        f"(default: {defaults.redo})",
    )
    setting("baseline", metavar="NAME", help="the runtime that ratios are to, besides those to floor")
    setting(
        "controls",
        type=_controls,
        metavar="NAME,…",
        help="runs that test the measurement: aa (A/A control: every block measures the first row twice, and "
        "the two must tie), drift (drift check: the first run again at the end), unsampled (what sampling "
        f"takes); or none (default: {controls_as_given(defaults.controls)})",
    )
    setting(
        "arrivals",
        metavar="HOW",
        help="at-once, or poisson:RATE to have RATE tasks a second due on average, whether or not an agent "
        f"is free; times then count from when a task was due (default: {defaults.arrivals})",
    )
    setting(
        "profile",
        metavar="PROFILE",
        help="when the simulated endpoint speaks: instant, steady, chat-7b, crowd, NAME:ttft=…,itl=… or a "
        f"TOML file (default: {defaults.profile})",
    )
    setting(
        "verifiers",
        type=several(str),
        metavar="NAME,…",
        help=f"how attempts are checked: {_listed(VERIFIERS)}; several make several rows "
        f"(default: {_listed(defaults.verifiers)})",
    )
    setting(
        "verify_slots",
        type=whole("--verify-slots", 1),
        metavar="N",
        help="test processes at once (default: one a core; more of them starve the endpoint)",
    )
    setting(
        "verify_timeout_s",
        type=above_0("--verify-timeout", SECONDS),
        metavar="S",
        help=f"end a verification after so long (default: {defaults.verify_timeout_s:g} s)",
    )
    setting(
        "max_retries",
        type=whole("--max-retries", 0),
        metavar="N",
        help=f"after a failure (default: {defaults.max_retries})",
    )
    setting(
        "seed",
        type=whole("--seed", 0),
        metavar="N",
        help=f"of script, timings and order (default: {defaults.seed})",
    )
    setting(
        "stall_s",
        type=above_0("--stall", SECONDS),
        metavar="S",
        help="end a runtime that shows neither events nor requests for so long "
        f"(default: {defaults.stall_s:g} s)",
    )
    add_request_options(parser)
    setting(
        "cgroup",
        action="store_true",
        help="measure the memory of runtime and test processes by a control group as well, made below this "
        "program's own, where one can be had (the sum of PSS is always there)",
    )
    setting(
        "trace",
        action="store_true",
        help="write a trace of each run for ui.perfetto.dev, trace.json.gz in its folder",
    )
    setting(
        "install",
        action="store_true",
        help="on Debian and Ubuntu, install what the runtimes need and is missing, as root or with sudo "
        "where that asks for no password",
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
        "--out", type=Path, metavar="DIR", help=f"results go to DIR/raw/TIME (default: {RESULTS.name})"
    )
    add_documents(parser)


def add_request_options(parser: argparse.ArgumentParser) -> None:
    """Declare what a request holds, where it goes and how long it may take."""
    parser.add_argument(
        "--request",
        type=_request,
        default=argparse.SUPPRESS,
        metavar="JSON",
        help="further fields of every request; null drops one",
    )
    add_timeouts(parser)
    add_upstream_options(parser)


def requested(arguments: argparse.Namespace) -> argparse.Namespace:
    """Of the arguments those of `add_request_options` alone."""
    names = ("request", *TIMEOUTS, *UPSTREAM)
    return argparse.Namespace(**{name: vars(arguments)[name] for name in names if name in arguments})


def settings_of(
    arguments: argparse.Namespace, environment: Mapping[str, str], defaults: Settings
) -> Settings:
    """What is asked for: `defaults`, changed by the options that were given, and the endpoint that the
    environment names. A UserError names the option or the variable that asks for what cannot be.
    """
    try:
        return replace(defaults, **_given(arguments), real_endpoint=endpoint_in(environment))
    except BadSetting as wrong:
        raise UserError(f"{option_of(wrong.name)}{wrong.complaint}") from None


def options_given(arguments: argparse.Namespace) -> list[str]:
    """The options that say what is measured or where results go, of those that were given."""
    return [*map(option_of, _given(arguments)), *(["--out"] if arguments.out is not None else [])]


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    names = {each.name for each in fields(Settings)}
    return {name: value for name, value in vars(arguments).items() if name in names}


def agents_in(environment: Mapping[str, str]) -> tuple[int, ...] | None:
    """The numbers of agents in BENCH_CONCURRENCY; None where it is not set."""
    text = environment.get("BENCH_CONCURRENCY")
    return several(whole("BENCH_CONCURRENCY", 1))(text) if text else None


def endpoint_in(environment: Mapping[str, str]) -> RealEndpoint | None:
    """The endpoint that LLM_BASE_URL and LLM_MODEL name; None where the former is not set."""
    base_url, model = environment.get("LLM_BASE_URL", "").rstrip("/"), environment.get("LLM_MODEL", "")
    if not base_url:
        return None
    if (complaint := checks.url(base_url)) is not None:
        raise UserError(f"LLM_BASE_URL{complaint}")
    if not model:
        raise UserError("LLM_BASE_URL is set and LLM_MODEL is not: name the model that the endpoint serves")
    return RealEndpoint(base_url, model)


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """A parser of what `parse` takes, several with commas; one that comes again counts once."""
    return lambda text: tuple(dict.fromkeys(parse(word.strip()) for word in text.split(",")))


def runtimes(text: str) -> tuple[str, ...] | None:
    """What `--runtimes` names; None, which stands for all, where it names nothing."""
    return tuple(text.split(",")) if text else None


def controls_as_given(controls: tuple[str, ...]) -> str:
    """What `--controls` takes for these controls."""
    return _listed(name for name, control in CONTROLS.items() if control in controls) or "none"


def _controls(text: str) -> tuple[str, ...]:
    """Read the names, also those of earlier versions, under which controls still stand in files."""
    return () if text == "none" else several(lambda name: CONTROLS.get(name, name))(text)


def _request(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"--request is not JSON: {error}") from None
    if (complaint := checks.request(value)) is not None:
        raise UserError(f"--request{complaint}")
    return request_with(value)


def _listed(values: Iterable[object]) -> str:
    return ",".join(map(str, values))

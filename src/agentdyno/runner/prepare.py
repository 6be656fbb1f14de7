"""From settings to an experiment that can begin: all that is looked up, checked and made on this machine."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from agentdyno.endpoint.profile import Profile, parse_profile
from agentdyno.errors import UserError
from agentdyno.files import sha256
from agentdyno.process import limits
from agentdyno.runner.probe import Probe, probe
from agentdyno.runner.settings import Settings
from agentdyno.runtimes.build import buildable, install
from agentdyno.runtimes.manifest import Manifest, choose
from agentdyno.tasks.load import load, repeat
from agentdyno.tasks.task import Task
from agentdyno.verifiers import VERIFIERS, Verifier


@dataclass(frozen=True, slots=True)
class Prepared:
    """An experiment that can begin.

    `runtimes` are measured; `skipped` are those that nobody asked for by name and that cannot be built here.
    `tasks` are distinct. `profile` is None where the endpoint is a real one, and `probed` is what that one
    answered. `folder` is there, and all results go into it.
    """

    settings: Settings
    runtimes: tuple[Manifest, ...]
    skipped: tuple[Manifest, ...]
    tasks: tuple[Task, ...]
    verifiers: tuple[Verifier, ...]
    profile: Profile | None
    probed: Probe | None
    folder: Path

    def tasks_of_run(self, agents: int) -> list[Task]:
        """What a run with so many agents works on: the tasks, repeated as often as it takes."""
        return repeat(list(self.tasks), self.settings.task_count(agents))

    @property
    def references_sha256(self) -> str | None:
        """The SHA-256 of what the simulated endpoint makes its replies from; None for a real one."""
        return None if self.profile is None else sha256(task.reference or "" for task in self.tasks)

    @property
    def times(self) -> dict[str, str] | None:
        """The times of the profile, also of one in a file; None for a real endpoint, which has none."""
        return (
            None if self.profile is None else {"ttft": str(self.profile.ttft), "itl": str(self.profile.itl)}
        )


def prepare(settings: Settings, folder: Callable[[], Path]) -> Prepared:
    """Look up and check everything that the experiment needs, and then make its folder by `folder`.

    A UserError says what this machine lacks, and what to do.
    """
    profile = None if settings.real_endpoint else parse_profile(settings.profile)
    agents = max(settings.agents)
    limits.allow_open_files(open_files_needed(settings, agents), f"{agents} agents")
    runtimes, skipped = _runtimes(settings)
    tasks = _tasks(settings)
    probed = None
    if settings.real_endpoint:
        probed = probe(settings, tasks[0], os.environ.get("LLM_API_KEY", ""))
    return Prepared(
        settings=settings,
        runtimes=tuple(runtimes),
        skipped=tuple(skipped),
        tasks=tuple(tasks),
        verifiers=tuple(VERIFIERS[name]() for name in settings.verifiers),
        profile=profile,
        probed=probed,
        folder=folder(),
    )


def open_files_needed(settings: Settings, agents: int) -> int:
    """How many files one process of a run with so many agents may have open at once."""
    return limits.open_files_needed(agents, settings.verify_slots, relayed=settings.real_endpoint is not None)


def _runtimes(settings: Settings) -> tuple[list[Manifest], list[Manifest]]:
    """The runtimes to measure, and those to skip."""
    asked_for = choose(None if settings.runtimes is None else list(settings.runtimes))
    if settings.install:
        install(asked_for)
    runtimes = buildable(asked_for) if settings.runtimes is None else asked_for
    names = [manifest.name for manifest in runtimes]
    if settings.baseline is not None and settings.baseline not in names:
        raise UserError(
            f"--baseline: {settings.baseline!r} is not measured here; name one of {', '.join(names)}"
        )
    return runtimes, [manifest for manifest in asked_for if manifest not in runtimes]


def _tasks(settings: Settings) -> list[Task]:
    tasks = load(settings.tasks, None)[: settings.limit]
    if settings.real_endpoint is None and any(task.reference is None for task in tasks):
        raise UserError(
            f"{settings.tasks}: a task has no reference, of which the simulated endpoint makes its replies: "
            "add `reference`, or set LLM_BASE_URL to use a real model"
        )
    return tasks


def new_folder(out: Path) -> Path:
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

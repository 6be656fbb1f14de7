"""Everything that was asked of one experiment."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentdyno.endpoint.profile import parse_profile
from agentdyno.files import sha256
from agentdyno.rundata.cell import REAL
from agentdyno.runtimes.manifest import Manifest
from agentdyno.tasks.load import repeat
from agentdyno.tasks.task import Task
from agentdyno.verifiers import Verifier

SIMULATED_MODEL = "agentdyno-sim"
REQUEST = {"max_tokens": 2048, "temperature": 0, "stream_options": {"include_usage": True}}
"""The fields of every request unless `--request` says otherwise."""


@dataclass(frozen=True, slots=True)
class RealEndpoint:
    """A model server that is not ours, from LLM_BASE_URL, LLM_MODEL and LLM_API_KEY; the key stays in the
    environment.
    """

    base_url: str
    model: str


@dataclass(frozen=True, slots=True)
class Settings:
    """One experiment. Times are in seconds; `folder` is where all its results go.

    Every cell is run `repeats` times, and with `until_ci`, a share of the median, until all intervals are
    that tight, `max_repeats` times at most. `controls` are names of `cell.CONTROLS`. With `cgroup`, a run has
    a control group of its own where one can be had. With `trace`, each run's folder gets a trace for
    Perfetto.

    `tasks` are distinct; a run has as many as `limit` says, or an agent each if those are more, by repeating
    them.
    """

    runtimes: tuple[Manifest, ...]
    agents: tuple[int, ...]
    tasks: tuple[Task, ...]
    tasks_source: str
    limit: int
    repeats: int
    until_ci: float | None
    max_repeats: int
    controls: tuple[str, ...]
    baseline: str | None
    arrivals: str
    cgroup: bool
    trace: bool
    profile: str
    verifiers: tuple[Verifier, ...]
    verify_slots: int
    verify_timeout_s: float
    max_retries: int
    request: dict[str, Any]
    seed: int
    stall_s: float
    real_endpoint: RealEndpoint | None
    folder: Path

    def tasks_of_run(self, agents: int) -> list[Task]:
        """What a run with so many agents works on."""
        return repeat(list(self.tasks), self.task_count(agents))

    def task_count(self, agents: int) -> int:
        """How many tasks a run with so many agents has."""
        return max(self.limit, agents)

    @property
    def references_sha256(self) -> str | None:
        """The SHA-256 of what the simulated endpoint makes its replies from; None for a real one."""
        return None if self.real_endpoint else sha256(task.reference or "" for task in self.tasks)

    @property
    def times(self) -> dict[str, str] | None:
        """What the profile comes to, also where a file says it; None for a real endpoint, which has none."""
        if self.real_endpoint:
            return None
        profile = parse_profile(self.profile)
        return {"ttft": str(profile.ttft), "itl": str(profile.itl)}

    @property
    def model(self) -> str:
        """The model that runtimes ask for."""
        return self.real_endpoint.model if self.real_endpoint else SIMULATED_MODEL

    @property
    def served_by(self) -> str:
        """The profile as rows name it: a real endpoint has no profile but its model's name."""
        return f"{REAL}{self.real_endpoint.model}" if self.real_endpoint else self.profile

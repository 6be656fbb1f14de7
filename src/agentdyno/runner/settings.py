"""Everything that is asked of one experiment, as pure data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from agentdyno.analysis.capacity import Objective
from agentdyno.endpoint.upstream import Upstream
from agentdyno.errors import UserError
from agentdyno.rundata.cell import AA_CONTROL, DRIFT_CHECK, REAL
from agentdyno.runner import checks
from agentdyno.runner.checks import AT_ONCE

SIMULATED_MODEL = "agentdyno-sim"
REQUEST = {"max_tokens": 2048, "temperature": 0, "stream_options": {"include_usage": True}}
"""The fields of every request unless `--request` says otherwise."""

FEWEST_FOR_AN_INTERVAL = 3
"""Fewer runs of a cell have no interval."""


def request_with(changes: Mapping[str, Any]) -> dict[str, Any]:
    """REQUEST with fields added or changed; None drops a field."""
    return {name: value for name, value in {**REQUEST, **changes}.items() if value is not None}


class BadSetting(UserError):
    """A setting has a value that it cannot have.

    `name` is the field's. `complaint` is what follows the name in a sentence, so that a command can put the
    name of its option there.
    """

    def __init__(self, name: str, complaint: str) -> None:
        super().__init__(f"{name}{complaint}")
        self.name = name
        self.complaint = complaint


@dataclass(frozen=True, slots=True)
class RealEndpoint:
    """A model server that is not ours. The key of the server is no setting: it stays in the environment."""

    base_url: str
    model: str

    def __post_init__(self) -> None:
        for name, check in (("base_url", checks.url), ("model", checks.TEXT)):
            if (complaint := check(getattr(self, name))) is not None:
                raise BadSetting(f"real_endpoint.{name}", complaint)

    @property
    def local_port(self) -> int | None:
        """The port of a server on this machine, None for one elsewhere."""
        url = urlsplit(self.base_url)
        host = url.hostname or ""
        if host in ("localhost", "::1") or host.startswith("127."):
            return url.port or {"http": 80, "https": 443}[url.scheme]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One experiment as it is asked for; nothing in it was looked up on this machine. Times are in seconds.

    `runtimes` are names, or with a slash paths; None stands for all that can be built. `tasks` is a source of
    tasks. A run has `limit` tasks, or one for each agent where there are more agents. Every cell is run
    `repeats` times, and with `until_ci`, a share of the median, until all intervals are that narrow,
    `max_repeats` times at most. Runs that were disturbed are made again, `redo` of each cell at most.
    `controls` are strings of `rundata.cell`, `verifiers` names of `VERIFIERS`. `request` holds the fields of
    every request but those that agentdyno sets. `cgroup` measures memory by a control group as well, `trace`
    writes a trace of each run, and `install` installs what runtimes lack. `stall_s` ends a runtime that shows
    no sign of life for so long. `connect_timeout_s`, `idle_timeout_s` and `total_timeout_s` are the
    contract's; the first is also the relay's. `proxy`, `ca_bundle`, `headers` and `system_role` say how the
    real endpoint is reached (`endpoint.upstream`). `overhead_limit_s` is the most that the p99 of the
    overhead may be in a sweep, and None in a run.

    A value that a setting cannot have is a BadSetting.
    """

    runtimes: tuple[str, ...] | None = None
    agents: tuple[int, ...] = (100,)
    tasks: str = "builtin"
    limit: int = 100
    repeats: int = 1
    until_ci: float | None = None
    max_repeats: int = 20
    redo: int = 2
    controls: tuple[str, ...] = (AA_CONTROL, DRIFT_CHECK)
    baseline: str | None = None
    arrivals: str = AT_ONCE
    cgroup: bool = False
    trace: bool = False
    profile: str = "chat-7b"
    verifiers: tuple[str, ...] = ("cold",)
    verify_slots: int
    verify_timeout_s: float = 10.0
    max_retries: int = 3
    request: Mapping[str, Any] = field(default_factory=lambda: dict(REQUEST))
    seed: int = 0
    stall_s: float = 120.0
    connect_timeout_s: float = 10.0
    idle_timeout_s: float = 60.0
    total_timeout_s: float = 900.0
    proxy: str | None = None
    ca_bundle: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    system_role: bool = True
    real_endpoint: RealEndpoint | None = None
    install: bool = False
    overhead_limit_s: float | None = None

    def __post_init__(self) -> None:
        for name, check in checks.CHECKS.items():
            if name == "profile" and self.real_endpoint is not None:
                continue  # which has none
            if (complaint := check(getattr(self, name))) is not None:
                raise BadSetting(name, complaint)
        if self.real_endpoint is None:
            self._check_that_nothing_is_asked_of_a_real_endpoint()
        if self.overhead_limit_s is not None:
            self._check_that_agents_can_be_in_flight_at_once()

    def _check_that_nothing_is_asked_of_a_real_endpoint(self) -> None:
        """The simulated one has no proxy and takes no headers: nothing would honour what is recorded."""
        asked = {
            "proxy": self.proxy,
            "ca_bundle": self.ca_bundle,
            "headers": self.headers,
            "system_role": not self.system_role,
        }
        for name, value in asked.items():
            if value:
                raise BadSetting(name, " is for a real endpoint; set LLM_BASE_URL, or leave it out")

    def _check_that_agents_can_be_in_flight_at_once(self) -> None:
        """Without that a sweep finds no capacity."""
        if self.profile == "instant":
            raise BadSetting(
                "profile",
                " instant: replies are over before all agents are in flight, so that no capacity can be "
                "found; choose crowd, steady or chat-7b",
            )
        if self.arrivals != AT_ONCE:
            raise BadSetting("arrivals", ": a sweep begins all agents at once; leave it out")

    @property
    def least_repeats(self) -> int:
        """How often every cell is run at least: an interval takes three runs."""
        return self.repeats if self.until_ci is None else max(FEWEST_FOR_AN_INTERVAL, self.repeats)

    @property
    def objective(self) -> Objective:
        """What a sweep searches the most agents for."""
        assert self.overhead_limit_s is not None
        return Objective(self.overhead_limit_s * 1000)

    @property
    def model(self) -> str:
        """The model that runtimes ask for."""
        return self.real_endpoint.model if self.real_endpoint else SIMULATED_MODEL

    @property
    def served_by(self) -> str:
        """The profile as rows name it: a real endpoint has no profile but its model's name."""
        return f"{REAL}{self.real_endpoint.model}" if self.real_endpoint else self.profile

    @property
    def timeouts(self) -> dict[str, float]:
        """What the run file says of them."""
        return {
            "connect_s": self.connect_timeout_s,
            "event_idle_s": self.idle_timeout_s,
            "total_s": self.total_timeout_s,
        }

    @property
    def upstream(self) -> Upstream | None:
        """The real endpoint, and how the relay reaches it; None for the simulated one."""
        if self.real_endpoint is None:
            return None
        return Upstream(
            self.real_endpoint.base_url,
            proxy=self.proxy,
            ca_bundle=self.ca_bundle,
            headers=self.headers,
            connect_s=self.connect_timeout_s,
            system_role=self.system_role,
        )

    def task_count(self, agents: int) -> int:
        """How many tasks a run with so many agents has."""
        return max(self.limit, agents)

    def as_json(self) -> dict[str, Any]:
        """The settings as a JSON object, which `from_json` reads."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, document: object, path: Path) -> Self:
        """The settings that `as_json` made a JSON object of, read from `path`.

        A UserError in one line names the file, the field and the remedy where one is missing, not known, or
        has a value that it cannot have.
        """
        try:
            values = _fields_of(document, [each.name for each in fields(cls)], "")
            if values["real_endpoint"] is not None:
                names = [each.name for each in fields(RealEndpoint)]
                endpoint = _fields_of(values["real_endpoint"], names, "real_endpoint.")
                values["real_endpoint"] = RealEndpoint(**endpoint)
            return cls(**values)
        except BadSetting as wrong:
            raise UserError(f"{path}: {wrong}; mend that, or begin anew") from None


def _fields_of(document: object, names: list[str], within: str) -> dict[str, Any]:
    """The fields of a JSON object that has exactly those with `names`, lists as tuples."""
    if not isinstance(document, dict):
        raise BadSetting(within.rstrip(".") or "settings", f" must be an object, not {document!r}")
    if missing := [name for name in names if name not in document]:
        raise BadSetting(f"{within}{missing[0]}", " is missing")
    if unknown := [name for name in document if name not in names]:
        raise BadSetting(f"{within}{unknown[0]}", " is not known")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}

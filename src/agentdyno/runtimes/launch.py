"""What a runtime starts with: its environment and its run file (CONTRACT.md, *The run file*)."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agentdyno.files import write_json
from agentdyno.project import CONTRACT_VERSION

PASSED_ON = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""The only variables that a runtime inherits, so that no other variable of this shell can tune it."""


def inherited() -> dict[str, str]:
    """The variables of PASSED_ON that are set here, with their values."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


@dataclass(frozen=True, slots=True)
class Verify:
    """How the runtime verifies an attempt: `argv` with exactly the environment `env`, `slots` at a time."""

    argv: Sequence[str]
    env: Mapping[str, str]
    timeout_s: float
    slots: int
    output_limit_bytes: int


@dataclass(frozen=True, slots=True)
class RunFile:
    """One run as the contract describes it to a runtime, field by field; paths are absolute.

    `timeouts` holds `connect_s`, `event_idle_s` and `total_s`; `transport` holds `max_retries`, `base_s` and
    `cap_s`.
    """

    tasks_file: Path
    prompts_file: Path
    base_url: str
    model: str
    request: Mapping[str, object]
    agents: int
    max_retries: int
    verify: Verify
    timeouts: Mapping[str, float]
    transport: Mapping[str, float]
    workspaces: Path
    events: Path

    def document(self) -> dict[str, Any]:
        """The JSON object, with its fields in the order of the contract."""
        return {
            "contract_version": CONTRACT_VERSION,
            "tasks_file": str(self.tasks_file),
            "prompts_file": str(self.prompts_file),
            "base_url": self.base_url,
            "model": self.model,
            "request": dict(self.request),
            "agents": self.agents,
            "max_retries": self.max_retries,
            "verify": asdict(self.verify),
            "timeouts": dict(self.timeouts),
            "transport": dict(self.transport),
            "workspaces": str(self.workspaces),
            "events": str(self.events),
        }


def write_run_file(path: Path, run_file: RunFile) -> Path:
    """Write the run file in one step and return its path; a UserError says why when that cannot be done."""
    write_json(path, run_file.document())
    return path

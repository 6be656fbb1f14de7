"""What was observed of one run from outside."""

from dataclasses import dataclass
from pathlib import Path

from agentdyno.conformance.endpoint import Request
from agentdyno.conformance.violation import RuleViolation
from agentdyno.rundata.events import Attempt, RunEvents, TaskOutcome


@dataclass(frozen=True, slots=True)
class Observation:
    """One run, after it ended. `status` is the exit status, or minus the signal that ended it; `t_ended` is
    CLOCK_MONOTONIC in ns.
    """

    folder: Path
    status: int
    t_ended: int
    requests: list[Request]
    connections: int
    most_open: int
    wire_problems: list[str]
    event_file: Path
    events: RunEvents
    stderr: bytes
    stdout: bytes
    survivors: list[str]
    zombies: int
    workspaces_left: list[str]
    peak_kib: int
    key_in_process: list[str]

    def of(self, task: str) -> list[Request]:
        """The requests for one task."""
        return [request for request in self.requests if request.task == task]

    def outcome(self, task: str = "task/1") -> TaskOutcome:
        """The task's outcome; raises RuleViolation when there is not exactly one."""
        outcomes = [outcome for outcome in self.events.outcomes if outcome.task == task]
        if len(outcomes) != 1:
            raise RuleViolation(f"{len(outcomes)} task events for {task}; {self.ending}")
        return outcomes[0]

    def attempts(self, task: str = "task/1") -> list[Attempt]:
        """The task's attempts."""
        return [attempt for attempt in self.events.attempts if attempt.task == task]

    def attempt(self, number: int = 1, task: str = "task/1") -> Attempt:
        """One attempt of the task; raises RuleViolation when there is none."""
        for attempt in self.attempts(task):
            if attempt.attempt == number:
                return attempt
        raise RuleViolation(f"no event for attempt {number} of {task}; {self.ending}")

    @property
    def ending(self) -> str:
        """How the run ended, in a few words, for evidence."""
        how = f"exit {self.status}" if self.status >= 0 else f"ended by signal {-self.status}"
        said = self.stderr.decode("utf-8", "replace").strip().splitlines()
        return how + (f", stderr: {said[-1][:200]}" if said else "")

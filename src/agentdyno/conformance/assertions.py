"""What several cases require: of values, of an attempt and of its tries."""

from agentdyno.conformance.endpoint import Answer, Exchange
from agentdyno.conformance.observation import Observation
from agentdyno.conformance.stage import passing
from agentdyno.conformance.violation import RuleViolation, require
from agentdyno.rundata.events import Attempt, TaskOutcome

EARLY_S = 0.01
"""How much too early a timer may ring: event loops count in milliseconds, and from when they last looked."""


def same(found: object, expected: object, what: str = "") -> None:
    """Require that two things are equal."""
    shown, wanted = (text if len(text) < 200 else text[:200] + "…" for text in (repr(found), repr(expected)))
    require(found == expected, f"{what + ': ' if what else ''}{shown}, expected {wanted}")


def once(answer: Answer) -> Answer:
    """Answer the first try of every completion like this, and the others with code that passes."""

    async def answer_once(exchange: Exchange) -> None:
        await (answer if exchange.request.number == 1 else passing)(exchange)

    return answer_once


def recovered(
    observed: Observation, task: str = "task/1", *, tries: int = 2, attempt: int = 1, verdict: str = "passed"
) -> None:
    """Require that the attempt took just that many tries, counted them, and got its verdict."""
    where = f"attempt {attempt} of {task}"
    requests = [request for request in observed.of(task) if request.attempt == attempt]
    event = observed.attempt(attempt, task)
    reason = f" ({event.reason})" if event.reason else ""
    require(len(requests) == tries, f"{where}: {len(requests)} requests, expected {tries}{reason}")
    retries = event.transport_retries
    require(retries == tries - 1, f"{where}: transport_retries {retries} with {tries} requests")
    require(event.verdict == verdict, f"{where}: verdict {event.verdict}{reason}, expected {verdict}")


def time_of(attempt: Attempt, phase: str) -> int:
    """The time of a phase of an attempt; raises RuleViolation when it is null."""
    t = getattr(attempt, phase)
    if t is None:
        raise RuleViolation(
            f"{phase} of attempt {attempt.attempt} of {attempt.task} is null; {attempt.reason}"
        )
    return int(t)


def given_up(observed: Observation, requests: int, task: str = "task/1") -> TaskOutcome:
    """Require that the task's first completion was given up after that many requests, with a reason."""
    outcome, attempt, sent = observed.outcome(task), observed.attempt(task=task), len(observed.of(task))
    require(sent == requests, f"{task}: {sent} requests, expected {requests}; reason {outcome.reason!r}")
    require(outcome.outcome == "error", f"{task}: outcome {outcome.outcome}, expected error")
    require(outcome.attempts == 1, f"{task}: {outcome.attempts} attempts, expected 1")
    require(attempt.verdict == "error", f"{task}: verdict {attempt.verdict}, expected error")
    for event, reason in (("task", outcome.reason), ("attempt", attempt.reason)):
        one_line = reason is not None and reason.strip() and len(reason.splitlines()) == 1
        require(bool(one_line), f"{task}: reason {reason!r} in the {event} event is not one line")
    return outcome

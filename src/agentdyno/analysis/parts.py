"""The parts of an attempt's overhead, from the runtime's events and the endpoint's journal."""

from dataclasses import astuple, dataclass

from agentdyno.analysis.events import Attempt
from agentdyno.analysis.journal import Request
from agentdyno.analysis.ledger import NS_PER_MS, between, completed
from agentdyno.analysis.run_data import RunData


@dataclass(frozen=True, slots=True)
class Parts:
    """One attempt's overhead in ms, in the order in which it came; together they are the ledger's `overhead`.

    Without a verification, `finish` begins where the stream ended, and `files` and `spawn` are 0.
    """

    begin: float
    """From the run's start until the attempt was begun, where it was due at the start."""
    request: float
    """Messages, body and connection, until the runtime began to write; failed tries are not in it."""
    send: float
    """Until the endpoint had read the request."""
    stream: float
    """From the departure of the last byte until the runtime had understood it."""
    files: float
    """Extraction, workspace and files, until a slot was asked for."""
    spawn: float
    """Until the test process was there."""
    finish: float
    """From the end of the test process: verdict, feedback, removal of the workspace."""

    @property
    def overhead(self) -> float:
        """All parts together."""
        return float(sum(astuple(self)))


def parts(run: RunData) -> list[Parts]:
    """The parts of every attempt that the ledger has, in the order of the events."""
    return [_parts(*found) for found in completed(run)]


def _parts(attempt: Attempt, request: Request, since: int) -> Parts:
    # Who has a completion has sent a request and seen its end.
    t_request, t_last = attempt.t_request or attempt.t_begin, attempt.t_last or attempt.t_end
    verified = attempt.t_queue is not None and attempt.t_exit is not None
    return Parts(
        begin=between(since, attempt.t_begin),
        request=between(attempt.t_begin, t_request) - attempt.transport_ns / NS_PER_MS,
        send=between(t_request, request.t_arrive),
        stream=between(request.t_last, t_last),
        files=between(t_last, attempt.t_queue) if verified else 0.0,
        spawn=between(attempt.t_spawn, attempt.t_started) if verified else 0.0,
        finish=between(attempt.t_exit, attempt.t_end) if verified else between(t_last, attempt.t_end),
    )

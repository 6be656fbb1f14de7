"""A run as OpenTelemetry spans, by the semantic conventions for generative AI.

Each task is a trace: `invoke_agent` contains a `chat` for each attempt and, after each verification, an
`execute_tool`. A span has an error if its work did not complete: the runtime gave up a completion, stopped
a verification, or a task ended without a proper outcome. Failed tests are a result of the tool and no
error.

Source: github.com/open-telemetry/semantic-conventions-genai, model/gen-ai/spans.yaml (inference.client,
invoke_agent.internal, execute_tool.internal).
"""

import hashlib
import json
import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from agentdyno import __version__
from agentdyno.analysis.joins import UNSERVED, match
from agentdyno.analysis.ledger import NS_PER_MS
from agentdyno.analysis.metrics import NS_PER_S
from agentdyno.analysis.slots import Span, lifetimes, slots
from agentdyno.errors import UserError
from agentdyno.reading import sha256_of_file
from agentdyno.rundata.columns import by_task
from agentdyno.rundata.events import Attempt
from agentdyno.rundata.raw_run import REMEDY, RawRun, read_run_file
from agentdyno.trace.otlp import Attributes, model, resource, server, usage

SCOPE = InstrumentationScope("agentdyno", __version__, "https://opentelemetry.io/schemas/gen-ai/1.42.0")

TOOL = "verify"
"""The only tool that agents use."""

OTHER = "_OTHER"
"""The type of an error without a more specific type (registry, error.type)."""


def spans(
    run: RawRun, experiment: Mapping[str, Any], environment: Mapping[str, Any]
) -> Iterator[ReadableSpan]:
    """The spans of a run, task by task; `experiment` and `environment` are those of the summary.

    The ids derive from the run's events, so that a receiver stores a run once even if it is sent twice.
    Raises a UserError where the run has no time of day.
    """
    builder = _SpanBuilder(run, experiment, environment)
    for task, positions in by_task(run.events.attempts).items():
        its = sorted((run.events.attempts[at] for at in positions), key=lambda attempt: attempt.attempt)
        yield builder.invoke_agent(task, its)
        for attempt in its:
            yield builder.chat(attempt)
            if attempt.t_spawn is not None:
                yield builder.execute_tool(attempt, attempt.t_spawn)


class _SpanBuilder:
    """Builds the spans of one run from the data that they share."""

    def __init__(self, run: RawRun, experiment: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
        if run.outcome.epoch_ns is None:
            raise UserError(
                f"{run.folder}: an older version of agentdyno made this run without the time of day, which "
                "spans need; measure again",
                status=1,
            )
        self._epoch_ns = run.outcome.epoch_ns
        self._agent = run.cell.runtime
        self._identity = sha256_of_file(run.folder / "events.jsonl", REMEDY)
        self._resource = resource(run, environment, self._identity)
        run_file = read_run_file(run.folder)
        self._model = model(run_file, simulated=experiment["simulated"])
        self._server = server(run_file.base_url if experiment["simulated"] else experiment["endpoint"])
        self._slots = slots(run)
        self._lifetimes = lifetimes(run.events)
        self._outcomes = {outcome.task: outcome for outcome in run.events.outcomes}
        served_by = match(run.events.attempts, run.journal.requests)
        self._finish = {
            (attempt.task, attempt.attempt): run.journal.requests[position].finish
            for attempt, position in zip(run.events.attempts, served_by, strict=True)
            if position != UNSERVED
        }
        tries = sorted(run.journal.requests.of("t_arrive", "task", "attempt", "status"), key=itemgetter(0))
        self._last_status = {(task, attempt): status or 0 for _, task, attempt, status in tries}

    def invoke_agent(self, task: str, attempts: Sequence[Attempt]) -> ReadableSpan:
        """The agent's work on a task, which is the root span of the task's trace."""
        outcome = self._outcomes.get(task)
        ended = outcome is not None and outcome.outcome != "error"
        used = Counter[str]()
        for attempt in attempts:
            used.update(usage(attempt))
        return self._span(
            f"invoke_agent {self._agent}",
            self._lifetimes[task],
            (task,),
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": self._agent,
                **self._model,
                **used,
                "agentdyno.task": task,
                "agentdyno.slot": self._slots[task],
                "agentdyno.attempts": len(attempts),
                "agentdyno.outcome": outcome.outcome if outcome else None,
            },
            error=None if ended else self._error(attempts[-1]),
            reason=outcome.reason if outcome else None,
        )

    def chat(self, attempt: Attempt) -> ReadableSpan:
        """The completion of an attempt, including all tries."""
        sent = attempt.t_request
        begin = attempt.t_begin if sent is None else max(attempt.t_begin, sent - attempt.transport_ns)
        finish = self._finish.get((attempt.task, attempt.attempt))
        waited = attempt.t_first - sent if attempt.t_first is not None and sent is not None else None
        return self._span(
            f"chat {self._model['gen_ai.request.model']}",
            (begin, attempt.t_end if attempt.t_last is None else attempt.t_last),
            (attempt.task, attempt.attempt, "chat"),
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.request.stream": True,
                **self._model,
                **self._server,
                **usage(attempt),
                "gen_ai.response.finish_reasons": [finish] if finish else None,
                "gen_ai.response.time_to_first_chunk": None if waited is None else waited / NS_PER_S,
                "agentdyno.attempt": attempt.attempt,
                "agentdyno.verdict": attempt.verdict,
                "agentdyno.transport_retries": attempt.transport_retries,
            },
            kind=SpanKind.CLIENT,
            error=self._error(attempt) if attempt.completion_sha256 is None else None,
            reason=attempt.reason,
        )

    def execute_tool(self, attempt: Attempt, t_spawn: int) -> ReadableSpan:
        """The verification of an attempt, without the wait for a slot."""
        error = None
        if attempt.timed_out:
            error = "timeout"
        elif attempt.signal is not None:
            error = _signal(attempt.signal)
        elif attempt.t_exit is None:
            error = self._error(attempt)
        queue = None if attempt.t_queue is None else (t_spawn - attempt.t_queue) / NS_PER_MS
        return self._span(
            f"execute_tool {TOOL}",
            (t_spawn, attempt.t_end if attempt.t_exit is None else attempt.t_exit),
            (attempt.task, attempt.attempt, "execute_tool"),
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": TOOL,
                "gen_ai.tool.type": "function",
                "process.exit.code": attempt.exit_code,
                "agentdyno.attempt": attempt.attempt,
                "agentdyno.verdict": attempt.verdict,
                "agentdyno.queue_ms": queue,
            },
            error=error,
            reason=attempt.reason,
        )

    def _error(self, attempt: Attempt) -> str:
        """The error type of an attempt (registry, error.type)."""
        if attempt.verdict == "interrupted":
            return "interrupted"
        status = self._last_status.get((attempt.task, attempt.attempt), 0)
        return str(status) if attempt.completion_sha256 is None and status >= 400 else OTHER

    def _span(
        self,
        name: str,
        span: Span,
        path: tuple[str | int, ...],
        attributes: Attributes,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        error: str | None,
        reason: str | None,
    ) -> ReadableSpan:
        """A span. `path` begins with the task; a longer path makes a child of the task's root span."""
        status = Status(StatusCode.UNSET) if error is None else Status(StatusCode.ERROR, reason)
        known = {name: value for name, value in attributes.items() if value is not None}
        return ReadableSpan(
            name,
            context=self._context(path),
            parent=self._context(path[:1]) if len(path) > 1 else None,
            resource=self._resource,
            attributes=known if error is None else known | {"error.type": error},
            kind=kind,
            status=status,
            start_time=span[0] + self._epoch_ns,
            end_time=span[1] + self._epoch_ns,
            instrumentation_scope=SCOPE,
        )

    def _context(self, path: tuple[str | int, ...]) -> SpanContext:
        trace, span = (
            hashlib.sha256(json.dumps([self._identity, *part]).encode()).digest() for part in (path[:1], path)
        )
        return SpanContext(
            trace_id=int.from_bytes(trace[:16]),
            span_id=int.from_bytes(span[-8:]),
            is_remote=False,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
        )


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

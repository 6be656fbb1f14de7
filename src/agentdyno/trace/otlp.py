"""Sends spans by OTLP over HTTP, with OpenTelemetry's exporter and the variables that the exporter reads.

Attributes are named by the conventions for generative AI and by OpenTelemetry's registry.
Source: the OpenTelemetry specification, protocol/exporter.md and protocol/otlp.md.
"""

import logging
import os
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import requests
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from agentdyno.errors import UserError
from agentdyno.rundata.events import Attempt
from agentdyno.rundata.raw_run import RawRun, RunFile
from agentdyno.shape import MOST

Attributes = dict[str, Any]
"""Values by name; None means unknown."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""The registry's names of architectures (host.arch) where they differ from those of uname(2)."""

PORTS = {"http": 80, "https": 443}

ASKED: dict[str, tuple[str, type]] = {
    "max_tokens": ("gen_ai.request.max_tokens", int),
    "temperature": ("gen_ai.request.temperature", float),
    "top_p": ("gen_ai.request.top_p", float),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", float),
    "presence_penalty": ("gen_ai.request.presence_penalty", float),
    "seed": ("gen_ai.request.seed", int),
}
"""Fields of the request that have a name in the conventions, with that name and its type."""

USED = {
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
}
"""Fields of the endpoint's usage object that have a name in the conventions."""


def resource(run: RawRun, environment: Mapping[str, Any], identity: str) -> Resource:
    """The runtime in this run on this machine. OTEL_RESOURCE_ATTRIBUTES can add attributes."""
    cell = run.cell
    architecture = environment["architecture"]
    return Resource.create(
        {
            "service.name": cell.runtime,
            "service.instance.id": identity,
            "host.arch": ARCHITECTURES.get(architecture, architecture),
            "host.cpu.model.name": environment["cpu"],
            "os.type": "linux",
            "os.description": environment["system"],
            "os.version": environment["kernel"],
            "agentdyno.run": run.folder.name,
            "agentdyno.runtime": cell.runtime,
            "agentdyno.agents": cell.agents,
            "agentdyno.verifier": cell.verifier,
            "agentdyno.profile": cell.profile,
            "agentdyno.block": run.block,
            **({"agentdyno.control": cell.control} if cell.control else {}),
        }
    )


def model(run_file: RunFile, *, simulated: bool) -> Attributes:
    """The requested model and options. Of a real endpoint's provider only the API is known: OpenAI's."""
    request = run_file.request
    return {
        "gen_ai.provider.name": "agentdyno" if simulated else "openai",
        "gen_ai.request.model": run_file.model,
        **{
            name: number(request[field])
            for field, (name, number) in ASKED.items()
            if type(request.get(field)) in (int, float) and abs(request[field]) <= MOST
        },
    }


def server(base_url: str) -> Attributes:
    """The host and port of the endpoint at `base_url`."""
    url = urlsplit(base_url)
    return {"server.address": url.hostname, "server.port": url.port or PORTS[url.scheme]}


MOST_TOKENS = 2**53
"""What an endpoint says beyond that is no count, and sums of such fit in no 64 bits."""


def usage(attempt: Attempt) -> dict[str, int]:
    """The tokens of an attempt, as far as the endpoint reported them."""
    reported = attempt.usage or {}
    tokens = {name: reported.get(field) for field, name in USED.items()}
    return {name: count for name, count in tokens.items() if type(count) is int and 0 <= count <= MOST_TOKENS}


BATCH = 512
"""Spans in one request, the default of the specification's batching processor."""

PROTOCOL = "http/protobuf"
CONTENT_TYPE = "application/x-protobuf"
NO_URL = "the address does not begin with http:// or https://"
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class Sender:
    """Sends spans and counts how many the receiver has `accepted`."""

    def __init__(self, endpoint: str | None, headers: Mapping[str, str]) -> None:
        """`endpoint` is a receiver's address without `/v1/traces`; None means the address in the variables.

        `headers` are sent in addition to those in the variables. Raises a UserError if a variable asks for
        another protocol.
        """
        for variable in PROTOCOLS:
            if (asked := os.environ.get(variable) or PROTOCOL) != PROTOCOL:
                raise UserError(
                    f"{variable} is {asked}, but spans are sent by {PROTOCOL} only; unset {variable} and "
                    f"name a receiver of {PROTOCOL}, usually at port 4318"
                )
        # The exporter logs an error in several lines; the UserError says it in one.
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
        self.accepted = 0
        self._wire = _Wire()
        self._exporter = OTLPSpanExporter(
            endpoint=None if endpoint is None else f"{endpoint.rstrip('/')}/v1/traces",
            headers=dict(headers),
            session=self._wire,
        )

    @property
    def receiver(self) -> str:
        """The address of the last request."""
        return self._wire.address

    def send(self, spans: Iterable[ReadableSpan]) -> None:
        """Send all spans; raises a UserError at the first batch that fails or is partly rejected."""
        left = iter(spans)
        while batch := list(islice(left, BATCH)):
            went_well = self._exporter.export(batch) is SpanExportResult.SUCCESS
            if not went_well or self._wire.problem is not None:
                self._fail(self._wire.problem or "not sent")
            rejected = self._wire.rejected
            self.accepted += len(batch) - rejected.rejected_spans
            if rejected.rejected_spans:
                self._fail(f"{rejected.rejected_spans} spans rejected ({rejected.error_message})")

    def _fail(self, why: str) -> None:
        raise UserError(
            f"{self.receiver}: {why}; {self.accepted} spans were accepted before. Check that a receiver of "
            f"{PROTOCOL} runs at this address, and whether it needs a --header",
            status=1,
        )


class _Wire(requests.Session):
    """Keeps the result of the last request.

    The exporter reports only success or failure, and counts redirections and rejected spans as success.
    `problem` says why the last request failed, None if it succeeded.
    """

    def __init__(self) -> None:
        super().__init__()
        self.address = "the OTLP receiver"
        self.problem: str | None = NO_URL  # a session does not call `send` for an invalid URL
        self.rejected = ExportTracePartialSuccess()

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send the request as `requests.Session` does, and keep its result."""
        self.address = _public(request.url or "")
        try:
            answer = super().send(request, **options)
        except requests.RequestException as error:
            self.problem = _cause(error)
            raise
        self.problem = None if 200 <= answer.status_code < 300 else f"{answer.status_code} {answer.reason}"
        self.rejected = ExportTracePartialSuccess()
        if self.problem is None and answer.headers.get("Content-Type", "").startswith(CONTENT_TYPE):
            try:
                self.rejected = ExportTraceServiceResponse.FromString(answer.content).partial_success
            except DecodeError:
                self.problem = f"the answer is not valid {CONTENT_TYPE}"
        return answer


def _public(url: str) -> str:
    """An address without the parts that may be secret: user, password, query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _cause(error: BaseException) -> str:
    """The innermost system error below the exceptions of the HTTP layers."""
    if isinstance(error, ValueError):  # as requests.exceptions.InvalidSchema is
        return NO_URL
    found = None
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError) and below.strerror:
            found = below.strerror
        below = below.__context__
    return found or type(error).__name__

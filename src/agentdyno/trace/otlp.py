"""Sends spans by OTLP over HTTP, with OpenTelemetry's exporter and the variables that the exporter reads.

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
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from agentdyno.errors import UserError

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

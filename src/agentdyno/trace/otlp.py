"""Sending spans by OTLP over HTTP, with OpenTelemetry's own exporter and the variables that it reads.

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
"""Spans sent at once, as many as the specification's batching processor sends."""

PROTOCOL = "http/protobuf"
CONTENT_TYPE = "application/x-protobuf"
NO_URL = "no address that begins with http:// or https://"
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class Sender:
    """Sends spans, and knows how many of them the receiver has `accepted`."""

    def __init__(self, endpoint: str | None, headers: Mapping[str, str]) -> None:
        """`endpoint` is a receiver's address, without the path of traces; None leaves it to the variables.

        `headers` go with those of the variables. A UserError where those ask for another protocol.
        """
        for variable in PROTOCOLS:
            if (asked := os.environ.get(variable) or PROTOCOL) != PROTOCOL:
                raise UserError(
                    f"{variable} is {asked}, and spans are sent by {PROTOCOL}; unset it, and name a receiver "
                    f"of {PROTOCOL}, which mostly is at port 4318"
                )
        # The exporter logs what goes wrong, several lines of it; we say it in one.
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
        """Where spans went last."""
        return self._wire.address

    def send(self, spans: Iterable[ReadableSpan]) -> None:
        """Send all of them; a UserError as soon as some did not get through, or were rejected."""
        left = iter(spans)
        while batch := list(islice(left, BATCH)):
            went_well = self._exporter.export(batch) is SpanExportResult.SUCCESS
            if not went_well or self._wire.problem is not None:
                self._refuse(self._wire.problem or "not sent")
            rejected = self._wire.rejected
            self.accepted += len(batch) - rejected.rejected_spans
            if rejected.rejected_spans:
                self._refuse(f"{rejected.rejected_spans} spans rejected ({rejected.error_message})")

    def _refuse(self, why: str) -> None:
        raise UserError(
            f"{self.receiver}: {why}; {self.accepted} spans were accepted until then. Look whether a "
            f"receiver of {PROTOCOL} is there, and whether it wants a --header",
            status=1,
        )


class _Wire(requests.Session):
    """Remembers what came of the last request.

    The exporter says only whether it was a success, and takes a redirection, and an answer that rejects
    spans, for one. `problem` is what was wrong with it, None if nothing was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.address = "the OTLP receiver"
        self.problem: str | None = NO_URL  # a session does not even send to what is none
        self.rejected = ExportTracePartialSuccess()

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send it, as a session does."""
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
                self.problem = "its answer is not what it says it is"
        return answer


def _public(url: str) -> str:
    """An address without what may be secret in it: user, password, query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _cause(error: BaseException) -> str:
    """What the system said, below the layers that passed it on."""
    if isinstance(error, ValueError):  # as requests.exceptions.InvalidSchema is
        return NO_URL
    said = None
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError) and below.strerror:
            said = below.strerror
        below = below.__context__
    return said or type(error).__name__

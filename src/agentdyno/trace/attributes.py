"""Attributes of spans, named by the conventions for generative AI and by OpenTelemetry's registry."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.sdk.resources import Resource

from agentdyno.rundata.events import Attempt
from agentdyno.rundata.raw_run import RawRun

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


def model(run_file: Mapping[str, Any], *, simulated: bool) -> Attributes:
    """The requested model and options. Of a real endpoint's provider only the API is known: OpenAI's."""
    request = run_file["request"]
    return {
        "gen_ai.provider.name": "agentdyno" if simulated else "openai",
        "gen_ai.request.model": run_file["model"],
        **{
            name: number(request[field])
            for field, (name, number) in ASKED.items()
            if type(request.get(field)) in (int, float)
        },
    }


def server(base_url: str) -> Attributes:
    """The host and port of the endpoint at `base_url`."""
    url = urlsplit(base_url)
    return {"server.address": url.hostname, "server.port": url.port or PORTS[url.scheme]}


def usage(attempt: Attempt) -> dict[str, int]:
    """The tokens of an attempt, as far as the endpoint reported them."""
    reported = attempt.usage or {}
    return {name: reported[field] for field, name in USED.items() if type(reported.get(field)) is int}

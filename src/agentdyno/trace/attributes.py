"""What the conventions for generative AI, and OpenTelemetry's registry, call what we know."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.sdk.resources import Resource

from agentdyno.rundata.events import Attempt
from agentdyno.rundata.raw_run import RawRun

Attributes = dict[str, Any]
"""Names and values; those that are None are not known."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What uname(2) calls an architecture, and the registry (host.arch) otherwise."""

PORTS = {"http": 80, "https": 443}

ASKED: dict[str, tuple[str, type]] = {
    "max_tokens": ("gen_ai.request.max_tokens", int),
    "temperature": ("gen_ai.request.temperature", float),
    "top_p": ("gen_ai.request.top_p", float),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", float),
    "presence_penalty": ("gen_ai.request.presence_penalty", float),
    "seed": ("gen_ai.request.seed", int),
}
"""Fields of the request that the conventions name, with their names and types there."""

USED = {
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
}
"""Fields of the endpoint's usage object that the conventions name."""


def resource(run: RawRun, environment: Mapping[str, Any], identity: str) -> Resource:
    """The runtime, in this run, on this machine; OTEL_RESOURCE_ATTRIBUTES may add to it."""
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
    """What was asked of whom. Who is behind a real endpoint is not known, but that it speaks OpenAI's API."""
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
    """Who answers there."""
    url = urlsplit(base_url)
    return {"server.address": url.hostname, "server.port": url.port or PORTS[url.scheme]}


def usage(attempt: Attempt) -> dict[str, int]:
    """The tokens that an attempt took, as far as the endpoint said so."""
    said = attempt.usage or {}
    return {attribute: said[field] for field, attribute in USED.items() if type(said.get(field)) is int}

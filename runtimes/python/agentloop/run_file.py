"""The run file: everything that a run is told.

Source: runtimes/CONTRACT.md, "The run file".
"""

from dataclasses import dataclass

from agentloop.endpoint import parse_base_url
from agentloop.fields import Fields
from agentloop.messages import canonical_json

CONTRACT_VERSION = 1

_OWN_FIELDS = ("messages", "model", "stream")


@dataclass(frozen=True, slots=True)
class Verify:
    """How attempts are verified: what runs, in which environment, for how long, how many at once."""

    argv: list[str]
    env: dict[str, str]
    timeout_s: float
    slots: int
    output_limit_bytes: int


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of a completion, in seconds: to connect, between two data events, over all tries."""

    connect_s: float = 10.0
    event_idle_s: float = 60.0
    total_s: float = 600.0


@dataclass(frozen=True, slots=True)
class TransportRetries:
    """How often a failed try is repeated, and the base and the cap of the backoff in seconds."""

    max_retries: int = 5
    base_s: float = 0.5
    cap_s: float = 30.0


@dataclass(frozen=True, slots=True)
class RunFile:
    """The fields of a run file; paths are absolute and free of symbolic links."""

    tasks_file: str
    prompts_file: str
    base_url: str
    model: str
    request: dict[str, object]
    agents: int
    max_retries: int
    verify: Verify
    timeouts: Timeouts
    transport: TransportRetries
    workspaces: str
    events: str


def load_run_file(path: str) -> RunFile:
    """Read and check a run file; raises `InvalidInput`."""
    fields = Fields.of_file(path)
    if fields.integer("contract_version", at_least=0) != CONTRACT_VERSION:
        raise fields.invalid("contract_version", f"{CONTRACT_VERSION}, the one that this runtime obeys")
    verify = fields.fields("verify")
    timeouts = fields.fields("timeouts")
    transport = fields.fields("transport")
    return RunFile(
        tasks_file=fields.path("tasks_file"),
        prompts_file=fields.path("prompts_file"),
        base_url=_base_url(fields),
        model=fields.text("model"),
        request=_request(fields),
        agents=fields.integer("agents", at_least=1),
        max_retries=fields.integer("max_retries", at_least=0),
        verify=Verify(
            argv=verify.texts("argv"),
            env=verify.environment("env"),
            timeout_s=verify.positive("timeout_s"),
            slots=verify.integer("slots", at_least=1),
            output_limit_bytes=verify.integer("output_limit_bytes", at_least=1),
        ),
        timeouts=Timeouts(
            connect_s=timeouts.positive("connect_s"),
            event_idle_s=timeouts.positive("event_idle_s"),
            total_s=timeouts.positive("total_s"),
        ),
        transport=TransportRetries(
            max_retries=transport.integer("max_retries", at_least=0),
            base_s=transport.not_negative("base_s"),
            cap_s=transport.not_negative("cap_s"),
        ),
        workspaces=fields.writable_folder("workspaces"),
        events=fields.path("events"),
    )


def _base_url(fields: Fields) -> str:
    value = fields.text("base_url")
    if parse_base_url(value) is None:
        raise fields.invalid_unshown(
            "base_url", "http:// or https://, a host without a user, if need be a port, a path and a query"
        )
    return value


def _request(fields: Fields) -> dict[str, object]:
    values = fields.object("request")
    if any(name in values for name in _OWN_FIELDS):
        raise fields.invalid("request", f"an object without {', '.join(_OWN_FIELDS)}")
    try:
        canonical_json(values)
    except UnicodeEncodeError:
        raise fields.invalid("request", "an object without halves of surrogate pairs") from None
    except ValueError:
        raise fields.invalid("request", "an object without numbers too large for a double") from None
    except RecursionError:
        raise fields.invalid("request", "an object of less depth") from None
    return values

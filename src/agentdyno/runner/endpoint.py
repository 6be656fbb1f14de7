"""The endpoint of one run."""

import contextlib
import http.client
import json
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agentdyno.endpoint.process import prefer, started
from agentdyno.process.child import Child
from agentdyno.runner.settings import Settings


@dataclass(frozen=True, slots=True)
class Gauge:
    """Requests being answered now, all requests so far, and how long from now clients were asked to wait."""

    in_flight: int
    requests: int
    asked_to_wait_s: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A listening endpoint. `niceness` is what it really runs at."""

    base_url: str
    child: Child
    niceness: int

    def gauge(self) -> Gauge | None:
        """What the endpoint is doing now; None when it does not answer within a second."""
        address = urllib.parse.urlsplit(self.base_url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=1)
        try:
            connection.request("GET", "/health")
            health = json.loads(connection.getresponse().read())
            return Gauge(int(health["in_flight"]), int(health["requests"]), float(health["asked_to_wait_s"]))
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return None
        finally:
            connection.close()


class SharedFiles(NamedTuple):
    """The files that runs share: the tasks, which the runtime reads, and the same with references, which the
    endpoint reads; and the prompts.
    """

    tasks: Path
    tasks_with_references: Path
    prompts: Path


@contextlib.contextmanager
def serve(
    settings: Settings, shared: SharedFiles, journal: Path, stderr: Path, check: Callable[[], None]
) -> Iterator[Endpoint]:
    """An endpoint for `settings`, stopped when the block is left; `check` as in `process.started`."""
    options = ["--tasks", str(shared.tasks_with_references), "--prompts", str(shared.prompts)]
    options += ["--journal", str(journal)]
    options += ["--seed", str(settings.seed), "--model", settings.model]
    if settings.upstream is not None:
        options += settings.upstream.options
    else:
        options += ["--profile", settings.profile]
    with started(options, stderr, check) as (child, base_url):
        yield Endpoint(base_url, child, prefer(child.pid))

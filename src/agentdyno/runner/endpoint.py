"""The endpoint of one run, and the probe of a real one before agents use it."""

import contextlib
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agentdyno.endpoint.process import prefer, started
from agentdyno.errors import UserError
from agentdyno.process.child import Child
from agentdyno.runner.settings import RealEndpoint, Settings

PATIENCE_S = 60.0
"""A server that loads its model on the first request takes this long at times."""


def probe(endpoint: RealEndpoint, api_key: str) -> None:
    """Have one token completed; a UserError says what stands in the way. The key goes into the header and
    nowhere else.
    """
    if not (api_key.isascii() and api_key.isprintable()):
        # http.client would say so too, and would show the key.
        raise UserError(
            "LLM_API_KEY holds a character that no HTTP header can carry, such as a line end: set it without"
        )
    body = {
        "model": endpoint.model,
        "messages": [{"role": "user", "content": "Say yes."}],
        "max_tokens": 1,
        "stream": False,
    }
    request = urllib.request.Request(
        f"{endpoint.base_url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"}
        | ({"Authorization": f"Bearer {api_key}"} if api_key else {}),
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            response.read()
    except urllib.error.HTTPError as error:
        said = _message(error.read(), api_key)
        where = f"{endpoint.base_url} answers {error.code}"
        remedy = {
            401: "set LLM_API_KEY to a key that it accepts",
            403: "set LLM_API_KEY to a key that may use this model",
            404: f"it has no model `{endpoint.model}`, or LLM_BASE_URL lacks its /v1; "
            f"see what {endpoint.base_url}/models lists and set LLM_MODEL",
        }.get(error.code, "see the server's log")
        raise UserError(f"{where} ({said}): {remedy}", status=1) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise UserError(
            f"{endpoint.base_url} cannot be reached ({str(reason).strip()}): "
            "is the server running, and is LLM_BASE_URL right?",
            status=1,
        ) from None


def _message(body: bytes, api_key: str) -> str:
    """The error's own words in one line, without the key should the server repeat it."""
    try:
        said = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        said = body.decode(errors="replace")
    said = " ".join(said.split())[:200] or "no message"
    return said.replace(api_key, "…") if api_key else said


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A listening endpoint. `niceness` is what it really runs at."""

    base_url: str
    child: Child
    niceness: int

    def in_flight(self) -> int | None:
        """Requests being answered now, by the endpoint's own gauge; None when it does not answer within a
        second.
        """
        address = urllib.parse.urlsplit(self.base_url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=1)
        try:
            connection.request("GET", "/health")
            return int(json.loads(connection.getresponse().read())["in_flight"])
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return None
        finally:
            connection.close()


@contextlib.contextmanager
def serve(
    settings: Settings, tasks_file: Path, journal: Path, stderr: Path, check: Callable[[], None]
) -> Iterator[Endpoint]:
    """An endpoint for `settings`, stopped when the block is left; `check` as in `process.started`."""
    options = ["--tasks", str(tasks_file), "--journal", str(journal)]
    options += ["--seed", str(settings.seed), "--model", settings.model]
    if settings.real_endpoint:
        options += ["--upstream", settings.real_endpoint.base_url]
    else:
        options += ["--profile", settings.profile]
    with started(options, stderr, check) as (child, base_url):
        yield Endpoint(base_url, child, prefer(child.pid))

"""The probe of a real endpoint: the run's own first request, through the relay, read to its end.

Another client, another body or an unstreamed request would pass where all runtimes fail, and fail where they
pass.
"""

import http.client
import json
import tempfile
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentdyno.endpoint.api import render
from agentdyno.endpoint.process import started
from agentdyno.endpoint.stream import Completion, EventStream, json_object, object_in
from agentdyno.errors import UserError
from agentdyno.project import PROMPTS
from agentdyno.runner.run import TIMEOUTS
from agentdyno.runner.settings import RealEndpoint
from agentdyno.tasks.task import Task

IDLE_S = float(TIMEOUTS["event_idle_s"])
"""How long the runtimes wait for data."""

MOST_SHOWN = 200
"""Characters of a server's own words."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What the endpoint answered: `server` as it names itself, `usage` as it counts, and what is `odd`."""

    server: str | None
    seconds_to_first_token: float
    usage: Mapping[str, Any] | None
    odd: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """All of it in one line."""
        said = [f"{self.seconds_to_first_token:.2g} s to the first token"]
        if self.server:
            said.insert(0, f"server {self.server}")
        if self.usage:
            counts = (self.usage.get("prompt_tokens"), self.usage.get("completion_tokens"))
            said.append(f"{counts[0]} tokens of prompt and {counts[1]} of reply")
        return "; ".join([", ".join(said), *self.odd])


def probe(endpoint: RealEndpoint, request: Mapping[str, Any], task: Task, api_key: str) -> Probe:
    """Have the task's first message completed; a UserError says what stands in the way, without the key."""
    if not (api_key.isascii() and api_key.isprintable()):
        # http.client would say so too, and would show the key.
        raise UserError(
            "LLM_API_KEY holds a character that no HTTP header can carry, such as a line end: set it without"
        )
    prompts = json.loads(PROMPTS.read_text(encoding="utf-8"))
    messages = [
        {"role": "system", "content": prompts["system"]},
        {"role": "user", "content": render(prompts["user"], task)},
    ]
    body = {"model": endpoint.model, "messages": messages, "stream": True, **request}
    headers = {"Content-Type": "application/json"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    with (
        tempfile.TemporaryDirectory(prefix="agentdyno-") as folder,
        started(["--upstream", endpoint.base_url], Path(folder, "stderr")) as (_, url),
    ):
        return _ask(url, json.dumps(body).encode(), headers, endpoint, api_key)


def _ask(url: str, body: bytes, headers: Mapping[str, str], endpoint: RealEndpoint, api_key: str) -> Probe:
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=IDLE_S)
    began = time.monotonic()
    try:
        connection.request("POST", f"{address.path}/chat/completions", body, dict(headers))
        response = connection.getresponse()
        if response.status != 200:
            raise _refused(response, endpoint, api_key)
        kind = response.headers.get_content_type()
        if kind != "text/event-stream":
            said = _shown(response.read(), api_key)
            raise UserError(
                f"{endpoint.base_url} answers with {kind} instead of an event stream ({said}): "
                "the runtimes stream; see the server's log, and `--request` for the fields that it gets",
                status=1,
            )
        return _read(response, began, endpoint, api_key)
    except TimeoutError:
        raise UserError(
            f"{endpoint.base_url} sent nothing for {IDLE_S:g} s: the runtimes wait as long; "
            "load the model first, or use a smaller one",
            status=1,
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"{endpoint.base_url} broke off ({error}): see the server's log", status=1) from None
    finally:
        connection.close()


def _refused(response: http.client.HTTPResponse, endpoint: RealEndpoint, api_key: str) -> UserError:
    """What a status other than 200 means, in the server's own words, and what to do."""
    said, location = _shown(response.read(), api_key), response.headers.get("Location")
    if response.status == 502 and said.startswith("The upstream endpoint "):
        reason = said.removeprefix("The upstream endpoint ").rstrip(".")
        happened, _, why = reason.partition(": ")
        return UserError(
            f"{endpoint.base_url} {happened} ({why}): is the server running, and is LLM_BASE_URL right?",
            status=1,
        )
    if location is not None and 300 <= response.status < 400:
        return UserError(
            f"{endpoint.base_url} answers {response.status} and leads to {_masked(location, api_key)}: "
            "no redirect is followed, because the key would go along; set LLM_BASE_URL to where it leads",
            status=1,
        )
    remedy = {
        400: "change the fields of every request with --request, or see the server's log",
        401: "set LLM_API_KEY to a key that it accepts",
        403: "set LLM_API_KEY to a key that may use this model",
        404: f"it has no model `{endpoint.model}`, or LLM_BASE_URL lacks its /v1; "
        f"see what {endpoint.base_url}/models lists and set LLM_MODEL",
    }.get(response.status, "see the server's log")
    return UserError(f"{endpoint.base_url} answers {response.status} ({said}): {remedy}", status=1)


def _read(response: http.client.HTTPResponse, began: float, endpoint: RealEndpoint, api_key: str) -> Probe:
    """Read the stream to its end by the rules of the runtimes."""
    events, completion, first = EventStream(), Completion(), None
    reasoned, heard = False, time.monotonic()
    while not completion.ended and (piece := response.read1(65536)):
        if time.monotonic() - heard > IDLE_S:
            raise TimeoutError  # comments keep the connection alive, and are no data
        for data in events.feed(piece):
            heard = time.monotonic()
            completion.add(data)
            reasoned = reasoned or '"reasoning' in data
            if first is None and completion.text:
                first = time.monotonic() - began
    completion.end()
    if completion.error is not None:
        reported = json.dumps(completion.reported) if completion.reported else completion.error
        said = _shown(reported.encode(), api_key)
        raise UserError(
            f"{endpoint.base_url} sends a stream that is no completion ({said}): see the server's log",
            status=1,
        )
    odd = []
    if not completion.text:
        odd.append("the reply is empty" + (", all of it is reasoning" if reasoned else ""))
    if completion.finish_reason == "length":
        odd.append("the reply was cut: raise max_tokens with --request")
    if completion.usage is None:
        odd.append("no usage is reported")
    seconds = time.monotonic() - began if first is None else first
    return Probe(response.headers.get("Server"), seconds, completion.usage, odd)


def _shown(body: bytes, api_key: str) -> str:
    """The error's own words in one line, without the key should the server repeat it."""
    text = body.decode(errors="replace")
    message = object_in(json_object(text) or {}, "error").get("message")
    return _masked(message if isinstance(message, str) else text, api_key)[:MOST_SHOWN] or "no message"


def _masked(text: str, api_key: str) -> str:
    """The text in one line; the key is masked first, in each form in which a server may repeat it."""
    forms = {api_key, json.dumps(api_key)[1:-1], urllib.parse.quote(api_key)}
    forms |= {" ".join(form.split()) for form in forms}
    # Once as it came, and once more in one line: a server may have collapsed white space as well.
    for _ in range(2):
        for form in sorted(forms - {""}, key=len, reverse=True):
            text = text.replace(form, "…")
        text = " ".join(text.split())
    return text

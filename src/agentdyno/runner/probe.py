"""The probe of a real endpoint: the run's own first request, through the relay, read to its end.

Another client, another body or an unstreamed request would pass where all runtimes fail, and fail where they
pass.
"""

import http.client
import json
import tempfile
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentdyno.endpoint.process import started
from agentdyno.endpoint.said import masked, said
from agentdyno.endpoint.stream import Completion, EventStream
from agentdyno.errors import UserError
from agentdyno.project import PROMPTS
from agentdyno.runner.settings import Settings
from agentdyno.tasks.first_request import first_body, read_prompts
from agentdyno.tasks.task import Task


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


def probe(settings: Settings, task: Task, api_key: str) -> Probe:
    """Have the task's first message completed; a UserError says what stands in the way, without the key."""
    upstream = settings.upstream
    assert upstream is not None
    if not (api_key.isascii() and api_key.isprintable()):
        # http.client would say so too, and would show the key.
        raise UserError(
            "LLM_API_KEY holds a character that no HTTP header can carry, such as a line end: set it without"
        )
    secrets = [api_key, *upstream.secrets]
    body = first_body(read_prompts(PROMPTS), task, settings.model, settings.request)
    headers = {"Content-Type": "application/json"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    with (
        tempfile.TemporaryDirectory(prefix="agentdyno-") as folder,
        started(upstream.options, Path(folder, "stderr")) as (_, url),
    ):
        return _Asking(settings, upstream.base_url, secrets).ask(url, body, headers)


@dataclass(frozen=True, slots=True)
class _Asking:
    """One request for a completion: with which settings, of whom, and what must not be shown."""

    settings: Settings
    base_url: str
    secrets: Sequence[str]

    def ask(self, url: str, body: bytes, headers: Mapping[str, str]) -> Probe:
        """Send the request to the relay at `url`, and read what comes to its end."""
        address = urllib.parse.urlsplit(url)
        idle_s, total_s = self.settings.idle_timeout_s, self.settings.total_timeout_s
        patience_s = min(idle_s, total_s)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=patience_s)
        began = time.monotonic()
        try:
            connection.request("POST", f"{address.path}/chat/completions", body, dict(headers))
            response = connection.getresponse()
            if response.status != 200:
                raise self._refused(response)
            kind = response.headers.get_content_type()
            if kind != "text/event-stream":
                raise self._error(
                    f"answers with {kind} instead of an event stream ({self._shown(response.read())}): the "
                    "runtimes stream; see the server's log, and `--request` for the fields that it gets"
                )
            return self._read(response, began)
        except TimeoutError:
            if total_s < idle_s:
                raise self._took_too_long() from None
            raise self._error(
                f"sent nothing for {idle_s:g} s: the runtimes wait as long; load the model first, use a "
                "smaller one, or raise --idle-timeout"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._error(f"broke off ({error}): see the server's log") from None
        finally:
            connection.close()

    def _took_too_long(self) -> UserError:
        return self._error(
            f"is not done after {self.settings.total_timeout_s:g} s: the runtimes give up then; raise "
            "--total-timeout, or lower max_tokens with --request"
        )

    def _error(self, what: str) -> UserError:
        return UserError(f"{self.base_url} {what}", status=1)

    def _refused(self, response: http.client.HTTPResponse) -> UserError:
        """What a status other than 200 means, in the server's own words, and what to do."""
        words, location = self._shown(response.read()), response.headers.get("Location")
        if response.status == 502 and words.startswith("The upstream endpoint "):
            happened, _, why = words.removeprefix("The upstream endpoint ").rstrip(".").partition(": ")
            return self._error(f"{happened} ({why}): {_remedy(happened, why)}")
        if location is not None and 300 <= response.status < 400:
            return self._error(
                f"answers {response.status} and leads to {masked(location, self.secrets)}: no redirect is "
                "followed, because the key would go along; set LLM_BASE_URL to where it leads"
            )
        remedy = {
            400: "change the fields of every request with --request, or see the server's log",
            401: "set LLM_API_KEY to a key that it accepts",
            403: "set LLM_API_KEY to a key that may use this model",
            404: f"it has no model `{self.settings.model}`, or LLM_BASE_URL lacks its /v1; "
            f"see what {self.base_url}/models lists and set LLM_MODEL",
            407: "give the proxy's user name and password with --proxy env:VAR",
        }.get(response.status, "see the server's log")
        return self._error(f"answers {response.status} ({words}): {remedy}")

    def _read(self, response: http.client.HTTPResponse, began: float) -> Probe:
        """Read the stream to its end by the rules of the runtimes."""
        events, completion, first = EventStream(), Completion(), None
        heard = time.monotonic()
        while not completion.ended and (piece := response.read1(65536)):
            now = time.monotonic()
            if now - began > self.settings.total_timeout_s and completion.finish_reason is None:
                raise self._took_too_long()
            if now - heard > self.settings.idle_timeout_s:
                raise TimeoutError  # comments keep the connection alive, and are no data
            for data in events.feed(piece):
                heard = time.monotonic()
                completion.add(data)
                if first is None and completion.text:
                    first = time.monotonic() - began
        completion.end()
        if completion.error is not None:
            reported = json.dumps(completion.reported) if completion.reported else completion.error
            words = self._shown(reported.encode())
            raise self._error(f"sends a stream that is no completion ({words}): see the server's log")
        odd = []
        if not completion.text:
            odd.append("the reply is empty" + (", all of it is reasoning" if completion.reasoned else ""))
        if completion.finish_reason == "length":
            odd.append("the reply was cut: raise max_tokens with --request")
        if completion.usage is None:
            odd.append("no usage is reported")
        seconds = time.monotonic() - began if first is None else first
        return Probe(response.headers.get("Server"), seconds, completion.usage, odd)

    def _shown(self, body: bytes) -> str:
        """The error's own words in one line, without the key should the server repeat it."""
        return said(body, self.secrets) or "no message"


def _remedy(happened: str, why: str) -> str:
    """What to do where the relay has no connection."""
    if "certificate" in why:
        return "name the certificates of its authority with --ca-bundle"
    if "proxy" in happened:
        return "is the proxy running, and is --proxy right?"
    if "in time" in why:
        return "is LLM_BASE_URL right? Raise --connect-timeout if the way is slow"
    return "is the server running, and is LLM_BASE_URL right?"

"""The real servers that agentdyno is tried on, one definition each (docs/endpoint.md has the table)."""

import json
import os
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from real.environment import HERE, installed

START_S = 120.0
"""LiteLLM takes 20 s on two busy cores."""

LOOK_S = 0.1
STOP_S = 10.0
KEY = "sk-of-the-tests"
ANSWER = json.loads((HERE / "aimock" / "fixtures.json").read_text())["fixtures"][0]["response"]["content"]
"""What the simulators reply to everything: it passes the tests of the task `double`."""


@dataclass(frozen=True, slots=True)
class Server:
    """A real server.

    `package` is what its environment installs, and whose version is told. `command` makes its command line
    from the environment's folder, a scratch folder and a port. `health` is a path that answers 200 when the
    server is ready. `scenario` is posted to it then, to a path. `simulated` says that agentdyno's simulated
    endpoint stands behind it, whose base URL it finds in UPSTREAM_BASE_URL. `request` and `max_retries` are
    those of `agentdyno run`.
    """

    name: str
    package: str
    command: Callable[[Path, Path, int], Sequence[object]]
    model: str
    health: str = "/health"
    scenario: tuple[str, object] | None = None
    simulated: bool = False
    request: Mapping[str, object] = field(default_factory=dict)
    max_retries: int = 3
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The version in the lock file."""
        folder = HERE / self.name
        if (folder / "package-lock.json").exists():
            lock = json.loads((folder / "package-lock.json").read_text())
            return str(lock["packages"][f"node_modules/{self.package}"]["version"])
        found = re.search(
            rf"^{self.package}(?:\[.*\])?==(\S+)", (folder / "requirements.lock").read_text(), re.MULTILINE
        )
        assert found is not None
        return found[1]


SERVERS = {
    server.name: server
    for server in (
        Server(
            name="llama_cpp",
            package="xllamacpp",
            command=lambda env, scratch, port: [
                env / "bin" / "python", HERE / "llama_cpp" / "serve.py", port, scratch / "tiny.gguf",
            ],
            model="tiny",
            request={"max_tokens": 24},
            max_retries=0,
        ),
        Server(
            name="litellm",
            package="litellm",
            command=lambda env, scratch, port: [
                env / "bin" / "litellm", "--config", HERE / "litellm" / "config.yaml",
                "--host", "127.0.0.1", "--port", port,
            ],
            model="agentdyno-sim",
            health="/health/liveliness",
            simulated=True,
            environment={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "UPSTREAM_API_KEY": "simulated"},
        ),
        Server(
            name="aimock",
            package="@copilotkit/aimock",
            command=lambda env, scratch, port: [
                "node", env / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js",
                "--port", port, "--fixtures", HERE / "aimock" / "fixtures.json", "--latency", 20,
            ],
            model="anything",
        ),
        Server(
            name="llmock",
            package="llmock",
            command=lambda env, scratch, port: [
                env / "bin" / "llmock", "serve", "--port", port, "--stream-chunk-delay-ms", 20,
            ],
            model="anything",
            scenario=("/_llmock/scenario", {"behaviors": [{"type": "reply", "text": ANSWER, "times": None}]}),
        ),
    )
}  # fmt: skip


class NotReady(Exception):
    """A server that does not start; the message has the end of what it printed."""


@contextmanager
def serving(server: Server, scratch: Path, upstream: str | None = None) -> Iterator[str]:
    """The server on a free port, ready, and gone afterwards with all that it started; gives its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = list(map(str, server.command(installed(server.name), scratch, port)))
    environment = {**os.environ, **server.environment, "UPSTREAM_BASE_URL": upstream or ""}
    log = scratch / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_ready(process, address + server.health, log)
        if server.scenario is not None:
            path, document = server.scenario
            urllib.request.urlopen(address + path, json.dumps(document).encode(), timeout=STOP_S).close()
        yield f"{address}/v1"
    finally:
        _stop(process)


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    for _ in range(round(START_S / LOOK_S)):
        try:
            urllib.request.urlopen(url, timeout=STOP_S).close()
            return
        except OSError:
            pass
        try:
            process.wait(LOOK_S)
            break
        except subprocess.TimeoutExpired:
            continue
    raise NotReady(f"{process.args!r} is not ready: " + log.read_text(errors="replace")[-2000:])


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

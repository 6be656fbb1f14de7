"""Tries agentdyno on real servers: one line each, and exit status 1 if one of them is met badly.

    PYTHONPATH=tests .venv/bin/python -m real.run [--runtimes NAME,…] [--limit N] [--agents N] [SERVER…]

Each server is installed in an environment of its own, started on a free port, measured by `agentdyno run`
through LLM_BASE_URL and ended again. Nothing but the environments stays behind.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentdyno.endpoint.script import plan
from agentdyno.tasks import builtin
from command_line import agentdyno_command, plain_environment, write_tasks
from real.servers import KEY, SERVERS, Server, serving


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a server: its summary's rows, what `agentdyno verify` said, and what is wrong."""

    server: Server
    rows: Sequence[Mapping[str, Any]]
    verified: str
    wrong: Sequence[str]

    @property
    def line(self) -> str:
        """All of it in one line."""
        valid = sum(not row["failures"] for row in self.rows)
        said = [
            f"{self.server.name} ({self.server.package} {self.server.version})",
            f"{valid} of {len(self.rows)} rows valid",
            *(_figures(row) for row in self.rows),
            f"verify: {self.verified}",
            *self.wrong,
        ]
        return "; ".join(said)


def tried(
    server: Server, runtimes: str, limit: int, agents: int, verifier: str = "cold", *, busy: bool = False
) -> Tried:
    """Measure the runtimes with the server. Where the machine is `busy`, what only a busy machine causes is
    not wrong.
    """
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="agentdyno-real-")))
        upstream = stack.enter_context(_simulated(scratch, limit)) if server.simulated else None
        base_url = stack.enter_context(serving(server, scratch, upstream))
        tasks = "builtin" if server.simulated else write_tasks(scratch / "tasks.jsonl")
        done = _agentdyno(
            "run", "--runtimes", runtimes, "--tasks", tasks, "--limit", limit, "--agents", agents,
            "--controls", "none", "--verifier", verifier, "--verify-timeout", 20,
            "--max-retries", server.max_retries, "--request", json.dumps(dict(server.request)),
            "--out", scratch / "results",
            LLM_BASE_URL=base_url, LLM_MODEL=server.model, LLM_API_KEY=KEY,
        )  # fmt: skip
        folder = scratch / "results" / "latest"
        if not (folder / "summary.json").exists():
            return Tried(server, [], "no run", [done.stdout + done.stderr])
        rows = json.loads((folder / "summary.json").read_text())["rows"]
        verified = _agentdyno("verify", folder)
        wrong = [
            f"{row['runtime']}: {failure['reason']}"
            for row in rows
            for failure in row["failures"]
            if failure["is_fault"] or not busy
        ]
        if server.simulated and verifier == "cold":
            ids = [task.task_id for task in builtin.problems()[:limit]]
            passes = sum(one.failure(1) is None for one in plan(ids, 0).values())
            wrong += [
                f"{row['runtime']}: first attempts that pass are not the script's {passes}"
                for row in rows
                if row["metrics"]["first_attempt_pass"]["values"] != [passes]
            ]
        if verified.returncode != 0:
            wrong.append(verified.stdout + verified.stderr)
        return Tried(server, rows, "ok" if verified.returncode == 0 else "not ok", wrong)


def _figures(row: Mapping[str, Any]) -> str:
    metrics = {name: metric["median"] for name, metric in row["metrics"].items()}
    said = [
        f"{name} {metrics[name]:.3g}" for name in ("first_attempt_pass", "overhead_ms_p50", "model_ms_p50")
    ]
    return f"{row['runtime']}: " + ", ".join(said)


@contextlib.contextmanager
def _simulated(scratch: Path, limit: int) -> Iterator[str]:
    """The simulated endpoint, for a server to stand before; gives its base URL."""
    words = ("serve", "--limit", limit, "--profile", "steady:ttft=200ms,itl=2ms")
    with subprocess.Popen(_command(*words), stdout=subprocess.PIPE, cwd=scratch, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


def _agentdyno(*words: object, **more: str) -> "subprocess.CompletedProcess[str]":
    environment = plain_environment() | {"COLUMNS": "200"} | more
    return subprocess.run(_command(*words), env=environment, capture_output=True, text=True)


def _command(*words: object) -> list[str]:
    return agentdyno_command(*words)


def main() -> int:
    """Try the servers that are named, or all; a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("servers", nargs="*", choices=[[], *SERVERS], metavar="SERVER")
    parser.add_argument("--runtimes", default="python,go,typescript", metavar="NAME,…")
    parser.add_argument("--limit", type=int, default=24, metavar="N")
    parser.add_argument("--agents", type=int, default=4, metavar="N")
    arguments = parser.parse_args()
    bad = 0
    for name in arguments.servers or SERVERS:
        found = tried(SERVERS[name], arguments.runtimes, arguments.limit, arguments.agents)
        print(found.line, flush=True)
        bad += bool(found.wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

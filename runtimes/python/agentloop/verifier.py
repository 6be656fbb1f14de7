"""Runs the verifier, or any other command, in a workspace: a few at a time, first come, first served.

Source: runtimes/CONTRACT.md, "Verification".
"""

import asyncio
import time
from collections.abc import Mapping

from agentloop.events import Attempt
from agentloop.process import Child, Finished, find_program


class Verifier:
    """Runs commands, at most `slots` at once.

    A command has exactly the environment `env` and is stopped after `timeout_s` seconds. The last
    `output_limit_bytes` bytes of its stdout, and of its stderr, are kept.
    """

    def __init__(
        self,
        argv: list[str],
        *,
        env: Mapping[str, str],
        timeout_s: float = 10.0,
        slots: int = 1,
        output_limit_bytes: int = 64 * 1024,
    ) -> None:
        self._argv = argv
        self._env = env
        self._timeout_s = timeout_s
        self._output_limit_bytes = output_limit_bytes
        self._slots = asyncio.Semaphore(slots)

    async def verify(self, folder: str, attempt: Attempt) -> Finished:
        """Run the verifier in `folder` and stamp `attempt`; raises `OSError` when it cannot be started."""
        attempt.t_queue = time.monotonic_ns()
        async with self._slots:
            attempt.t_spawn = time.monotonic_ns()
            with self._child(self._argv, folder) as child:
                attempt.t_started = time.monotonic_ns()
                finished = await child.finish(self._timeout_s)
            attempt.t_exit = time.monotonic_ns()
        attempt.exit_code = finished.exit_code
        attempt.signal = finished.signal
        attempt.timed_out = finished.timed_out
        return finished

    async def run(self, argv: list[str], folder: str) -> Finished:
        """Run another command under the same rules; raises `OSError` when it cannot be started."""
        async with self._slots:
            with self._child(argv, folder) as child:
                return await child.finish(self._timeout_s)

    def _child(self, argv: list[str], folder: str) -> Child:
        program = find_program(argv[0], self._env.get("PATH", ""))
        if program is None:
            raise FileNotFoundError(f"{argv[0]} is no program that can be found and run")
        return Child(program, argv, self._env, folder, self._output_limit_bytes)

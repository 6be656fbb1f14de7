"""One run: everything that the run file names is put together, and every way it can end has its exit status.

Source: runtimes/CONTRACT.md, "Exit".
"""

import asyncio
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping

from agentloop.agent import Agent, run_agents
from agentloop.chat import Chat
from agentloop.events import EventFile, EventFileFailed
from agentloop.messages import Prompts
from agentloop.process import find_program
from agentloop.run_file import CONTRACT_VERSION, RunFile, Unusable, check_tasks, load_tasks, load_texts
from agentloop.verifier import Verifier


def perform(run: RunFile, with_uvloop: bool) -> int:
    """Do the run and return the exit status; raises `Unusable` before anything has been done."""
    prompts = Prompts(**load_texts(run.prompts_file, Prompts.__slots__))
    check_tasks(run.tasks_file)
    if find_program(run.verify.argv[0], run.verify.env.get("PATH", "")) is None:
        raise Unusable(
            f"verify.argv: {run.verify.argv[0]!r} is not on the PATH of verify.env; name a program that is there"
        )
    loop_factory = _uvloop_factory() if with_uvloop else None
    events = _create(run.events)
    events.emit(
        {
            "event": "run_start",
            "t": time.monotonic_ns(),
            "contract_version": CONTRACT_VERSION,
            "pid": os.getpid(),
        }
    )
    _allow_many_open_files()
    signal.signal(
        signal.SIGCHLD, signal.SIG_DFL
    )  # Ignored, as a parent may have left it, it would lose exit statuses.
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            status = runner.run(_until_done_or_stopped(run, prompts, events.emit))
        events.emit({"event": "run_end", "t": time.monotonic_ns()})
    except* EventFileFailed as failures:
        print(f"agentloop: {failures.exceptions[0]}", file=sys.stderr)
        status = 1
    return status


async def _until_done_or_stopped(
    run: RunFile, prompts: Prompts, emit: Callable[[Mapping[str, object]], None]
) -> int:
    chat = Chat(
        run.base_url,
        api_key=os.environ.get("LLM_API_KEY", ""),
        timeouts=run.timeouts,
        transport=run.transport,
    )
    verifier = Verifier(
        run.verify.argv,
        env=run.verify.env,
        timeout_s=run.verify.timeout_s,
        slots=run.verify.slots,
        output_limit_bytes=run.verify.output_limit_bytes,
    )
    agent = Agent(
        chat=chat,
        model=run.model,
        prompts=prompts,
        verifier=verifier,
        workspaces=run.workspaces,
        request=run.request,
        max_retries=run.max_retries,
        emit=emit,
    )
    work = asyncio.ensure_future(run_agents(agent, load_tasks(run.tasks_file), run.agents))
    stopped_by: list[signal.Signals] = []

    def stop(received: signal.Signals) -> None:
        if not stopped_by:
            stopped_by.append(received)
            work.cancel()

    loop = asyncio.get_running_loop()
    for stopping in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(stopping, stop, stopping)
    try:
        await work
    except asyncio.CancelledError:
        return 128 + stopped_by[0]
    finally:
        chat.close()
    return 0


def _create(path: str) -> EventFile:
    try:
        return EventFile(path)
    except OSError as failure:
        raise Unusable(
            f"{path}: the event file cannot be created ({failure.strerror}); name one that is not there"
        ) from None


def _uvloop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        raise Unusable("uvloop is not installed; run build.py, or leave out --uvloop") from None
    return uvloop.new_event_loop


def _allow_many_open_files() -> None:
    """An agent needs a socket, or two pipes and a pidfd, and the usual soft limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

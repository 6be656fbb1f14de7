"""One run: what the run file names is put together, and every way to end has its exit status.

Source: runtimes/CONTRACT.md, "Exit".
"""

import asyncio
import os
import resource
import signal
import time
from collections.abc import Callable

from agentloop.agent import Agent, run_agents
from agentloop.chat import Chat
from agentloop.events import EventFile, EventFileFailed
from agentloop.fields import InvalidInput
from agentloop.log import log_line
from agentloop.messages import load_prompts
from agentloop.process import find_program, pass_no_descriptors_on
from agentloop.run_file import CONTRACT_VERSION, RunFile
from agentloop.tasks import check_tasks, load_tasks
from agentloop.verifier import Verifier

STOPPING = (signal.SIGINT, signal.SIGTERM)


def perform(run: RunFile, with_uvloop: bool) -> int:
    """Do the run and return its exit status; raises `InvalidInput` before anything is done."""
    prompts = load_prompts(run.prompts_file)
    # More agents than tasks would have nothing to do.
    agents = min(run.agents, check_tasks(run.tasks_file))
    program = run.verify.argv[0]
    if find_program(program, run.verify.env.get("PATH", "")) is None:
        raise InvalidInput(
            f"verify.argv: {program!r} cannot be run; name a program by its path or on the PATH of verify.env"
        )
    loop_factory = _uvloop() if with_uvloop else None
    # Once the event file is there the run ends in order, so a signal waits until it can.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    agent = Agent(
        chat=Chat(
            run.base_url,
            api_key=_api_key(),
            timeouts=run.timeouts,
            transport=run.transport,
        ),
        model=run.model,
        request=run.request,
        prompts=prompts,
        verifier=Verifier(
            run.verify.argv,
            env=run.verify.env,
            timeout_s=run.verify.timeout_s,
            slots=run.verify.slots,
            output_limit_bytes=run.verify.output_limit_bytes,
        ),
        workspaces=run.workspaces,
        max_retries=run.max_retries,
        emit=_create(run.events).emit,
    )
    _allow_many_open_files()
    pass_no_descriptors_on()
    # A parent may have left it ignored, and then there would be no exit statuses.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(_until_done_or_stopped(agent, run.tasks_file, agents))
    except Exception as failure:
        log_line(_what_happened(failure))
        return 1


async def _until_done_or_stopped(agent: Agent, tasks_file: str, agents: int) -> int:
    work = asyncio.current_task()
    assert work is not None
    stopped_by: list[signal.Signals] = []

    def stop(received: signal.Signals) -> None:
        if not stopped_by:
            stopped_by.append(received)
            work.cancel()

    for stopping in STOPPING:
        asyncio.get_running_loop().add_signal_handler(stopping, stop, stopping)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    t_start = time.monotonic_ns()
    start = {"event": "run_start", "t": t_start, "contract_version": CONTRACT_VERSION}
    agent.emit({**start, "pid": os.getpid()})
    try:
        await run_agents(agent, load_tasks(tasks_file), agents, t_start)
    except asyncio.CancelledError:
        return 128 + stopped_by[0]
    else:
        return 0
    finally:
        # The loop takes its handlers with it, and then another signal would be the end, whatever is returned.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        agent.chat.close()
        agent.emit({"event": "run_end", "t": time.monotonic_ns()})


def _api_key() -> str:
    key = os.environ.get("LLM_API_KEY", "")
    if not (key.isascii() and key.isprintable()):
        raise InvalidInput(
            "LLM_API_KEY: holds characters that a header may not hold; set it to the key alone"
        )
    return key


def _create(path: str) -> EventFile:
    try:
        return EventFile(path)
    except OSError as failure:
        reason = failure.strerror
        raise InvalidInput(
            f"events: {path} cannot be created ({reason}); name a file that is not there"
        ) from None


def _uvloop() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        raise InvalidInput("--uvloop: uvloop is not installed; run build.py or leave --uvloop out") from None
    return uvloop.new_event_loop


def _allow_many_open_files() -> None:
    """An agent needs a socket, or two pipes and a pidfd, and the usual soft limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _what_happened(failure: BaseException) -> str:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    if isinstance(failure, EventFileFailed | InvalidInput):
        return str(failure)
    place = failure.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}, line {place.tb_lineno}" if place else "no place"
    return f"unexpected {failure!r} at {where}"

"""The agent as a library has it: what becomes of a cancellation."""

import asyncio
import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agentloop import Agent, Chat, Task, Verifier, load_prompts, run_agents

pytestmark = pytest.mark.usefixtures("starts_processes")

PROMPTS = Path(__file__).parents[2] / "contract" / "prompts.json"


def wait_for(path: Path) -> None:
    while not path.exists():
        os.sched_yield()


def test_cancelled_where_a_workspace_cannot_be_removed(
    tmp_path: Path, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure does not take the place of the cancellation: the agent takes no more tasks."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(os, "rmdir", refuse)
    endpoint = serve(lambda exchange: exchange.reply("```\nx = 1\n```"))
    events: list[Mapping[str, object]] = []
    tasks = [Task(f"T/{number}", "p", "t", "f") for number in range(3)]

    async def run() -> None:
        verifier = Verifier(["sh", "-c", "echo > ../begun; sleep 1000"], env={"PATH": "/usr/bin:/bin"})
        agent = Agent(
            chat=Chat(endpoint.url),
            model="m",
            prompts=load_prompts(str(PROMPTS)),
            verifier=verifier,
            workspaces=str(tmp_path),
            emit=events.append,
        )
        working = asyncio.create_task(run_agents(agent, tasks, agents=1))
        await asyncio.to_thread(wait_for, tmp_path / "begun")
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        agent.chat.close()

    asyncio.run(run())
    assert len(endpoint.exchanges) == 1
    assert [(event["event"], event["task"], event["reason"]) for event in events] == [
        ("attempt", "T/0", "interrupted"),
        *(("task", task.task_id, "interrupted") for task in tasks),
    ]

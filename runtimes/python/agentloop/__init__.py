"""Coding agents over an OpenAI-compatible endpoint: write, run the tests, retry.

The public names are loaded when first used, so that `python -m agentloop` can decide what asyncio is to pull in.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentloop.agent import Agent, run_agents
    from agentloop.chat import Chat, ChatFailed
    from agentloop.messages import Conversation, Prompts
    from agentloop.run_file import RunFile, Task, Timeouts, TransportRetries, load_run_file
    from agentloop.tools import ToolDispatcher, ToolRefused
    from agentloop.verifier import Verifier

_HOME = {
    "Agent": "agent",
    "Chat": "chat",
    "ChatFailed": "chat",
    "Conversation": "messages",
    "Prompts": "messages",
    "RunFile": "run_file",
    "Task": "run_file",
    "Timeouts": "run_file",
    "ToolDispatcher": "tools",
    "ToolRefused": "tools",
    "TransportRetries": "run_file",
    "Verifier": "verifier",
    "load_run_file": "run_file",
    "run_agents": "agent",
}
__all__ = [  # noqa: PLE0604
    *_HOME
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

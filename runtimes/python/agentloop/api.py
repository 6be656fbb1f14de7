"""The public names of agentloop."""

from agentloop.agent import Agent, run_agents
from agentloop.chat import Chat, ChatFailed
from agentloop.completion import BrokenStream, Completion
from agentloop.events import Attempt, EventFile
from agentloop.extraction import extract
from agentloop.feedback import normalise
from agentloop.fields import InvalidInput
from agentloop.messages import Conversation, Prompts, load_prompts
from agentloop.run_file import RunFile, Timeouts, TransportRetries, load_run_file
from agentloop.sse import EventStream
from agentloop.tasks import Task, load_tasks
from agentloop.tools import SearchMatch, ToolDispatcher, ToolRefused
from agentloop.verdict import judge
from agentloop.verifier import Verifier

__all__ = [
    "Agent",
    "Attempt",
    "BrokenStream",
    "Chat",
    "ChatFailed",
    "Completion",
    "Conversation",
    "EventFile",
    "EventStream",
    "InvalidInput",
    "Prompts",
    "RunFile",
    "SearchMatch",
    "Task",
    "Timeouts",
    "ToolDispatcher",
    "ToolRefused",
    "TransportRetries",
    "Verifier",
    "extract",
    "judge",
    "load_prompts",
    "load_run_file",
    "load_tasks",
    "normalise",
    "run_agents",
]

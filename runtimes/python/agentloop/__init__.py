"""Coding agents over an OpenAI-compatible endpoint: write, run the tests, retry."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentloop.api import *  # noqa: F403


def __getattr__(name: str) -> object:
    # Loaded when first used, so that `python -m agentloop` can decide what asyncio pulls in.
    return getattr(import_module("agentloop.api"), name)

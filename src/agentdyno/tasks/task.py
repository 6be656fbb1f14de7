"""One coding problem."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """A problem that an agent works on.

    `prompt` is Python source that ends in the entry point's docstring; `tests` is a whole pytest module
    that starts with `from solution import *`; `reference` is a whole module that passes it, and is known
    only to the simulated endpoint, never to a runtime.
    """

    task_id: str
    prompt: str
    tests: str
    entry_point: str
    reference: str | None = None

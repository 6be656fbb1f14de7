"""One coding problem."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """A problem that an agent works on.

    `prompt` is Python source that ends in the entry point's docstring. `tests` is a complete pytest module
    that starts with `from solution import *`. `reference` is a complete module that passes the tests; the
    simulated endpoint knows it, and a runtime never does.
    """

    task_id: str
    prompt: str
    tests: str
    entry_point: str
    reference: str | None = None

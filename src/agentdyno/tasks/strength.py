"""How strong a task's tests are: the share of the reference's mutants that they notice."""

import ast
import os
import resource
import signal
import sys
import types
from dataclasses import dataclass

from agentdyno.errors import Refusal
from agentdyno.tasks.mutants import mutants
from agentdyno.tasks.task import Task

CPU_LIMIT_S = 0.3
"""Processor time a mutant gets, in seconds; one that needs more is in an endless loop, and noticed."""

MEMORY_LIMIT_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Strength:
    """Of how many mutants of a task's reference, and which of them its tests let pass."""

    task_id: str
    entry_point: str
    mutants: int
    survivors: tuple[str, ...]

    @property
    def share(self) -> float:
        """The share of mutants that the tests notice, from 0 to 1."""
        return 1 - len(self.survivors) / self.mutants if self.mutants else 1.0


def strength(task: Task) -> Strength:
    """Run the task's tests against every mutant of its reference.

    Raises Refusal if there is no reference, or if the tests fail against the reference itself.
    """
    if task.reference is None:
        raise Refusal(f"task {task.task_id} has no reference to make mutants of; add one to the dataset")
    if not passes(task.reference, task.tests):
        raise Refusal(f"task {task.task_id}: its own reference does not pass its tests; mend one of the two")
    # Compared as unparsed text, so that a survivor can be read as a difference from the reference.
    candidates = list(mutants(task.reference, task.entry_point))
    survivors = tuple(candidate for candidate in candidates if passes(candidate, task.tests))
    return Strength(task.task_id, task.entry_point, len(candidates), survivors)


def difference(reference: str, mutant: str) -> str:
    """The lines in which a mutant differs from its reference, as `before  →  after`."""
    before = ast.unparse(ast.parse(reference)).split("\n")
    pairs = zip(before, mutant.split("\n"), strict=False)
    return "; ".join(f"{old.strip()}  →  {new.strip()}" for old, new in pairs if old != new)


def passes(solution: str, tests: str) -> bool:
    """Whether every `test_…` function of `tests` returns when `solution` is the module of that name.

    This is a quick stand-in for pytest, for tests that use no fixtures. It forks: whatever the solution does
    to its process, it does to a child that has `CPU_LIMIT_S` to live.
    """
    child = os.fork()
    if child == 0:
        _run(solution, tests)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def _run(solution: str, tests: str) -> None:
    """Exit 0 if all tests pass; never returns."""
    try:
        # Virtual time is this process's own, so that a busy machine does not make a slow test of a good one.
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_VIRTUAL, CPU_LIMIT_S)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        module = types.ModuleType("solution")
        sys.modules["solution"] = module
        exec(solution, module.__dict__)
        names: dict[str, object] = {"__name__": "test_solution"}
        exec(tests, names)
        for name, test in list(names.items()):
            if name.startswith("test_") and callable(test):
                test()
    except BaseException:
        os._exit(1)
    os._exit(0)

"""How strong a task's tests are: the share of the reference's mutants that they notice."""

import ast
import os
import resource
import signal
import sys
import types
from dataclasses import dataclass
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.tasks.mutants import mutants
from agentdyno.tasks.task import Task

MEMORY_LIMIT_BYTES = 1 << 30
"""Address space that a try may take on top of what this process has."""


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


@dataclass(frozen=True, slots=True)
class Trial:
    """How a try of a solution ended.

    The exit code is 0 if all tests passed, and minus the signal's number if the try was killed; `cpu_s` is
    the processor time it took, in seconds.
    """

    exit_code: int
    cpu_s: float


def strength(task: Task) -> Strength:
    """Run the task's tests against every mutant of its reference.

    A mutant that takes many times the processor time of the reference is in an endless loop, and counts as
    noticed. Raises UserError if there is no reference, or if it does not pass the tests itself.
    """
    if task.reference is None:
        raise UserError(f"task {task.task_id} has no reference to make mutants of; add one to the dataset")
    own = trial(task.reference, task.tests, cpu_limit_s=60)
    if own.exit_code != 0:
        raise UserError(
            f"task {task.task_id}: its own reference does not pass its tests; mend one of the two"
        )
    limit = 0.05 + 10 * own.cpu_s
    candidates = list(mutants(task.reference, task.entry_point))
    survivors = tuple(text for text in candidates if trial(text, task.tests, limit).exit_code == 0)
    return Strength(task.task_id, task.entry_point, len(candidates), survivors)


def difference(reference: str, mutant: str) -> str:
    """The lines in which a mutant differs from its reference, as `before  →  after`."""
    before = ast.unparse(ast.parse(reference)).split("\n")
    pairs = zip(before, mutant.split("\n"), strict=False)
    return "; ".join(f"{old.strip()}  →  {new.strip()}" for old, new in pairs if old != new)


def trial(solution: str, tests: str, cpu_limit_s: float) -> Trial:
    """Call every `test_…` function of `tests` with `solution` as the module of that name, in a forked child.

    This is a quick stand-in for pytest, for tests that use no fixtures. At the limit of processor time the
    child is killed by SIGVTALRM.
    """
    child = os.fork()
    if child == 0:
        _run(solution, tests, cpu_limit_s)
    _, status, usage = os.wait4(child, 0)
    return Trial(os.waitstatus_to_exitcode(status), usage.ru_utime)


def _run(solution: str, tests: str, cpu_limit_s: float) -> None:
    """Exit 0 if all tests pass; never returns."""
    try:
        # Virtual time is this process's own, so that a busy machine does not make a slow test of a good one.
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_VIRTUAL, cpu_limit_s)
        _limit_memory()
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


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_LIMIT_BYTES
    _, highest = resource.getrlimit(resource.RLIMIT_AS)
    if highest == resource.RLIM_INFINITY or limit < highest:
        resource.setrlimit(resource.RLIMIT_AS, (limit, highest))

"""The strength of a task's tests: the share of the reference's mutants that they kill."""

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
"""Address space that a trial may use on top of that of this process."""


@dataclass(frozen=True, slots=True)
class Strength:
    """The number of mutants of a task's reference, and the survivors, which pass its tests."""

    task_id: str
    entry_point: str
    mutants: int
    survivors: tuple[str, ...]

    @property
    def share(self) -> float:
        """The share of mutants that the tests kill, from 0 to 1."""
        return 1 - len(self.survivors) / self.mutants if self.mutants else 1.0


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of a trial of a solution.

    The exit code is 0 if all tests passed, and minus the signal's number if a signal ended the trial. `cpu_s`
    is its processor time in seconds.
    """

    exit_code: int
    cpu_s: float


def strength(task: Task) -> Strength:
    """Run the task's tests against every mutant of its reference.

    A mutant that takes many times the processor time of the reference is in an endless loop, and counts as
    killed. Raises UserError if there is no reference, or if the reference does not pass the tests.
    """
    if task.reference is None:
        raise UserError(f"task {task.task_id} has no reference to make mutants of; add one to the dataset")
    own = trial(task.reference, task.tests, cpu_limit_s=60)
    if own.exit_code != 0:
        raise UserError(f"task {task.task_id}: its reference does not pass its tests; correct one of the two")
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

    This replaces pytest for tests without fixtures, and is faster. At the limit of processor time, SIGVTALRM
    ends the child.
    """
    child = os.fork()
    if child == 0:
        _run(solution, tests, cpu_limit_s)
    _, status, usage = os.wait4(child, 0)
    return Trial(os.waitstatus_to_exitcode(status), usage.ru_utime)


def _run(solution: str, tests: str, cpu_limit_s: float) -> None:
    """Exit 0 if all tests pass; never returns."""
    try:
        # Virtual time counts this process alone, so that a busy machine does not make tests too slow.
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

"""Plays each broken runtime's case, and writes the results to stdout, pickled."""

import dataclasses
import os
import pickle
import sys
import tempfile
from pathlib import Path

from breaks import by_module
from breaks.declare import Break

from agentdyno.conformance import suite
from agentdyno.runtimes.build import build
from agentdyno.runtimes.manifest import Manifest, choose

HERE = Path(__file__).resolve().parent


def play() -> dict[str, list[suite.Result]]:
    """The results by the name of the break; several are played at a time, as most cases wait."""
    (python,) = choose(["python"])
    with tempfile.TemporaryDirectory() as folder:
        build([python], Path(folder), lambda: None)
    found: dict[str, list[suite.Result]] = {}
    jobs = 2 * (os.cpu_count() or 1)
    for at_a_time in (jobs, 1, 1):
        # Some cases are not possible on a machine that is too busy, and say so: those are played again.
        plays = [
            (broken(python, module, entry), entry.case)
            for module, entries in by_module().items()
            for entry in entries
            if not any(one.result == suite.BROKEN for one in found.get(entry.name, []))
        ]
        found.update({case.runtime: case.results for case in suite.play_all(plays, at_a_time, lambda: None)})
    return found


def broken(python: Manifest, module: str, entry: Break) -> Manifest:
    """The runtime with this break, in the environment of the Python runtime."""
    run = (python.tools[0], str(HERE / "broken_runtime.py"), module, entry.name)
    return dataclasses.replace(python, name=entry.name, run=run, tools=(*run, "tools"))


if __name__ == "__main__":
    pickle.dump(play(), sys.stdout.buffer)

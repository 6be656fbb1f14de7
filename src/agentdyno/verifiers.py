"""The verifiers: what a runtime executes to check an attempt, as an argv and a complete environment."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex

from agentdyno.errors import UserError
from agentdyno.sealed import Seal

ISOLATED = ("-I",)
"""Imports nothing from the current folder, PYTHONPATH or the user's own packages, none of which the verifier
has either. `-P` says the first alone, and a python3 before 3.11 does not know it.
"""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A runtime runs `argv` in an attempt's workspace with only `environment` (CONTRACT.md, Verification).

    `seals` are those of the folders that the verifier's programs lie in, which the set-up made. `receipt` is
    the program that runs the verifier and sends receipts, if the set-up could build it.
    """

    name: str
    argv: tuple[str, ...]
    environment: dict[str, str]
    seals: tuple[Seal, ...] = ()
    receipt: Path | None = None

    def sending_receipts(self) -> "Verifier":
        """The verifier with an argv that has receipts sent to a socket of its own; as it is if there is no
        program for that.
        """
        if self.receipt is None:
            return self
        return replace(self, argv=(str(self.receipt), f"agentdyno-{token_hex(8)}", *self.argv))

    def check(self) -> None:
        """A UserError says which of the verifier's files changed since the set-up."""
        for seal in self.seals:
            seal.check()

    def versions(self) -> dict[str, str]:
        """The verifier's name, and the versions of the programs that its output depends on; a UserError where
        these do not say.
        """
        if self.name != "cold":
            return {"name": self.name}
        script = "import sys, pytest; print(sys.version.split()[0], pytest.__version__)"
        done = subprocess.run(
            ["python3", *ISOLATED, "-B", "-c", script],
            env=self.environment,
            capture_output=True,
            text=True,
            start_new_session=True,  # A Ctrl-C is for agentdyno, which ends in order.
        )
        said = done.stdout.split()
        if done.returncode != 0 or len(said) != 2:
            raise UserError(
                f"the python3 in {self.environment['PATH'].partition(':')[0]} does not tell the versions of "
                f"itself and pytest (status {done.returncode}): run runner/setup.sh"
            )
        return {"name": self.name, "python": said[0], "pytest": said[1]}


MARK = "AGENTDYNO_ATTEMPT"
"""A variable in every verifier's environment. It tells what the code under test leaves behind from what the
runtime does. It is the same for all runs, because a test may print its environment into the feedback.
"""

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"

PYTEST_OPTIONS = (
    "-p no:cacheprovider",  # useless in a folder that is removed after the attempt
    # Configuration and conftest.py files of parent folders, and file names relative to them, would differ
    # between machines and runs.
    "-c /dev/null --rootdir=. --confcutdir=.",
)


def find_interpreter() -> tuple[Path, Seal | None]:
    """The folder of a `python3` that can import pytest, and its seal; a UserError when there is none.

    The set-up makes an environment that contains only pytest, because the plugins of another environment
    would double pytest's start time, and seals it. It is checked before it runs for the first time, because
    what an attempt left there would run then. Without it, the first `python3` on PATH with pytest is used,
    which has no seal.
    """
    prepared = Path(sys.prefix) / "verifier"
    seal = Seal(prepared) if prepared.is_dir() else None
    if seal is not None:
        seal.check()
    elsewhere = [*map(Path, os.get_exec_path()), Path(sys.executable).parent]
    for folder, its in ((prepared / "bin", seal), *((folder, None) for folder in elsewhere)):
        program = shutil.which("python3", path=str(folder))
        if program is not None and _has_pytest(program):
            return folder, its
    raise UserError(
        "no python3 can import pytest, which the cold verifier needs: "
        "run runner/setup.sh to make one in .venv/verifier, or install pytest for the python3 on PATH"
    )


def find_receipt() -> tuple[Path | None, Seal | None]:
    """The program that sends receipts, and its folder's seal; None without a C compiler at the set-up."""
    folder = Path(sys.prefix) / "receipt"
    program = folder / "receipt"
    if not program.is_file():
        return None, None
    seal = Seal(folder)
    seal.check()
    return program, seal


def _has_pytest(program: str) -> bool:
    argv = [program, *ISOLATED, "-B", "-c", "import pytest"]
    check = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True)
    return check.returncode == 0


def cold() -> Verifier:
    """A new pytest process for each attempt; all settings that could change a test's output are fixed."""
    folder, seal = find_interpreter()
    receipt, its_seal = find_receipt()
    return Verifier(
        name="cold",
        argv=("python3", "-B", "-m", "pytest", "-q"),
        environment={
            "PATH": f"{folder}:{SYSTEM_PATH}",
            "LANG": "C.UTF-8",
            "COLUMNS": "80",  # pytest shortens lines to this width
            "PYTHONHASHSEED": "0",  # fixes the order of sets in failure messages
            "PYTHONNOUSERSITE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": " ".join(PYTEST_OPTIONS),
            MARK: "1",
        },
        seals=tuple(each for each in (seal, its_seal) if each is not None),
        receipt=receipt,
    )


def null() -> Verifier:
    """A process that always reports a passed test; `echo` is the smallest program that every Linux has."""
    receipt, seal = find_receipt()
    return Verifier(
        name="null",
        argv=("echo", "1 passed in 0.00s"),
        environment={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", MARK: "1"},
        seals=() if seal is None else (seal,),
        receipt=receipt,
    )


VERIFIERS: dict[str, Callable[[], Verifier]] = {"cold": cold, "null": null}
"""The verifiers by the names that `--verifier` takes."""

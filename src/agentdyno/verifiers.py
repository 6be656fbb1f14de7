"""A verifier as a runtime is told of it: an argv and the whole environment of the children."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agentdyno.errors import UserError


@dataclass(frozen=True, slots=True)
class Verifier:
    """`argv` is run in the attempt's workspace with exactly `environment` (CONTRACT.md, Verification)."""

    name: str
    argv: tuple[str, ...]
    environment: dict[str, str]

    def versions(self) -> dict[str, str]:
        """The verifier's name, and the versions of the programs that decide what it says."""
        if self.name != "cold":
            return {"name": self.name}
        script = "import sys, pytest; print(sys.version.split()[0], pytest.__version__)"
        said = subprocess.run(
            ["python3", "-c", script], env=self.environment, capture_output=True, text=True, check=True
        ).stdout.split()
        return {"name": self.name, "python": said[0], "pytest": said[1]}


SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"

PYTEST_OPTIONS = (
    "-p no:cacheprovider",  # of no use in a folder that is gone a moment later
    # No configuration and no conftest.py of the folders above, where somebody's own may lie, and no file
    # names relative to one of those: they would differ from run to run.
    "-c /dev/null --rootdir=. --confcutdir=.",
)


def find_interpreter() -> Path:
    """The folder of a `python3` that can import pytest.

    The set-up makes one beside this program's own interpreter, with pytest and nothing else: plugins that
    happen to lie about in another environment double pytest's start time. Without it, the first one on PATH
    that has pytest serves.
    """
    made = Path(sys.prefix) / "verifier" / "bin"
    candidates = [made, *(Path(folder) for folder in os.get_exec_path()), Path(sys.executable).parent]
    for folder in candidates:
        program = shutil.which("python3", path=str(folder))
        if program is not None and _has_pytest(program):
            return folder
    raise UserError(
        "no python3 that can import pytest, which the cold verifier needs: "
        "run runner/setup.sh, which makes one in .venv/verifier, or install pytest for the python3 on PATH"
    )


def _has_pytest(program: str) -> bool:
    check = subprocess.run([program, "-c", "import pytest"], stdin=subprocess.DEVNULL, capture_output=True)
    return check.returncode == 0


def cold() -> Verifier:
    """The verifier with the interpreter found; what could differ between two runs of the same test is
    pinned.
    """
    return Verifier(
        name="cold",
        argv=("python3", "-B", "-m", "pytest", "-q"),
        environment={
            "PATH": f"{find_interpreter()}:{SYSTEM_PATH}",
            "LANG": "C.UTF-8",
            "COLUMNS": "80",  # pytest cuts lines to it
            "PYTHONHASHSEED": "0",  # the order of sets in failure messages
            "PYTHONNOUSERSITE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": " ".join(PYTEST_OPTIONS),
        },
    )


def null() -> Verifier:
    """The verifier; `echo` is the smallest program that every Linux has."""
    return Verifier(
        name="null",
        argv=("echo", "1 passed in 0.00s"),
        environment={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8"},
    )


VERIFIERS: dict[str, Callable[[], Verifier]] = {"cold": cold, "null": null}
"""By the name that `--verifier` takes."""

"""The `cold` verifier: a fresh `python3 -B -m pytest -q` for every attempt."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from agentdyno.errors import Refusal
from agentdyno.verifiers.verifier import Verifier

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
    raise Refusal(
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

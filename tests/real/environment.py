"""An environment of its own for each real server, below .venv/real, from lock files with hashes."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".venv" / "real"


def installed(name: str) -> Path:
    """The environment of a server, made if it is not there or not of the lock file that is here now."""
    source, folder = HERE / name, ENVIRONMENTS / name
    lock = source / ("package-lock.json" if (source / "package.json").exists() else "requirements.lock")
    stamp = folder / "installed.lock"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if lock.name == "package-lock.json":
        shutil.copy(source / "package.json", folder)
        shutil.copy(lock, folder)
        _run("npm", "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    else:
        _run(sys.executable, "-m", "venv", folder)
        python, uv = folder / "bin" / "python", Path(sys.prefix) / "bin" / "uv"
        # The lock is complete, so nobody need look for what its packages need.
        options = ("install", "--quiet", "--no-deps", "--require-hashes", "--requirement", lock)
        if not (uv.exists() and _runs(uv, "pip", *options, "--link-mode", "copy", "--python", python)):
            _run(python, "-m", "pip", *options, "--disable-pip-version-check")
    shutil.copy(lock, stamp)
    return folder


def _runs(*words: object) -> bool:
    return subprocess.run(list(map(str, words))).returncode == 0


def _run(*words: object) -> None:
    subprocess.run(list(map(str, words)), check=True)

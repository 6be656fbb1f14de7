"""What a runtime needs from the machine: programs and libraries, perhaps with a minimum version."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = re.compile(r"(?P<name>\S+)(?: >= (?P<version>\d+(?:\.\d+)*))?")
_VERSION = re.compile(r"\d+(?:\.\d+)+")


def build_path() -> str:
    """PATH for builds, this interpreter's folder first: `python3` on PATH may be too old or missing."""
    return f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A required program or library.

    `what` is a program, perhaps with a minimum version (`cargo >= 1.91`), or a library's name in pkg-config.
    `hint` says how to get it, and `debian` is the Debian package that contains it.
    """

    what: str
    is_library: bool
    hint: str
    debian: str | None

    def is_met(self) -> bool:
        """Whether a program on the PATH of builds, or a library that pkg-config knows, meets it."""
        return _is_library_there(self.what) if self.is_library else _is_program_there(self.what)


def is_requirement(entry: object) -> bool:
    """Whether `entry` is valid in a manifest's `requires`."""
    if not isinstance(entry, dict) or not all(isinstance(value, str) and value for value in entry.values()):
        return False
    if set(entry) - {"debian"} == {"program", "hint"}:
        return _PROGRAM.fullmatch(entry["program"]) is not None
    return set(entry) - {"debian"} == {"library", "hint"}


def requirement(entry: dict[str, str]) -> Requirement:
    """The requirement that a valid entry of a manifest's `requires` states."""
    is_library = "library" in entry
    what = entry["library" if is_library else "program"]
    return Requirement(what, is_library, entry["hint"], entry.get("debian"))


def _is_library_there(what: str) -> bool:
    try:
        query = subprocess.run(
            ["pkg-config", "--exists", what],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,
        )
    except FileNotFoundError:
        return False
    return query.returncode == 0


def _is_program_there(what: str) -> bool:
    asked = _PROGRAM.fullmatch(what)
    assert asked is not None
    path = shutil.which(asked["name"], path=build_path())
    if path is None or asked["version"] is None:
        return path is not None
    found = _version(path)
    return found is not None and found >= _numbers(asked["version"])


def _version(path: str) -> tuple[int, ...] | None:
    """The first version that the program prints; None if the program prints none."""
    for word in ("--version", "version"):  # go accepts only the second
        try:
            done = subprocess.run(
                [path, word], stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True
            )
        except OSError:
            return None
        if done.returncode == 0 and (version := _VERSION.search(done.stdout.decode(errors="replace"))):
            return _numbers(version[0])
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))

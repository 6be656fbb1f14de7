"""What a runtime needs of the machine: programs and libraries, perhaps of a version or newer."""

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
    """Our PATH, with the interpreter that the set-up found as `python3`: the one on PATH may be too old, or
    not there.
    """
    return f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A program, or a library by its name in pkg-config, and perhaps a version (`cargo >= 1.91`), with a hint
    that says how to get it, and the Debian package that holds it.
    """

    what: str
    is_library: bool
    hint: str
    debian: str | None

    def is_met(self) -> bool:
        """Whether the program is on the PATH of builds, or pkg-config knows the library, and new enough."""
        return _is_library_there(self.what) if self.is_library else _is_program_there(self.what)


def is_requirement(entry: object) -> bool:
    """Whether this is an entry of a manifest's `requires`."""
    if not isinstance(entry, dict) or not all(isinstance(value, str) and value for value in entry.values()):
        return False
    if set(entry) - {"debian"} == {"program", "hint"}:
        return _PROGRAM.fullmatch(entry["program"]) is not None
    return set(entry) - {"debian"} == {"library", "hint"}


def requirement(entry: dict[str, str]) -> Requirement:
    """An entry of a manifest's `requires`."""
    is_library = "library" in entry
    what = entry["library" if is_library else "program"]
    return Requirement(what, is_library, entry["hint"], entry.get("debian"))


def _is_library_there(what: str) -> bool:
    try:
        query = subprocess.run(
            ["pkg-config", "--exists", what], stdin=subprocess.DEVNULL, capture_output=True
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
    """The first version that the program tells of itself; None if it tells none."""
    for word in ("--version", "version"):  # go knows the second only
        try:
            told = subprocess.run([path, word], stdin=subprocess.DEVNULL, capture_output=True)
        except OSError:
            return None
        if told.returncode == 0 and (version := _VERSION.search(told.stdout.decode(errors="replace"))):
            return _numbers(version[0])
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))

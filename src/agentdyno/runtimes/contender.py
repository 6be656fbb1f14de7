"""The hash of a contender: of what it is made of, and of the program that is run."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from agentdyno.runtimes.manifest import Manifest

MADE = frozenset(("build", "target", "node_modules", ".venv", ".git", "__pycache__", ".ruff_cache"))
"""Folders that a build or a tool fills, with copies of libraries for the most part."""


def contender_sha256(manifest: Manifest) -> str:
    """The SHA-256 over the names and contents of the files in the contender's folder but those that a build
    made, and of the files that its `run` command names.
    """
    found = hashlib.sha256()
    for path in (*_sources(manifest.folder), *_programs(manifest)):
        found.update(os.fsencode(path.relative_to(manifest.folder)) + b"\0")
        with path.open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in MADE)
        for name in sorted(names):
            path = Path(where, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _programs(manifest: Manifest) -> Iterator[Path]:
    for word in manifest.run:
        path = manifest.folder / word
        if path.is_relative_to(manifest.folder) and path.is_file():
            yield path

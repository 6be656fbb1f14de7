"""A runtime's manifest: `runtime.toml`, or a `runtime.NAME.toml` in the same folder (CONTRACT.md)."""

import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated

from agentdyno.errors import UserError
from agentdyno.project import RUNTIMES
from agentdyno.reading import Unreadable, read_toml
from agentdyno.runtimes.requirement import Requirement, is_requirement, requirement
from agentdyno.shape import Json, Must, Unfit, shaped

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,39}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """How one runtime is built and started, both in `folder`; `tools` is the argv that answers tool calls.

    `path` is the manifest's path. `differs_in` names the conformance rules, or groups of rules, that a
    variant can break although another runtime of its folder keeps them; None where the field is absent.
    """

    name: str
    language: str
    description: str
    path: Path
    folder: Path
    run: tuple[str, ...]
    build: tuple[str, ...] | None
    requires: tuple[Requirement, ...]
    tools: tuple[str, ...] | None = None
    differs_in: tuple[str, ...] | None = None

    def missing(self) -> list[Requirement]:
        """The required programs and libraries that this machine does not have."""
        return [requirement for requirement in self.requires if not requirement.is_met()]

    def command(self, argv: tuple[str, ...]) -> list[str]:
        """The argv to execute: a first word with a slash is relative to the runtime's folder."""
        first, *rest = argv
        return [str(self.folder / first) if "/" in first else first, *rest]


def _is_word(text: str) -> bool:
    return bool(text) and "\0" not in text


def _are_words(texts: list[str]) -> bool:
    return bool(texts) and all(map(_is_word, texts))


Word = Annotated[str, Must("a text that is not empty", _is_word)]
Words = Annotated[list[str], Must("a list of texts that are not empty", _are_words)]
Name = Annotated[
    str,
    Must(
        "letters, digits and `._+-`, the first a letter or digit, 40 at most, for files are named after it",
        lambda text: NAME.fullmatch(text) is not None,
    ),
]
Required = Annotated[
    dict[str, Word],
    Must(
        "{program, hint, debian} or {library, hint, debian}, the last of which may be left out",
        is_requirement,
    ),
]


@dataclass(frozen=True, slots=True)
class _Document:
    name: Name
    language: Word
    description: Word
    run: Words
    build: Words | None = None
    requires: list[Required] = field(default_factory=list)
    tools: Words | None = None
    differs_in: Words | None = None


REMEDY = "see runtimes/CONTRACT.md"


def read(path: Path) -> Manifest:
    """Read one manifest; a UserError names the file and the field that is unusable."""
    table = read_toml(path, dict[str, Json], REMEDY)
    for name in sorted(table.keys() - {each.name for each in fields(_Document)}):
        raise UserError(f"{path}: unknown field `{name}`; {REMEDY}")
    try:
        document = shaped(table, _Document)
    except Unfit as wrong:
        raise Unreadable(path, str(wrong), REMEDY) from None
    return Manifest(
        name=document.name,
        language=document.language,
        description=document.description,
        path=path.resolve(),
        folder=path.parent.resolve(),
        run=tuple(document.run),
        build=_tuple(document.build),
        requires=tuple(map(requirement, document.requires)),
        tools=_tuple(document.tools),
        differs_in=_tuple(document.differs_in),
    )


def _tuple(words: Words | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(words)


def read_all(folder: Path = RUNTIMES) -> dict[str, Manifest]:
    """Every runtime below `folder`, by name."""
    manifests: dict[str, Manifest] = {}
    paths = [*folder.glob("*/runtime.toml"), *folder.glob("*/runtime.*.toml")]
    for path in sorted(paths, key=lambda path: (path.parent, path.name != "runtime.toml", path.name)):
        manifest = read(path)
        if manifest.name in manifests:
            raise UserError(
                f"{path}: the name `{manifest.name}` is taken by {manifests[manifest.name].folder}"
            )
        manifests[manifest.name] = manifest
    return manifests


def choose(names: list[str] | None, folder: Path = RUNTIMES) -> list[Manifest]:
    """The runtimes that were asked for, in that order; all of them when none was named.

    A name with a slash is the path of a runtime's folder or manifest anywhere on this machine, so that
    somebody's own runtime need not be copied into the project to be measured.
    """
    known = read_all(folder)
    if names is None:
        if not known:
            raise UserError(
                f"{folder}: no runtime there; a runtime is a folder with a runtime.toml (CONTRACT.md)"
            )
        return list(known.values())
    chosen: list[Manifest] = []
    for name in names:
        if "/" in name:
            path = Path(name)
            manifest = read(path / "runtime.toml" if path.is_dir() else path)
        elif name in known:
            manifest = known[name]
        else:
            raise UserError(f"no runtime named `{name}` in {folder}; there are: {', '.join(known) or 'none'}")
        if any(manifest.name == other.name for other in chosen):
            raise UserError(f"runtime `{manifest.name}` was asked for twice")
        chosen.append(manifest)
    return chosen

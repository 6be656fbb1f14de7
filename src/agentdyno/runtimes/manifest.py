"""A runtime's manifest: `runtime.toml`, or a `runtime.NAME.toml` in the same folder (CONTRACT.md)."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.project import RUNTIMES
from agentdyno.runtimes.requirement import Requirement, is_requirement, requirement

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,39}")

FIELDS = {"name", "language", "description", "run", "build", "requires", "tools", "differs_in"}


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


def read(path: Path) -> Manifest:
    """Read one manifest; a UserError names the file and the field that is unusable."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: not valid TOML: {error}") from error

    def text(field: str) -> str:
        value = document.get(field)
        if not isinstance(value, str) or not value:
            raise UserError(f"{path}: `{field}` must be a non-empty string; see runtimes/CONTRACT.md")
        return value

    def words(field: str) -> tuple[str, ...]:
        value = document.get(field)
        if (
            not isinstance(value, list)
            or not value
            or not all(isinstance(word, str) and word for word in value)
        ):
            raise UserError(
                f"{path}: `{field}` must be a non-empty list of strings; see runtimes/CONTRACT.md"
            )
        return tuple(value)

    requires = document.get("requires", [])
    if not isinstance(requires, list) or not all(map(is_requirement, requires)):
        raise UserError(
            f"{path}: `requires` must be a list of {{program, hint, debian}} or {{library, hint, debian}}, "
            "the last of which may be left out; see runtimes/CONTRACT.md"
        )
    unknown = sorted(set(document) - FIELDS)
    if unknown:
        raise UserError(f"{path}: unknown field `{unknown[0]}`; see runtimes/CONTRACT.md")
    name = text("name")
    if NAME.fullmatch(name) is None:
        raise UserError(
            f"{path}: `name` is {name!r}, and files are named after it: use letters, digits and `._+-`, "
            "the first a letter or digit, 40 at most"
        )
    return Manifest(
        name=name,
        language=text("language"),
        description=text("description"),
        path=path.resolve(),
        folder=path.parent.resolve(),
        run=words("run"),
        build=words("build") if "build" in document else None,
        requires=tuple(map(requirement, requires)),
        tools=words("tools") if "tools" in document else None,
        differs_in=words("differs_in") if "differs_in" in document else None,
    )


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

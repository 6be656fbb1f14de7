"""Builds a runtime by the `build` argv of its manifest, and installs the packages it needs if allowed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.process.child import Child
from agentdyno.runtimes.manifest import Manifest
from agentdyno.runtimes.requirement import Requirement, build_path


def remedy(manifest: Manifest) -> str:
    """What the runtime lacks, followed by the command that installs it, or by hints where there is none."""
    lacking = manifest.missing()
    packages = _packages(lacking)
    if shutil.which("apt-get") is None or None in packages:
        return "; ".join(f"`{requirement.what}` ({requirement.hint})" for requirement in lacking)
    names = ", ".join(f"`{requirement.what}`" for requirement in lacking)
    return f"{names}: {' '.join(_command(packages))}"


def buildable(manifests: Sequence[Manifest]) -> list[Manifest]:
    """The runtimes whose requirements this machine meets; a UserError when there is none."""
    found = [manifest for manifest in manifests if not manifest.missing()]
    if not found:
        raise UserError("no runtime can be built on this machine: see `agentdyno check`")
    return found


def say_skipped(manifests: Sequence[Manifest]) -> None:
    """Print each runtime that is skipped because it cannot be built, and what the runtime needs."""
    for manifest in manifests:
        print(f"skipped {manifest.name}: needs {remedy(manifest)}", file=sys.stderr)


def install(manifests: Sequence[Manifest]) -> None:
    """Print and install what the runtimes lack, where apt-get exists and needs no password.

    Nothing is raised: a package that cannot be installed stays missing, and apt-get has printed the reason.
    """
    lacking = {manifest.name: requirements for manifest in manifests if (requirements := manifest.missing())}
    packages = _packages([requirement for requirements in lacking.values() for requirement in requirements])
    packages.discard(None)
    if not packages or shutil.which("apt-get") is None or not _is_allowed():
        return
    for command in ([*_rights(), "apt-get", "update", "--quiet"], _command(packages)):
        print(f"installing for {', '.join(lacking)}: {' '.join(command)}", file=sys.stderr)
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )
        if done.returncode != 0:
            print(f"apt-get ended with status {done.returncode}; continuing", file=sys.stderr)


def _packages(requirements: Sequence[Requirement]) -> set[str | None]:
    """The Debian packages with these requirements; None stands for a requirement without a package."""
    return {requirement.debian for requirement in requirements}


def _command(packages: set[str | None]) -> list[str]:
    names = sorted(name for name in packages if name is not None)
    return [*_rights(), "apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *names]


def _rights() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo"]


def _is_allowed() -> bool:
    if os.geteuid() == 0:
        return True
    if shutil.which("sudo") is None:
        return False
    asked = subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True)
    return asked.returncode == 0


LOOK_S = 0.25
LAST_LINES = 15
"""How many lines of a failed build's output an error shows. The error names the log with all of it."""


AT_ONCE = 2
"""Compilers use all processors, but not while they link or load packages; then another build goes on."""


def build(
    manifests: Sequence[Manifest],
    logs: Path,
    check: Callable[[], None],
    say: Callable[[str], object] = lambda line: None,
) -> None:
    """Build the runtimes, AT_ONCE of them at a time, and write each build's output to NAME.log in `logs`.

    Runtimes that one command builds in one folder are built once, and no two builds are at work in a folder.
    `check` is called repeatedly meanwhile, and raises to cancel all builds. `say` gets a line as each begins.

    Raises a UserError if a required program is missing or a build fails; the error shows what to do, or the
    last lines of the output.
    """
    for manifest in manifests:
        if manifest.missing():
            raise UserError(f"runtime `{manifest.name}` needs {remedy(manifest)}", status=1)
    waiting: dict[tuple[Path, tuple[str, ...]], _Build] = {}
    for each in manifests:
        if each.build is not None:
            its = _Build(each.name, each.folder, each.command(each.build), logs / f"{each.name}.log")
            waiting.setdefault((each.folder, each.build), its)
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        running: dict[Path, tuple[_Build, Child]] = {}
        while waiting or running:
            for key, its in list(waiting.items()):
                if len(running) < AT_ONCE and its.folder not in running:
                    say(f"building {its.name}")
                    running[its.folder] = waiting.pop(key), stack.enter_context(its.begun())
            for its, child in list(running.values()):
                if child.has_ended(LOOK_S / len(running)):
                    del running[its.folder]
                    its.judge(child.reap())
            check()


@dataclass(frozen=True, slots=True)
class _Build:
    """The build of a runtime: its command, the folder that it works in, and where its output goes."""

    name: str
    folder: Path
    argv: list[str]
    log: Path

    @contextmanager
    def begun(self) -> Iterator[Child]:
        """The build at work; at the end of the block it is stopped if it has not ended."""
        with (
            self.log.open("wb") as output,
            Child(
                self.argv,
                cwd=self.folder,
                environment=os.environ | {"PATH": build_path()},
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as child,
        ):
            yield child

    def judge(self, status: int) -> None:
        """A UserError if the build failed."""
        if status == 0:
            return
        lines = self.log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
        shown = "\n".join(f"  | {line}" for line in lines[-LAST_LINES:])
        raise UserError(
            f"runtime `{self.name}` does not build: {' '.join(self.argv)} ended with status {status}; "
            f"see {self.log}, which ends with:\n{shown}",
            status=1,
        )

"""System packages that runtimes need: named, and on Debian and Ubuntu installed where that is allowed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from agentdyno.runtimes.manifest import Manifest


def remedy(manifest: Manifest) -> str:
    """What the runtime lacks and, last, the command that gets it, or hints where there is no such command."""
    lacking = manifest.missing()
    if shutil.which("apt-get") is None or any(requirement.debian is None for requirement in lacking):
        return "; ".join(f"`{requirement.what}` ({requirement.hint})" for requirement in lacking)
    names = ", ".join(f"`{requirement.what}`" for requirement in lacking)
    return f"{names}: {' '.join(_command(missing([manifest])))}"


def missing(manifests: Sequence[Manifest]) -> list[str]:
    """The Debian packages that hold what the runtimes lack."""
    packages = {
        requirement.debian
        for manifest in manifests
        for requirement in manifest.missing()
        if requirement.debian is not None
    }
    return sorted(packages)


def install(manifests: Sequence[Manifest]) -> None:
    """Install what the runtimes lack, after saying so, where apt-get is and needs no password.

    Nothing is raised: what cannot be had is missing afterwards as before, and apt-get has said why.
    """
    packages = missing(manifests)
    if not packages or shutil.which("apt-get") is None or not _is_allowed():
        return
    for command in ([*_rights(), "apt-get", "update", "--quiet"], _command(packages)):
        print(f"installing for {', '.join(_lacking(manifests))}: {' '.join(command)}", file=sys.stderr)
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )
        if done.returncode != 0:
            print(f"apt-get ended with status {done.returncode}; going on", file=sys.stderr)


def _lacking(manifests: Sequence[Manifest]) -> list[str]:
    return [manifest.name for manifest in manifests if manifest.missing()]


def _command(packages: Sequence[str]) -> list[str]:
    return [*_rights(), "apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]


def _rights() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo"]


def _is_allowed() -> bool:
    if os.geteuid() == 0:
        return True
    if shutil.which("sudo") is None:
        return False
    asked = subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True)
    return asked.returncode == 0

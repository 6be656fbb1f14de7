"""Several runtimes are built at once, and none in a folder in which another build is at work."""

import os
from pathlib import Path

import pytest

from agentdyno.errors import UserError
from agentdyno.measure import proc
from agentdyno.runtimes.build import build
from agentdyno.runtimes.manifest import Manifest, read
from command_line import manifest

pytestmark = pytest.mark.usefixtures("starts_processes")


def runtime(folder: Path, script: str, name: str = "") -> Manifest:
    """The manifest of a runtime that this shell script builds."""
    folder.mkdir(exist_ok=True)
    manifest(folder, name or folder.name, build=["sh", "-c", script], run=["true"])
    return read(folder / "runtime.toml")


def built(*manifests: Manifest, logs: Path) -> list[str]:
    """Build them, and return what was said."""
    said: list[str] = []
    build(manifests, logs, lambda: None, said.append)
    return said


def test_one_does_not_wait_for_another(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    reads, writes = runtime(tmp_path / "a", "cat ../fifo"), runtime(tmp_path / "b", "echo met >../fifo")
    assert built(reads, writes, logs=tmp_path / "logs") == ["building a", "building b"]
    assert (tmp_path / "logs" / "a.log").read_text() == "met\n"


def test_what_one_command_builds_is_built_once(tmp_path: Path) -> None:
    script = "echo x >>built"
    runtimes = [runtime(tmp_path / "a", script), runtime(tmp_path / "a", script, "a-tuned")]
    assert built(*runtimes, logs=tmp_path / "logs") == ["building a"]
    assert (tmp_path / "a" / "built").read_text() == "x\n"


def test_builds_in_one_folder_follow_each_other(tmp_path: Path) -> None:
    scripts = [f"mkdir at-work && echo {name} >>order && rmdir at-work" for name in ("first", "second")]
    runtimes = [runtime(tmp_path / "a", script, f"a-{n}") for n, script in enumerate(scripts)]
    assert built(*runtimes, logs=tmp_path / "logs") == ["building a-0", "building a-1"]
    assert (tmp_path / "a" / "order").read_text() == "first\nsecond\n"


def test_one_that_fails_ends_the_others_and_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    lasting = runtime(tmp_path / "a", "echo $$ >../fifo; exec sleep 600")
    failing = runtime(tmp_path / "b", "read pid <../fifo; echo $pid >../pid; echo why; exit 4")
    with pytest.raises(UserError, match=r"^runtime `b` does not build: .* status 4; .*\n  \| why$"):
        built(lasting, failing, logs=tmp_path / "logs")
    assert proc.read(int((tmp_path / "pid").read_text())) is None

"""Workspaces are gone when they are left, whatever was done to them."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from agentloop.workspace import SLICE_S, Workspace, remove_tree


@contextlib.contextmanager
def workspace_in(parent: Path) -> Iterator[Workspace]:
    """A workspace that is left when the block is."""
    workspace = Workspace(str(parent))
    try:
        yield workspace
    finally:
        asyncio.run(remove_tree(workspace.path))


def test_made_empty_and_gone(tmp_path: Path) -> None:
    with workspace_in(tmp_path) as first, workspace_in(tmp_path) as second:
        assert first.path != second.path
        assert os.listdir(first.path) == []
        Path(first.path, "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_gone_after_a_failure(tmp_path: Path) -> None:
    async def fail() -> None:
        async with Workspace(str(tmp_path)):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        asyncio.run(fail())
    assert list(tmp_path.iterdir()) == []


def test_gone_already(tmp_path: Path) -> None:
    with workspace_in(tmp_path) as workspace:
        os.rmdir(workspace.path)
    asyncio.run(remove_tree(str(tmp_path / "never there")))


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    outside.chmod(0o500)
    with workspace_in(tmp_path) as workspace:
        inner = Path(workspace.path, "a", "b")
        inner.mkdir(parents=True)
        for place in (Path(workspace.path), inner):
            (place / "to folder").symlink_to(outside)
            (place / "to file").symlink_to(outside / "precious")
            (place / "to nothing").symlink_to("nowhere")
            (place / "to itself").symlink_to("to itself")
    assert [path.name for path in tmp_path.rglob("*")] == ["outside", "precious"]
    assert outside.stat().st_mode & 0o777 == 0o500


def test_workspace_that_became_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("x")
    (tmp_path / "workspace").symlink_to("outside")
    asyncio.run(remove_tree(str(tmp_path / "workspace")))
    assert [path.name for path in tmp_path.rglob("*")] == ["outside", "precious"]


AS_NOBODY = """
import asyncio, ctypes, os
from agentloop.workspace import Workspace
os.setgroups([]); os.setgid(65534); os.setuid(65534)
PR_SET_DUMPABLE = 4  # Lost with the user; without it a process may not look into its own /proc/self/fd.
ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
async def main():
    async with Workspace(".") as workspace:
        os.makedirs(workspace.path + "/a/b/c")
        open(workspace.path + "/a/b/file", "w").close()
        for name in ("/a/b/c", "/a/b", "/a", ""):
            os.chmod(workspace.path + name, 0)
asyncio.run(main())
print(os.listdir("."))
"""


@pytest.mark.usefixtures("starts_processes")
@pytest.mark.skipif(os.getuid() != 0, reason="root alone can become somebody who has not every permission")
def test_folders_without_permissions(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_depth_beyond_any_stack_and_any_path(tmp_path: Path) -> None:
    with workspace_in(tmp_path) as workspace:
        here = os.open(workspace.path, os.O_RDONLY)
        for _ in range(1200):
            os.mkdir("d" * 200, dir_fd=here)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(here)
    assert list(tmp_path.iterdir()) == []


def test_names_of_any_bytes(tmp_path: Path) -> None:
    with workspace_in(tmp_path) as workspace:
        for name in (b"\xff", b"new\nline", b"\n0", b"-rf", b"a" * 255):
            os.mkdir(os.path.join(os.fsencode(workspace.path), name))
            Path(os.fsdecode(os.path.join(os.fsencode(workspace.path), name)), "\n0").mkdir()
        os.mkfifo(os.path.join(workspace.path, "pipe"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("starts_processes")
def test_what_is_written_for_ever_does_not_hold_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever the folder is about to be removed, another file is there."""
    numbers = count()
    (tmp_path / "first").touch()

    rmdir = os.rmdir

    def too_early(folder: str, **options: int | None) -> None:
        (tmp_path / str(next(numbers))).touch()
        rmdir(folder, **options)

    monkeypatch.setattr(os, "rmdir", too_early)
    monkeypatch.setattr("agentloop.workspace.PATIENCE_S", 0.01)
    with pytest.raises(OSError, match="a process that got away goes on writing there"):
        asyncio.run(remove_tree(str(tmp_path)))


@pytest.mark.usefixtures("starts_processes")
def test_what_is_being_written_is_removed_too(tmp_path: Path) -> None:
    script = "while mkdir -p a/b && : > a/b/file && : > file; do :; done"
    with workspace_in(tmp_path) as workspace:
        writer = subprocess.Popen(["sh", "-c", script], cwd=workspace.path, stderr=subprocess.DEVNULL)
        while not os.listdir(workspace.path):
            os.sched_yield()
    assert list(tmp_path.iterdir()) == []
    writer.wait(10)  # It has nowhere to write to any more.


def filled(parent: Path, files: int = 3000) -> Workspace:
    """A workspace with many files in it, half of them in a folder."""
    workspace = Workspace(str(parent))
    os.mkdir(f"{workspace.path}/folder")
    for number in range(files):
        Path(workspace.path, "folder" if number % 2 else "", str(number)).touch()
    return workspace


def test_a_large_tree_does_not_hold_up_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another task has its turns while the tree is being removed."""
    monkeypatch.setattr("agentloop.workspace.SLICE_S", SLICE_S / 100)
    workspace = filled(tmp_path)
    left: list[int] = []

    async def look_on() -> None:
        while files := sum(len(files) for _, _, files in os.walk(workspace.path)):
            left.append(files)
            await asyncio.sleep(0)

    async def run() -> None:
        looking_on = asyncio.create_task(look_on())
        async with workspace:
            pass
        await looking_on

    asyncio.run(run())
    assert len(set(left)) > 10


def test_cancelled_in_the_removal_of_a_large_tree_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentloop.workspace.SLICE_S", SLICE_S / 100)
    workspace = filled(tmp_path)

    async def run() -> None:
        removing = asyncio.create_task(remove_tree(workspace.path))
        await asyncio.sleep(0)
        removing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await removing

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []

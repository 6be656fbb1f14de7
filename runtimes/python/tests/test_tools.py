"""The tools work in the workspace and nowhere else."""

import asyncio
import os
from pathlib import Path

import pytest

from agentloop import ToolDispatcher, ToolRefused, Verifier


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "outside").mkdir()
    (folder / "link").symlink_to("../secret")
    (folder / "folder-link").symlink_to("../outside")
    return folder


@pytest.fixture
def tools(workspace: Path) -> ToolDispatcher:
    verifier = Verifier(["true"], env={"PATH": "/usr/bin:/bin"}, timeout_s=1, output_limit_bytes=20)
    return ToolDispatcher(str(workspace), verifier)


def test_write_and_read(tools: ToolDispatcher, workspace: Path) -> None:
    tools.write_file("a/b/c.py", "x = 'ü'\r\n")
    assert (workspace / "a" / "b" / "c.py").read_bytes() == "x = 'ü'\r\n".encode()
    assert tools.read_file("a/./b//c.py") == "x = 'ü'\r\n"
    tools.write_file("a/b/c.py", "shorter")
    assert tools.read_file("a/b/c.py") == "shorter"
    assert tools.list_dir("a/b") == ["c.py"]


def test_half_of_a_surrogate_pair_is_written_as_a_question_mark(tools: ToolDispatcher) -> None:
    tools.write_file("a.py", "x = '\ud83d'")
    assert tools.read_file("a.py") == "x = '?'"


def test_writing_replaces_a_link_and_not_what_it_points_to(tools: ToolDispatcher, workspace: Path) -> None:
    tools.write_file("link", "mine")
    assert (workspace / "link").read_text() == "mine"
    assert not (workspace / "link").is_symlink()
    assert (workspace.parent / "secret").read_text() == "secret"


def test_writing_fails_as_a_whole(tools: ToolDispatcher, workspace: Path) -> None:
    (workspace / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        tools.write_file("folder", "x")
    assert sorted(os.listdir(workspace)) == ["folder", "folder-link", "link"]


@pytest.mark.parametrize("path", ["/etc/passwd", "..", "../secret", "a/../../secret", "", ".", "a\0b", "/"])
def test_paths_that_lead_outside(tools: ToolDispatcher, path: str) -> None:
    with pytest.raises(ToolRefused, match="is not a path inside the workspace"):
        tools.read_file(path)
    with pytest.raises(ToolRefused, match="is not a path inside the workspace"):
        tools.write_file(path, "x")


@pytest.mark.parametrize("path", ["folder-link/new", "folder-link/a/new", "link/new"])
def test_folders_that_are_links(tools: ToolDispatcher, workspace: Path, path: str) -> None:
    message = f"{path}: goes through a symbolic link or something that is no folder"
    with pytest.raises(ToolRefused) as caught:
        tools.write_file(path, "x")
    assert str(caught.value) == message
    assert os.listdir(workspace.parent / "outside") == []


def test_files_that_are_links(tools: ToolDispatcher) -> None:
    with pytest.raises(ToolRefused, match="link: goes through a symbolic link"):
        tools.read_file("link")
    with pytest.raises(ToolRefused, match="folder-link: goes through a symbolic link"):
        tools.list_dir("folder-link")


def test_files_that_are_none(tools: ToolDispatcher, workspace: Path) -> None:
    os.mkfifo(workspace / "pipe")
    with pytest.raises(ToolRefused, match="pipe: is no file"):
        tools.read_file("pipe")
    (workspace / "folder").mkdir()
    with pytest.raises(ToolRefused, match="folder: is no file"):
        tools.read_file("folder")
    (workspace / "long").write_text("x" * 1_000_001)
    with pytest.raises(ToolRefused, match="long: has more than 1000000 characters"):
        tools.read_file("long")


def test_list_dir(tools: ToolDispatcher) -> None:
    tools.write_file("folder/file", "x")
    assert tools.list_dir() == ["folder-link", "folder/", "link"]


def test_search(tools: ToolDispatcher, workspace: Path) -> None:
    tools.write_file("a.py", "one\ntwo secret\n")
    tools.write_file("folder/b.py", "secret\n")
    (workspace / "binary").write_bytes(b"\xffsecret")
    assert tools.search("secret") == ["a.py:2: two secret", "binary:1: \ufffdsecret", "folder/b.py:1: secret"]
    assert tools.search("secret", "folder") == ["folder/b.py:1: secret"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pwd | xargs basename; exit 3", "the command exited with 3\nworkspace\n"),
        ("kill -9 $$", "the command was ended by signal 9\n"),
        ("sleep 100", "the command was stopped because it took too long\n"),
        ("printf %030d 7; printf e >&2", "the command exited with 0\n00000000000000000007e"),
    ],
)
def test_bash(tools: ToolDispatcher, command: str, expected: str) -> None:
    assert asyncio.run(tools.dispatch("bash", {"command": command})) == expected


def test_dispatch(tools: ToolDispatcher) -> None:
    async def use() -> list[str]:
        return [
            await tools.dispatch("write_file", {"path": "a.py", "content": "x = 1\n"}),
            await tools.dispatch("read_file", {"path": "a.py"}),
            await tools.dispatch("list_dir", {}),
            await tools.dispatch("search", {"text": "x ="}),
        ]

    assert asyncio.run(use()) == ["wrote a.py", "x = 1\n", "a.py\nfolder-link\nlink", "a.py:1: x = 1"]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("rm", {}, "there is no tool 'rm'; there are write_file, bash, read_file, list_dir, search"),
        ("read_file", {"file": "x"}, "read_file: missing a required argument: 'path'"),
        ("read_file", {}, "read_file: missing a required argument: 'path'"),
        ("read_file", {"path": "nothing"}, "read_file: No such file or directory"),
        ("write_file", {"path": "x", "content": 7}, "write_file: every argument must be a string"),
    ],
)
def test_dispatch_refuses(tools: ToolDispatcher, name: str, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ToolRefused) as caught:
        asyncio.run(tools.dispatch(name, arguments))
    assert str(caught.value) == message

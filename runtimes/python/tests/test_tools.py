"""The tools work in the workspace and nowhere else."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentloop import SearchMatch, ToolDispatcher, ToolRefused, Verifier


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
    return ToolDispatcher(str(workspace))


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


def test_writing_where_a_link_is(tools: ToolDispatcher, workspace: Path) -> None:
    with pytest.raises(ToolRefused, match="link: goes through a symbolic link"):
        tools.write_file("link", "mine")
    assert (workspace / "link").is_symlink()
    assert (workspace.parent / "secret").read_text() == "secret"


def test_names_as_long_as_they_may_be(tools: ToolDispatcher) -> None:
    tools.write_file("\U0001f600" * 63, "x")
    assert tools.list_dir() == ["folder-link", "link", "\U0001f600" * 63]


def test_writing_fails_as_a_whole(tools: ToolDispatcher, workspace: Path) -> None:
    (workspace / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        tools.write_file("folder", "x")
    assert sorted(os.listdir(workspace)) == ["folder", "folder-link", "link"]


@pytest.mark.parametrize("path", ["/etc/passwd", "..", "../secret", "a/../../secret", "a\0b", "/"])
def test_paths_that_lead_outside(tools: ToolDispatcher, path: str) -> None:
    with pytest.raises(ToolRefused, match="is not a path inside the workspace"):
        tools.read_file(path)
    with pytest.raises(ToolRefused, match="is not a path inside the workspace"):
        tools.write_file(path, "x")


@pytest.mark.parametrize("path", ["", ".", "./"])
def test_the_workspace_is_no_file(tools: ToolDispatcher, path: str) -> None:
    with pytest.raises(ToolRefused, match="is the workspace and no file in it"):
        tools.read_file(path)
    with pytest.raises(ToolRefused, match="is the workspace and no file in it"):
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


def test_list_dir(tools: ToolDispatcher, workspace: Path) -> None:
    tools.write_file("folder/file", "x")
    Path(os.fsdecode(os.fsencode(workspace) + b"/\xff")).touch()
    assert tools.list_dir() == ["folder-link", "folder/", "link", "\ufffd"]


def test_search(tools: ToolDispatcher, workspace: Path) -> None:
    tools.write_file("a.py", "one\r\ntwo secret\r\n\u2028secret\rmore")
    tools.write_file("a/b.py", "secret")
    (workspace / "binary").write_bytes(b"\xffsecret")
    os.mkfifo(workspace / "pipe")
    assert tools.search("secret") == [
        SearchMatch("a.py", 2, "two secret"),
        SearchMatch("a.py", 3, "\u2028secret\rmore"),
        SearchMatch("a/b.py", 1, "secret"),
        SearchMatch("binary", 1, "\ufffdsecret"),
    ]
    assert tools.search("secret", "./a") == [SearchMatch("a/b.py", 1, "secret")]
    assert tools.search("", "a") == [SearchMatch("a/b.py", 1, "secret")]
    with pytest.raises(ToolRefused, match="goes through a symbolic link"):
        tools.search("", "folder-link")


def test_search_in_the_depth(tools: ToolDispatcher) -> None:
    path = "d/" * 100 + "file"
    tools.write_file(path, "\n")
    assert tools.search("") == [SearchMatch(path, 1, "")]


@pytest.mark.usefixtures("starts_processes")
def test_bash(tools: ToolDispatcher) -> None:
    verifier = Verifier(["bash"], env={"PATH": "/usr/bin:/bin"}, output_limit_bytes=20)
    finished = asyncio.run(tools.bash("printf %030d 7; pwd | xargs basename >&2; exit 3", verifier))
    assert (finished.exit_code, finished.stdout, finished.stderr) == (3, b"0" * 19 + b"7", b"workspace\n")
    with pytest.raises(ToolRefused, match="the command holds U\\+0000"):
        asyncio.run(tools.bash("a\0b", verifier))


BASH = {"tool": "bash", "env": {"PATH": "/usr/bin:/bin"}, "timeout_s": 5, "output_limit_bytes": 100}


def command(folder: Path, *calls: object) -> list[Any]:
    """The answers of `python -m agentloop tools`."""
    done = subprocess.run(
        [sys.executable, "-m", "agentloop", "tools", str(folder)],
        cwd=Path(__file__).parents[1],
        input="".join(call if isinstance(call, str) else json.dumps(call) + "\n" for call in calls),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.usefixtures("starts_processes")
def test_command(workspace: Path) -> None:
    calls = [
        {"tool": "write_file", "path": "a/b", "content": "x = 1\n"},
        {"tool": "read_file", "path": "a/b"},
        {"tool": "list_dir", "path": ""},
        {"tool": "search", "text": "=", "path": "."},
        {**BASH, "command": "printf '\\xff'; printf $PATH; exit 3"},
        {**BASH, "command": "kill -9 $$"},
        {**BASH, "command": "sleep 100", "timeout_s": 0.1},
    ]
    assert [answer["result"] for answer in command(workspace, *calls)] == [
        None,
        "x = 1\n",
        ["a/", "folder-link", "link"],
        [{"path": "a/b", "line": 1, "text": "x = 1"}],
        {"stdout": "\ufffd/usr/bin:/bin", "stderr": "", "exit_code": 3, "signal": None, "timed_out": False},
        {"stdout": "", "stderr": "", "exit_code": None, "signal": 9, "timed_out": False},
        {"stdout": "", "stderr": "", "exit_code": None, "signal": 9, "timed_out": True},
    ]


@pytest.mark.usefixtures("starts_processes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("[]\n", "call: holds []; write one JSON object there"),
        ("\n", "call: is not JSON (Expecting value: line 2 column 1 (char 1)); write one JSON object there"),
        (
            {"tool": "rm"},
            'call: tool is "rm"; it must be write_file, read_file, list_dir, search or bash',
        ),
        ({"tool": "read_file"}, "call: path is missing; it must be a string"),
        ({"tool": "read_file", "path": "nothing"}, "No such file or directory"),
        ({"tool": "write_file", "path": "x", "content": 7}, "call: content is 7; it must be a string"),
        ({"tool": "read_file", "path": "link/\n"}, "link/ : goes through a symbolic link or something that"),
        ({**BASH, "command": "true", "env": {}}, "bash is no program that can be found and run"),
    ],
)
def test_command_refuses(workspace: Path, call: object, message: str) -> None:
    (answer,) = command(workspace, call)
    assert answer["error"].startswith(message)


@pytest.mark.usefixtures("starts_processes")
def test_command_without_a_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agentloop", "tools", str(tmp_path / "nowhere")],
        cwd=Path(__file__).parents[1],
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    expected = (
        f"agentloop: {tmp_path}/nowhere: is no folder; name the workspace that the tools are to work in\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", expected)

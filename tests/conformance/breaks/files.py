"""Breaks of what attempts' folders hold, and of what is left of them."""

import contextlib
import os
import shutil
from typing import Any

from breaks.declare import Break


def written_as(change: Any) -> None:
    """Change the text of every file."""
    from agentloop import tools

    write_file = tools.ToolDispatcher.write_file
    tools.ToolDispatcher.write_file = (  # type: ignore[method-assign]
        lambda self, path, content: write_file(self, path, change(content))
    )


def refused_ends_the_run() -> None:
    def of_a_size(content: str) -> str:
        if len(content) > 500_000:
            raise RuntimeError("the file cannot be written")
        return content

    written_as(of_a_size)


def refused_is_cut() -> None:
    only_the_first(30_000)


def refused_has_no_reason() -> None:
    from agentloop import agent

    agent.one_line = lambda text: ""


def dies_at_the_limit() -> None:
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def line_ends_of_one_kind() -> None:
    written_as(lambda content: content.replace("\r\n", "\n"))


def a_line_end_at_the_end() -> None:
    written_as(lambda content: content if content.endswith("\n") else content + "\n")


def only_the_first(length: int) -> None:
    written_as(lambda content: content[:length])


def only_the_first_megabyte() -> None:
    only_the_first(500_000)


def one_file_more() -> None:
    made_by(lambda self: open(os.path.join(self.path, "conftest.py"), "x").close())


def made_by(more: Any) -> None:
    """Do more when a workspace has been made."""
    from agentloop import workspace

    init = workspace.Workspace.__init__

    def changed(self: Any, parent: str) -> None:
        init(self, parent)
        more(self)

    workspace.Workspace.__init__ = changed  # type: ignore[method-assign]


def one_folder_for_all() -> None:
    from agentloop import workspace

    def changed(self: Any, parent: str) -> None:
        self.path = os.path.join(parent, "attempt")
        os.makedirs(self.path, exist_ok=True)

    workspace.Workspace.__init__ = changed  # type: ignore[method-assign]


def used_again_and_again() -> None:
    one_folder_for_all()
    removed_by(lambda path: None)


def somewhere_else() -> None:
    import tempfile

    from agentloop import workspace

    def changed(self: Any, parent: str) -> None:
        self.path = tempfile.mkdtemp(dir=os.path.dirname(parent))

    workspace.Workspace.__init__ = changed  # type: ignore[method-assign]


def removed_by(remove: Any) -> None:
    """Remove workspaces in another way."""
    from agentloop import workspace

    async def remove_tree(path: str) -> None:
        remove(path)

    workspace.remove_tree = remove_tree


def before_removal(do: Any) -> None:
    """Do something else before a workspace is removed."""
    from agentloop import workspace

    original = workspace.remove_tree

    async def remove_tree(path: str) -> None:
        do(path)
        await original(path)

    workspace.remove_tree = remove_tree


def at_the_end_of_the_run() -> None:
    import atexit

    removed_by(lambda path: atexit.register(shutil.rmtree, path, ignore_errors=True))


def folders_only() -> None:
    removed_by(lambda path: shutil.rmtree(path, ignore_errors=True))


def as_it_was_made() -> None:
    removed_by(shutil.rmtree)


def files_only() -> None:
    def remove(path: str) -> None:
        for name in os.listdir(path):
            os.unlink(os.path.join(path, name))
        os.rmdir(path)

    removed_by(remove)


def only_so_deep() -> None:
    def refuse(path: str) -> None:
        if os.path.exists(os.path.join(path, *["ten-letter"] * 300)):
            raise OSError("too deep")

    before_removal(refuse)


def names_in_utf_8() -> None:
    from agentloop import workspace

    original = workspace.remove_tree

    async def remove_tree(path: str) -> None:
        names = os.listdir(path)
        await original(path)
        for name in names:
            name.encode()

    workspace.remove_tree = remove_tree


def not_after_a_timeout() -> None:
    from agentloop import agent, workspace

    leave = workspace.Workspace.__aexit__
    verify = agent.Verifier.verify
    timed_out = set()

    async def changed(self: Any, folder: str, attempt: Any) -> Any:
        finished = await verify(self, folder, attempt)
        if finished.timed_out:
            timed_out.add(folder)
        return finished

    async def leave_the_others(self: Any, *_: Any) -> None:
        if self.path not in timed_out:
            await leave(self, *_)

    agent.Verifier.verify = changed  # type: ignore[method-assign]
    workspace.Workspace.__aexit__ = leave_the_others  # type: ignore[method-assign]


def links_are_followed() -> None:
    def remove(path: str) -> None:
        shutil.rmtree(os.path.realpath(path))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    removed_by(remove)


def permissions_are_given_to_all() -> None:
    def give(path: str) -> None:
        for folder, folders, files in os.walk(path):
            for name in folders + files:
                with contextlib.suppress(OSError):
                    os.chmod(os.path.join(folder, name), 0o700)

    before_removal(give)


def contents_of_links_go_first() -> None:
    """What a shell's `rm -r $folder/*/*` does."""

    def remove(path: str) -> None:
        for name in os.listdir(path):
            folder = os.path.join(path, name)
            if os.path.isdir(folder):
                for inner in os.listdir(folder):
                    with contextlib.suppress(OSError):
                        os.unlink(os.path.join(folder, inner))

    before_removal(remove)


WRITTEN = "files.written"
REFUSED = "files.refused"
TOO_LARGE = f"{REFUSED}/larger than a file may be"
GONE = "files.gone"
LINKS = "files.links"

BREAKS = [
    Break(WRITTEN, "line ends of one kind", f"{WRITTEN}/line ends of tests", line_ends_of_one_kind),
    Break(WRITTEN, "a line end at the end", f"{WRITTEN}/line ends of tests", a_line_end_at_the_end),
    Break(WRITTEN, "cut", f"{WRITTEN}/1 MiB each", only_the_first_megabyte),
    Break(WRITTEN, "one file more", f"{WRITTEN}/plain", one_file_more),
    Break(WRITTEN, "one folder for all", f"{WRITTEN}/at the same time", one_folder_for_all),
    Break(WRITTEN, "used again", f"{WRITTEN}/a new folder for every attempt", used_again_and_again),
    Break(WRITTEN, "somewhere else", f"{WRITTEN}/a new folder for every attempt", somewhere_else),
    Break(REFUSED, "ends the run", TOO_LARGE, refused_ends_the_run),
    Break(REFUSED, "cut", TOO_LARGE, refused_is_cut),
    Break(REFUSED, "no reason", TOO_LARGE, refused_has_no_reason),
    Break(REFUSED, "SIGXFSZ", TOO_LARGE, dies_at_the_limit),
    Break(GONE, "at the end of the run", f"{GONE}/as it was", at_the_end_of_the_run),
    Break(GONE, "folders only", f"{GONE}/a file in its place", folders_only),
    Break(GONE, "dead links stay", f"{GONE}/a link that leads nowhere in its place", folders_only),
    Break(GONE, "as it was made", f"{GONE}/deleted", as_it_was_made),
    Break(GONE, "files only", f"{GONE}/with more files", files_only),
    Break(GONE, "only so deep", f"{GONE}/2,000 folders deep", only_so_deep),
    Break(GONE, "names in UTF-8", f"{GONE}/names of any bytes", names_in_utf_8),
    Break(GONE, "not after a timeout", f"{GONE}/when the verifier is stopped", not_after_a_timeout),
    Break(LINKS, "followed", f"{LINKS}/in place of the folder", links_are_followed),
    Break(LINKS, "permissions", f"{LINKS}/in the folder and below", permissions_are_given_to_all),
    Break(LINKS, "permissions of hard links", f"{LINKS}/hard links", permissions_are_given_to_all),
    Break(LINKS, "contents first", f"{LINKS}/in the folder and below", contents_of_links_go_first),
    Break(LINKS, "into another attempt", f"{LINKS}/to another attempt at the same time", links_are_followed),
]

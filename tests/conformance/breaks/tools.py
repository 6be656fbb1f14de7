"""Breaks of the tools and of the command that offers them."""

import os
from collections.abc import Callable
from typing import Any

from breaks.declare import Break


def served_by(change: Callable[[Any, str, Any, Any], int]) -> None:
    """Serve the tools in another way, given the ordinary one."""
    from agentloop import tools_command

    serve = tools_command.serve
    tools_command.serve = lambda folder, calls, answers: change(serve, folder, calls, answers)


def ends_with_another_status() -> None:
    served_by(lambda serve, folder, calls, answers: serve(folder, calls, answers) + 1)


def what_is_no_call_is_null() -> None:
    from agentloop import tools_command

    result = tools_command._result

    async def changed(line: bytes, folder: str) -> object:
        return await result(line, folder) if line.startswith(b"{") else None

    tools_command._result = changed


def missing_paths_are_the_workspace() -> None:
    from agentloop import tools_command

    class Lenient(tools_command.Fields):
        def text(self, name: str) -> str:
            return "." if name == "path" and name not in self._values else super().text(name)

    tools_command.Fields = Lenient  # type: ignore[misc]


def with_tool(name: str, change: Callable[..., Any]) -> None:
    """Do a tool's work in another way, given the ordinary one."""
    from agentloop.tools import ToolDispatcher

    tool = getattr(ToolDispatcher, name)
    setattr(ToolDispatcher, name, lambda self, *arguments: change(self, tool, *arguments))


def written_in_place() -> None:
    def change(self: Any, write_file: Any, path: str, content: str) -> None:
        with open(os.path.join(self._folder, path), "w", newline="") as file:
            file.write(content)

    with_tool("write_file", change)


def written_with_line_ends_of_one_kind() -> None:
    with_tool(
        "write_file",
        lambda self, write_file, path, content: write_file(self, path, content.replace("\r\n", "\n")),
    )


def folders_are_not_made() -> None:
    def change(self: Any, write_file: Any, path: str, content: str) -> None:
        os.stat(os.path.join(self._folder, os.path.dirname(path)))
        write_file(self, path, content)

    with_tool("write_file", change)


def temporary_names_stay() -> None:
    def change(self: Any, write_file: Any, path: str, content: str) -> None:
        write_file(self, f"{path}.tmp", content)
        write_file(self, path, content)

    with_tool("write_file", change)


def temporary_names_are_longer() -> None:
    def change(self: Any, write_file: Any, path: str, content: str) -> None:
        write_file(self, f".{path}.tmp", content)
        os.replace(os.path.join(self._folder, f".{path}.tmp"), os.path.join(self._folder, path))

    with_tool("write_file", change)


def read_with_line_ends_of_one_kind() -> None:
    with_tool("read_file", lambda self, read_file, path: read_file(self, path).replace("\r\n", "\n"))


def read_to_a_megabyte() -> None:
    with_tool("read_file", lambda self, read_file, path: read_file(self, path)[:1_000_000])


def one_sign_for_all_that_is_no_utf_8() -> None:
    import re

    with_tool("read_file", lambda self, read_file, path: re.sub("\ufffd+", "\ufffd", read_file(self, path)))


def named_pipes_are_empty() -> None:
    from agentloop import tools

    tools.stat.S_ISREG = lambda mode: True


def names_as_they_come() -> None:
    with_tool("list_dir", lambda self, list_dir, path: list_dir(self, path)[::-1])


def names_in_the_order_of_utf_16() -> None:
    with_tool(
        "list_dir",
        lambda self, list_dir, path: sorted(list_dir(self, path), key=lambda name: name.encode("utf-16-be")),
    )


def links_to_folders_are_folders() -> None:
    with_tool(
        "list_dir",
        lambda self, list_dir, path: [
            f"{name}/" if os.path.isdir(os.path.join(self._folder, path, name)) and name[-1] != "/" else name
            for name in list_dir(self, path)
        ],
    )


def names_in_utf_8_only() -> None:
    def change(self: Any, list_dir: Any, path: str) -> Any:
        return [name for name in list_dir(self, path) if "\ufffd" not in name]

    with_tool("list_dir", change)


def lines_end_as_python_likes() -> None:
    from agentloop import tools

    tools._lines = str.splitlines


def lines_of_whoever() -> None:
    from agentloop import tools

    tools._lines = lambda text: text.split("\n")


def found_folder_by_folder() -> None:
    with_tool(
        "search",
        lambda self, search, text, path: sorted(
            search(self, text, path), key=lambda line: line.path.split("/")
        ),
    )


def binary_files_are_passed_over() -> None:
    with_tool(
        "search",
        lambda self, search, text, path: [line for line in search(self, text, path) if "\0" not in line.text],
    )


def ran_by(change: Callable[[dict[str, Any], list[str]], None]) -> None:
    """Run commands in another way: change the rules of the verifier, and the argv."""
    from agentloop import verifier

    run = verifier.Verifier.run

    async def changed(self: Any, argv: list[str], folder: str) -> Any:
        change(self.__dict__, argv)
        return await run(self, argv, folder)

    verifier.Verifier.run = changed  # type: ignore[method-assign]


def by_another_shell() -> None:
    ran_by(lambda rules, argv: argv.__setitem__(0, "sh"))


def with_variables_of_its_own() -> None:
    ran_by(lambda rules, argv: rules.__setitem__("_env", {**rules["_env"], "HOME": "/"}))


def twice_the_output() -> None:
    ran_by(lambda rules, argv: rules.__setitem__("_output_limit_bytes", 2 * rules["_output_limit_bytes"]))


def the_leader_alone() -> None:
    from breaks import verification

    verification.the_leader_alone()


def dots_are_resolved() -> None:
    from agentloop import tools

    names = tools._names
    tools._names = lambda path: names(os.path.normpath(path) if path else path)


def links_are_followed() -> None:
    from agentloop import tools

    tools._FOLDER &= ~os.O_NOFOLLOW


def links_to_files_are_followed() -> None:
    from agentloop import tools

    tools._EXISTING_FILE &= ~os.O_NOFOLLOW


def links_are_written_over() -> None:
    from agentloop import tools

    tools._refuse_link = lambda name, folder, path: None


def links_are_looked_for_first() -> None:
    def change(self: Any, read_file: Any, path: str) -> str:
        from agentloop.tools import ToolRefused

        whole = os.path.join(self._folder, path)
        if os.path.realpath(whole) != whole:
            raise ToolRefused("a link")
        with open(whole) as file:
            return file.read()

    with_tool("read_file", change)


CALLS = "tools.calls"
WRITE = "tools.write_file"
READ = "tools.read_file"
LIST = "tools.list_dir"
SEARCH = "tools.search"
BASH = "tools.bash"
CONFINED = "tools.confined"

BREAKS = [
    Break(CALLS, "another status", f"{CALLS}/no call", ends_with_another_status),
    Break(CALLS, "no call is null", f"{CALLS}/no such call", what_is_no_call_is_null),
    Break(
        CALLS,
        "missing paths",
        f"{CALLS}/fields missing or of another type",
        missing_paths_are_the_workspace,
    ),
    Break(WRITE, "in place", f"{WRITE}/in place of another", written_in_place),
    Break(WRITE, "half a file is seen", f"{WRITE}/never half a file", written_in_place),
    Break(WRITE, "line ends of one kind", f"{WRITE}/any text", written_with_line_ends_of_one_kind),
    Break(WRITE, "folders are not made", f"{WRITE}/folders on the way", folders_are_not_made),
    Break(WRITE, "temporary names stay", f"{WRITE}/in place of another", temporary_names_stay),
    Break(WRITE, "temporary names are longer", f"{WRITE}/a name of 255 bytes", temporary_names_are_longer),
    Break(READ, "line ends of one kind", f"{READ}/any text", read_with_line_ends_of_one_kind),
    Break(READ, "1 MB", f"{READ}/5 MB", read_to_a_megabyte),
    Break(READ, "one U+FFFD for all", f"{READ}/no UTF-8", one_sign_for_all_that_is_no_utf_8),
    Break(READ, "named pipes", f"{READ}/no regular file", named_pipes_are_empty),
    Break(LIST, "as they come", f"{LIST}/in order", names_as_they_come),
    Break(LIST, "UTF-16", f"{LIST}/in order", names_in_the_order_of_utf_16),
    Break(LIST, "links to folders", f"{LIST}/in order", links_to_folders_are_folders),
    Break(LIST, "UTF-8 only", f"{LIST}/names that are not UTF-8", names_in_utf_8_only),
    Break(SEARCH, "lines of Python", f"{SEARCH}/lines", lines_end_as_python_likes),
    Break(SEARCH, "lines that are none", f"{SEARCH}/every line", lines_of_whoever),
    Break(SEARCH, "folder by folder", f"{SEARCH}/files in order", found_folder_by_folder),
    Break(SEARCH, "binary files", f"{SEARCH}/what is no text", binary_files_are_passed_over),
    Break(SEARCH, "links", f"{SEARCH}/links and what is no file", links_to_files_are_followed),
    Break(BASH, "another shell", f"{BASH}/exit codes and signals", by_another_shell),
    Break(BASH, "its own variables", f"{BASH}/environment, folder and stdin", with_variables_of_its_own),
    Break(BASH, "twice the output", f"{BASH}/much output", twice_the_output),
    Break(BASH, "the leader alone", f"{BASH}/timeout", the_leader_alone),
    Break(BASH, "children live on", f"{BASH}/children left behind", the_leader_alone),
    Break(CONFINED, "dots are resolved", f"{CONFINED}/absolute paths and ..", dots_are_resolved),
    Break(CONFINED, "links to folders", f"{CONFINED}/symbolic links", links_are_followed),
    Break(CONFINED, "links to files", f"{CONFINED}/symbolic links", links_to_files_are_followed),
    Break(CONFINED, "links are written over", f"{CONFINED}/symbolic links", links_are_written_over),
    Break(CONFINED, "looked for first", f"{CONFINED}/a link that comes and goes", links_are_looked_for_first),
]

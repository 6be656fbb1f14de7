"""Breaks of how the verifier's process is started, and of how it ends."""

import dataclasses
import os
import signal
from collections.abc import Callable
from typing import Any

from breaks.declare import Break


def spawned_by(change: Callable[[list[Any], dict[str, Any]], None]) -> None:
    """Change the arguments of posix_spawn: a list of program, argv and environment, and the others."""
    from agentloop import process

    posix_spawn = os.posix_spawn

    class System:
        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

        def posix_spawn(self, *arguments: Any, **options: Any) -> int:
            changed = list(arguments)
            change(changed, options)
            return posix_spawn(*changed, **options)

    process.os = System()  # type: ignore[assignment]


def words_of_a_shell() -> None:
    spawned_by(
        lambda arguments, options: arguments[1].__setitem__(slice(None), [w for w in arguments[1] if w])
    )


def the_programs_path_as_first_word() -> None:
    spawned_by(lambda arguments, options: arguments.__setitem__(1, [arguments[0], *arguments[1][1:]]))


def ones_own_path() -> None:
    from agentloop import verifier

    find_program = verifier.find_program
    verifier.find_program = lambda name, search_path: find_program(name, os.environ["PATH"])


def ones_own_variables() -> None:
    spawned_by(lambda arguments, options: arguments.__setitem__(2, {"HOME": "/", **arguments[2]}))


def a_path_where_there_is_none() -> None:
    spawned_by(lambda arguments, options: arguments.__setitem__(2, arguments[2] or {"PATH": "/bin"}))


def in_the_workspaces_folder() -> None:
    import contextlib

    from agentloop import process

    class Contexts:
        def __getattr__(self, name: str) -> Any:
            return getattr(contextlib, name)

        def chdir(self, folder: str) -> Any:
            return contextlib.chdir(os.path.dirname(folder))

    process.contextlib = Contexts()  # type: ignore[assignment]


def with_another_stdin() -> None:
    zero = (os.POSIX_SPAWN_OPEN, 0, "/dev/zero", os.O_RDONLY, 0)
    spawned_by(lambda arguments, options: options["file_actions"].__setitem__(0, zero))


def stderr_into_stdout() -> None:
    def change(arguments: list[Any], options: dict[str, Any]) -> None:
        options["file_actions"][2] = (os.POSIX_SPAWN_DUP2, 1, 2)

    spawned_by(change)


def descriptors_are_inherited() -> None:
    def change(arguments: list[Any], options: dict[str, Any]) -> None:
        for _, number, _ in options["file_actions"][1:]:
            os.set_inheritable(number, True)

    spawned_by(change)


def in_ones_own_group() -> None:
    spawned_by(lambda arguments, options: options.pop("setpgroup"))


def signals_as_they_are() -> None:
    spawned_by(lambda arguments, options: options.pop("setsigdef"))


def signals_blocked() -> None:
    spawned_by(lambda arguments, options: options.update(setsigmask=[signal.SIGTERM]))


def another_umask() -> None:
    spawned_by(lambda arguments, options: os.umask(0o077) and None)


def finished_as(change: Callable[[Any], Any]) -> None:
    """Change what is known of a process that has ended."""
    from agentloop import process

    finish = process.Child.finish

    async def changed(self: Any, timeout_s: float) -> Any:
        return change(await finish(self, timeout_s))

    process.Child.finish = changed  # type: ignore[method-assign]


def every_failure_is_1() -> None:
    finished_as(lambda finished: dataclasses.replace(finished, exit_code=finished.exit_code and 1))


def signals_as_shells_have_them() -> None:
    finished_as(
        lambda finished: dataclasses.replace(
            finished, exit_code=finished.exit_code if finished.signal is None else 128 + finished.signal
        )
    )


def over_when_the_outputs_are() -> None:
    from agentloop import process

    read = process._Output._read

    def changed(self: Any) -> int:
        length = read(self)
        if not length:
            with open(f"/proc/self/task/{os.getpid()}/children") as children:
                for pid in children.read().split():
                    os.kill(int(pid), signal.SIGKILL)
        return length

    process._Output._read = changed  # type: ignore[method-assign]


CHILD = "verify.child"


BREAKS = [
    Break(CHILD, "no empty words", f"{CHILD}/argv", words_of_a_shell),
    Break(CHILD, "another first word", f"{CHILD}/argv", the_programs_path_as_first_word),
    Break(CHILD, "its own PATH", f"{CHILD}/looked up in verify.env's PATH", ones_own_path),
    Break(CHILD, "its own variables", f"{CHILD}/environment", ones_own_variables),
    Break(CHILD, "a PATH where there is none", f"{CHILD}/no environment", a_path_where_there_is_none),
    Break(CHILD, "in the workspaces folder", f"{CHILD}/folder", in_the_workspaces_folder),
    Break(CHILD, "another stdin", f"{CHILD}/stdin", with_another_stdin),
    Break(CHILD, "stderr into stdout", f"{CHILD}/stdout and stderr", stderr_into_stdout),
    Break(CHILD, "descriptors inherited", f"{CHILD}/descriptors", descriptors_are_inherited),
    Break(CHILD, "in its own group", f"{CHILD}/process group", in_ones_own_group),
    Break(CHILD, "signals ignored", f"{CHILD}/signals", signals_as_they_are),
    Break(CHILD, "signals blocked", f"{CHILD}/signals", signals_blocked),
    Break(CHILD, "another umask", f"{CHILD}/umask", another_umask),
    Break(CHILD, "every failure is 1", f"{CHILD}/exit codes", every_failure_is_1),
    Break(CHILD, "signals are exit codes", f"{CHILD}/signals that end it", signals_as_shells_have_them),
    Break(
        CHILD,
        "over with its outputs",
        f"{CHILD}/waited for though it has closed its outputs",
        over_when_the_outputs_are,
    ),
]

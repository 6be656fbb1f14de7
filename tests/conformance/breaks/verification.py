"""Breaks of the verifier's process, of what is read from it, and of what is made of that."""

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


def all_output_is_kept() -> None:
    from agentloop import process

    init = process._Output.__init__
    process._Output.__init__ = (  # type: ignore[method-assign]
        lambda self, limit_bytes: init(self, 2**40)
    )


def the_beginning_is_kept() -> None:
    from agentloop import process

    def read(self: Any) -> int:
        piece = os.read(self._read_end, 65536)
        if not piece:
            process.asyncio.get_running_loop().remove_reader(self._read_end)
        self._kept += piece[: self._limit_bytes - len(self._kept)]
        return len(piece)

    process._Output._read = read  # type: ignore[method-assign]


def the_end_is_not_read() -> None:
    """Looks at a pipe only when its child has ended, and then once."""
    from agentloop import process

    def close(self: Any) -> None:
        self._kept += os.read(self._read_end, 4096)
        os.close(self._read_end)

    process._Output.watch = lambda self: os.close(self.write_end)  # type: ignore[method-assign]
    process._Output.close = close  # type: ignore[method-assign]


def what_is_no_utf_8_is_left_out() -> None:
    from agentloop import agent

    normalise = agent.normalise
    agent.normalise = lambda stdout, stderr, workspace: normalise(
        stdout.decode(errors="ignore").encode(), stderr.decode(errors="ignore").encode(), workspace
    )


def one_more_byte() -> None:
    from agentloop import process

    init = process._Output.__init__
    process._Output.__init__ = (  # type: ignore[method-assign]
        lambda self, limit_bytes: init(self, limit_bytes + 1)
    )


def killed_by(kill: Callable[[Any], None]) -> None:
    """Kill a child's group in another way."""
    from agentloop import process

    process.Child._kill = kill  # type: ignore[method-assign]


def asked_to_end() -> None:
    def kill(self: Any) -> None:
        os.killpg(self._pid, signal.SIGTERM)

    killed_by(kill)


def the_leader_alone() -> None:
    def kill(self: Any) -> None:
        signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    killed_by(kill)


def only_at_the_timeout() -> None:
    from agentloop import process

    kill = process.Child._kill

    def changed(self: Any) -> None:
        if os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            kill(self)

    killed_by(changed)


def whole_seconds() -> None:
    from agentloop import process

    finish = process.Child.finish
    process.Child.finish = (  # type: ignore[method-assign]
        lambda self, timeout_s: finish(self, int(timeout_s))
    )


def half_the_time() -> None:
    from agentloop import process

    finish = process.Child.finish
    process.Child.finish = (  # type: ignore[method-assign]
        lambda self, timeout_s: finish(self, timeout_s / 2)
    )


def judged_by(judge: Callable[[int | None, bool, bytes], str]) -> None:
    """Judge attempts in another way."""
    from agentloop import agent

    agent.judge = judge


def a_summary_is_enough() -> None:
    from agentloop import agent

    judge = agent.judge
    judged_by(lambda exit_code, timed_out, stdout: judge(0, False, stdout))


def an_exit_code_is_enough() -> None:
    judged_by(lambda exit_code, timed_out, stdout: "passed" if exit_code == 0 else "failed")


def stderr_counts() -> None:
    finished_as(lambda finished: dataclasses.replace(finished, stdout=finished.stdout + finished.stderr))


def until_the_pipes_are_closed() -> None:
    from agentloop import process

    def close(self: Any) -> None:
        os.set_blocking(self._read_end, True)
        while self._read():
            pass
        os.close(self._read_end)

    process._Output.close = close  # type: ignore[method-assign]


CHILD = "verify.child"
OUTPUT = "verify.output"
TIMEOUT = "verify.timeout"
GROUP = "verify.group"
VERDICT = "verify.verdict"

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
    Break(OUTPUT, "all is kept", f"{OUTPUT}/100 MB on stderr", all_output_is_kept),
    Break(OUTPUT, "the beginning is kept", f"{OUTPUT}/the end is kept", the_beginning_is_kept),
    Break(OUTPUT, "one byte more", f"{OUTPUT}/limit of 1 byte", one_more_byte),
    Break(OUTPUT, "no U+FFFD", f"{OUTPUT}/no UTF-8", what_is_no_utf_8_is_left_out),
    Break(OUTPUT, "the end is lost", f"{OUTPUT}/what the pipes hold at the end", the_end_is_not_read),
    Break(TIMEOUT, "asked to end", f"{TIMEOUT}/endless loop", asked_to_end),
    Break(TIMEOUT, "the leader alone", f"{TIMEOUT}/a child of a child that has ended", the_leader_alone),
    Break(TIMEOUT, "whole seconds", f"{TIMEOUT}/not reached", whole_seconds),
    Break(TIMEOUT, "half the time", f"{TIMEOUT}/endless loop", half_the_time),
    Break(TIMEOUT, "judged all the same", f"{TIMEOUT}/output until then is not a pass", a_summary_is_enough),
    Break(GROUP, "at the timeout only", f"{GROUP}/a child", only_at_the_timeout),
    Break(GROUP, "asked to end", f"{GROUP}/a child that ignores signals", asked_to_end),
    Break(
        "verify.descendants", "waited for", "verify.descendants/one that sleeps", until_the_pipes_are_closed
    ),
    Break(VERDICT, "by exit code", f"{VERDICT}/exit code 0 and no summary", an_exit_code_is_enough),
    Break(VERDICT, "by exit code, pytest", f"{VERDICT}/pytest: os._exit(0)", an_exit_code_is_enough),
    Break(VERDICT, "by summary", f"{VERDICT}/a pass and another exit code", a_summary_is_enough),
    Break(VERDICT, "stderr counts", f"{VERDICT}/a summary on stderr", stderr_counts),
]

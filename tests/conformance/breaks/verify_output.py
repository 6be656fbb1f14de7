"""Breaks of what is kept of the verifier, of when it is stopped, and of what it proves."""

import dataclasses
import os
import signal
from collections.abc import Callable
from typing import Any

from breaks.declare import Break
from breaks.verify_child import finished_as


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


OUTPUT = "verify.output"
TIMEOUT = "verify.timeout"
GROUP = "verify.group"
VERDICT = "verify.verdict"


BREAKS = [
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

"""Verification: the verifier's process, what it is given, and its end."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from agentdyno.conformance.assertions import PASSED, noted, noting, same
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import Stage

PATH = "/usr/local/bin:/usr/bin:/bin"
PYTHON = [sys.executable, "-I", "-S", "-B"]
MIB = 2**20

C_LIBRARYS_OWN = 1 << 31 | 1 << 32
"""Signals 32 and 33, in a mask: glibc's posix_spawn(3) leaves them ignored, whatever it is told."""


async def inspected(stage: Stage, body: str, **verify: object) -> Any:
    """What a verifier's own process notes as `found`, with fields of the run file's `verify`."""
    argv = [*PYTHON, "-c", noting(stage, f"{body}\n{PASSED}")]
    observed = await stage.run(verify={"argv": argv, **verify})
    found = noted(stage, "found")
    require(
        observed.outcome().outcome == "passed",
        f"outcome {observed.outcome().outcome}: {observed.outcome().reason}",
    )
    return found


@case("verify.child", "argv")
async def argv(stage: Stage) -> str:
    body = "note('found', open('/proc/self/cmdline').read().split('\\0')[:-1])"
    program = Path(sys.executable)
    words = ["", "a b", "*", "$HOME", "'\"\\", "new\nline", "ü\U0001f600", "--", "-x", "~"]
    argv = [program.name, *PYTHON[1:], "-c", noting(stage, f"{body}\n{PASSED}"), *words]
    observed = await stage.run(verify={"argv": argv, "env": {"PATH": str(program.parent), "LANG": "C.UTF-8"}})
    same(noted(stage, "found"), argv)
    same(observed.outcome().outcome, "passed")
    return f"{len(argv)} words, as they are"


@case("verify.child", "looked up in verify.env's PATH")
async def looked_up(stage: Stage) -> str:
    """Not in the runtime's own PATH, and past what cannot be executed."""
    folders = [stage.folder / name for name in ("runtimes", "not-executable", "a-folder", "right", "later")]
    for folder in folders:
        folder.mkdir()
        program = folder / "check"
        if folder.name == "a-folder":
            program.mkdir()
            continue
        says = "1 passed" if folder.name == "right" else "1 failed"
        program.write_text(f"#!/bin/sh\necho '{says} in 0.00s ({folder.name})'\n")
        program.chmod(0o644 if folder.name == "not-executable" else 0o755)
    path = ":".join(str(folder) for folder in folders[1:])
    observed = await stage.run(
        max_retries=0,
        verify={"argv": ["check"], "env": {"PATH": path}},
        through=["env", f"PATH={folders[0]}:{os.environ['PATH']}"],
    )
    verdict, reason = observed.attempt().verdict, observed.attempt().reason
    require(verdict == "passed", f"verdict {verdict}, expected passed; {reason}")
    return "the first that can be executed, on verify.env's PATH"


@case("verify.child", "environment")
async def environment(stage: Stage) -> str:
    body = "note('found', open('/proc/self/environ', 'rb').read().decode().split('\\0')[:-1])"
    env = {"PATH": PATH, "EMPTY": "", "A": "b=c", "LINES": "one\ntwo\n", "ü": "\U0001f600", "a b": " x "}
    found = await inspected(stage, body, env=env)
    same(sorted(found), sorted(f"{name}={value}" for name, value in env.items()))
    return f"{len(env)} variables, and no other"


@case("verify.child", "no environment")
async def no_environment(stage: Stage) -> str:
    found = await inspected(stage, "note('found', open('/proc/self/environ').read())", env={})
    same(found, "")
    return "none"


@case("verify.child", "folder")
async def folder(stage: Stage) -> str:
    found = await inspected(stage, "note('found', [os.getcwd(), sorted(os.listdir())])")
    here, names = found
    workspaces = f"{stage.folder}/run-1/workspaces/"
    require(here.startswith(workspaces), f"started in {here}, which is not below {workspaces}")
    same(names, ["solution.py", "test_solution.py"])
    return "the workspace"


@case("verify.child", "stdin")
async def stdin(stage: Stage) -> str:
    found = await inspected(stage, "note('found', [os.readlink('/proc/self/fd/0'), os.read(0, 1).decode()])")
    same(found, ["/dev/null", ""])
    return "/dev/null"


@case("verify.child", "stdout and stderr")
async def stdout_and_stderr(stage: Stage) -> str:
    found = await inspected(stage, "note('found', [os.readlink(f'/proc/self/fd/{fd}') for fd in (1, 2)])")
    require(found[0] != found[1], f"both are {found[0]}")
    return "apart"


@case("verify.child", "descriptors")
async def descriptors(stage: Stage) -> str:
    """Eight at a time, so that one child could inherit what is meant for another; the runtime itself has
    inherited one.
    """
    body = """
found = {}
for number in os.listdir("/proc/self/fd"):
    try:
        found[number] = os.readlink("/proc/self/fd/" + number)
    except FileNotFoundError:
        pass
note(f"found-{os.getpid()}", {number: path for number, path in found.items() if int(number) > 2})
"""
    tasks = [f"task/{number}" for number in range(24)]
    observed = await stage.run(
        tasks=tasks,
        agents=8,
        verify={"argv": [*PYTHON, "-c", noting(stage, body + PASSED)], "slots": 8},
        through=["sh", "-c", 'exec "$@" 9</dev/zero', "sh"],
    )
    found = [noted(stage, path.name) for path in stage.notes.iterdir()]
    require(bool(found), f"no verifier ran; {observed.ending}")
    too_many = [f"{number} -> {path}" for more in found for number, path in more.items()]
    require(not too_many, f"{len(too_many)} descriptors that are not 0, 1, 2, for instance {too_many[:3]}")
    return f"0, 1, 2 and no other, in {len(found)} children"


@case("verify.child", "process group")
async def process_group(stage: Stage) -> str:
    pid, group, runtimes = await inspected(
        stage, "note('found', [os.getpid(), os.getpgrp(), os.getpgid(os.getppid())])"
    )
    require(group != runtimes, "in the runtime's own process group")
    require(group == pid, f"process {pid} in group {group}, which it does not lead")
    return "the leader of its own"


@case("verify.child", "signals")
async def signals(stage: Stage) -> str:
    """Interpreters and shells have their own ways with them, so it is a plain program that looks."""
    copy = stage.folder / "status"
    observed = await stage.run(max_retries=0, verify={"argv": ["cp", "/proc/self/status", str(copy)]})
    require(copy.exists(), f"no verifier ran; {observed.outcome().reason}")
    status = dict(line.split(":\t", 1) for line in copy.read_text().splitlines())
    blocked, ignored = (int(status[name], 16) & ~C_LIBRARYS_OWN for name in ("SigBlk", "SigIgn"))
    require(blocked == 0, f"blocked signals: mask {blocked:#x}, expected none")
    require(ignored == 0, f"ignored signals: mask {ignored:#x}, expected none")
    return "none blocked, none ignored"


@case("verify.child", "umask")
async def umask(stage: Stage) -> str:
    """Nothing is said of it, so it is the caller's."""
    ours = os.umask(0o077)
    try:
        os.umask(0o027)
        found = await inspected(stage, "mask = os.umask(0)\nnote('found', mask)")
    finally:
        os.umask(ours)
    require(found == 0o027, f"umask {found:o}, expected 27 as the runtime got it")
    return "as the runtime got it"


@case("verify.child", "exit codes")
async def exit_codes(stage: Stage) -> str:
    codes = (1, 3, 127, 137, 255)

    async def answer(exchange: Exchange) -> None:
        code = codes[exchange.request.attempt - 1]
        await exchange.code(f"print('1 failed in 0.00s')\nraise SystemExit({code})\n")

    observed = await stage.run(answer, max_retries=len(codes) - 1)
    same(
        [(attempt.exit_code, attempt.signal) for attempt in observed.attempts()],
        [(code, None) for code in codes],
    )
    return f"exit codes {', '.join(map(str, codes))} in the events"


@case("verify.child", "signals that end it")
async def ending_signals(stage: Stage) -> str:
    # Standard signals only: of the real-time ones Node.js tells no number.
    numbers = (signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1, signal.SIGPIPE, signal.SIGALRM)

    async def answer(exchange: Exchange) -> None:
        number = int(numbers[exchange.request.attempt - 1])
        await exchange.code(
            f"import os, signal\nprint('1 failed in 0.00s', flush=True)\n"
            f"{'' if number == signal.SIGKILL else f'signal.signal({number}, signal.SIG_DFL)'}\n"
            f"os.kill(os.getpid(), {number})\n"
        )

    observed = await stage.run(answer, max_retries=len(numbers) - 1)
    found = [(attempt.exit_code, attempt.signal, attempt.timed_out) for attempt in observed.attempts()]
    same(found, [(None, int(number), False) for number in numbers])
    return f"signals {', '.join(str(int(number)) for number in numbers)} in the events"


@case("verify.child", "waited for though it has closed its outputs")
async def closed_outputs(stage: Stage) -> str:
    code = """
import os, time
print("1 passed in 0.00s", flush=True)
os.close(1)
os.close(2)
time.sleep(0.3)
os._exit(5)
"""

    async def answer(exchange: Exchange) -> None:
        await exchange.code(code)

    attempt = (await stage.run(answer, max_retries=0)).attempt()
    require(attempt.exit_code == 5, f"exit code {attempt.exit_code}, signal {attempt.signal}, expected 5")
    return "exit code 5, after both pipes were closed"

"""Verification: the verifier's process, what it prints, what it leaves behind, and what it proves."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from agentdyno.conformance.assertions import EARLY_S
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.notes import is_alive, is_noted, noted, noting, still_alive, tell
from agentdyno.conformance.observation import Observation
from agentdyno.conformance.stage import FAILING, PASSING, PROMPTS, Stage, task
from agentdyno.conformance.violation import NotPossible, require
from agentdyno.errors import UserError
from agentdyno.rundata.events import Attempt
from agentdyno.verifiers import cold

PATH = "/usr/local/bin:/usr/bin:/bin"
PYTHON = [sys.executable, "-I", "-S", "-B"]
MIB = 2**20

FLAT_KIB = 64 * 1024
"""How much more memory a run may take for output that it is not to keep, whatever collects its garbage."""

PATIENCE_S = 60.0
"""How long the verifier may take where much output has to be read by a slow runtime."""

TIMEOUTS_S = (1.0, 5.0)
"""The timeout of code that is to be stopped; the second where the first is over before the code has begun, on
a machine with other work.
"""

LATE_S = 10.0
"""How late after its timeout a verifier may be gone, on a machine with other work."""

C_LIBRARYS_OWN = 1 << 31 | 1 << 32
"""Signals 32 and 33, in a mask: glibc's posix_spawn(3) leaves them ignored, whatever it is told."""

PASSED = "print('1 passed in 0.00s', flush=True)\n"


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


def same(found: object, expected: object) -> None:
    """Require that two things are equal."""
    require(found == expected, f"{found!r}, expected {expected!r}")


# verify.child


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


# verify.output


async def with_output(stage: Stage, body: str, verdict: str = "passed", **verify: object) -> Observation:
    """Play one attempt with code that prints, and require its verdict."""

    async def answer(exchange: Exchange) -> None:
        await exchange.code(f"import os, sys, threading\n{body}\n")

    verify = {"timeout_s": PATIENCE_S, **verify}
    observed = await stage.run(answer, max_retries=0, verify=verify, within_s=2 * PATIENCE_S)
    found = observed.attempt()
    require(found.verdict == verdict, f"verdict {found.verdict}, expected {verdict}; {found.reason}")
    return observed


async def flat(stage: Stage, body: str, said: str, verdict: str = "passed", **verify: object) -> str:
    """Require that output which is not kept takes no memory."""
    without = (await with_output(stage, PASSED)).peak_kib
    peak = (await with_output(stage, body, verdict, **verify)).peak_kib
    require(
        peak - without <= FLAT_KIB,
        f"{peak - without} KiB more for {said}, expected {FLAT_KIB} at most",
    )
    return f"{said} took {max(0, peak - without)} KiB"


@case("verify.output", "200 MB on stdout")
async def much_stdout(stage: Stage) -> str:
    body = f"block = b'x' * 65535 + b'\\n'\nfor _ in range(3200): os.write(1, block)\n{PASSED}"
    return await flat(stage, body, "200 MB on stdout")


@case("verify.output", "100 MB on stderr")
async def much_stderr(stage: Stage) -> str:
    body = f"block = b'x' * 65535 + b'\\n'\nfor _ in range(1600): os.write(2, block)\n{PASSED}"
    return await flat(stage, body, "100 MB on stderr")


@case("verify.output", "without end")
async def endless_output(stage: Stage) -> str:
    body = "block = b'x' * 65536\nwhile True: os.write(1, block)"
    return await flat(stage, body, "1 s of output without end", "timed_out", timeout_s=1)


@case("verify.output", "both by turns, more than pipes hold")
async def both_outputs(stage: Stage) -> str:
    body = f"for _ in range(8):\n    for fd in (1, 2): os.write(fd, b'x' * 2**20)\nprint()\n{PASSED}"
    await with_output(stage, body)
    return "8 MiB each, by turns"


@case("verify.output", "both at the same time")
async def both_outputs_at_once(stage: Stage) -> str:
    body = f"""
def write(fd):
    for _ in range(64):
        os.write(fd, b'x' * 2**17)
threads = [threading.Thread(target=write, args=(fd,)) for fd in (1, 2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print()
{PASSED}"""
    await with_output(stage, body)
    return "8 MiB each, at the same time"


async def feedback(stage: Stage, body: str, **verify: object) -> str:
    """The text that a failed attempt's output comes to, as the second request has it."""

    async def answer(exchange: Exchange) -> None:
        await exchange.code(f"import os, sys\n{body}\n" if exchange.request.attempt == 1 else PASSING)

    observed = await stage.run(answer, max_retries=1, verify=verify)
    require(
        len(observed.requests) == 2,
        f"{len(observed.requests)} requests, expected 2; {observed.outcome().reason}",
    )
    before, after = str(PROMPTS["tests_failed"]).split("{output}")
    text = observed.requests[1].messages[-1]["content"]
    require(text.startswith(before) and text.endswith(after), f"the last message is {text[:200]!r}")
    return text.removeprefix(before).removesuffix(after)


@case("verify.output", "the end is kept")
async def the_end_is_kept(stage: Stage) -> str:
    body = """
for fd, mark in ((1, "o"), (2, "e")):
    os.write(fd, "".join(f"{mark}{number:06d}\\n" for number in range(20000)).encode())
"""
    found = await feedback(stage, body, output_limit_bytes=1001)
    ends = ["".join(f"{mark}{number:06d}\n" for number in range(20000))[-1001:] for mark in "oe"]
    expected = "\n".join(ends).rstrip()
    require(
        found == expected,
        f"{len(found)} characters, {found[:20]!r} to {found[-20:]!r}; expected {len(expected)}, "
        f"{expected[:20]!r} to {expected[-20:]!r}",
    )
    return "the last 1,001 of 160,000 bytes, of each"


@case("verify.output", "cut within a character")
async def cut_within_a_character(stage: Stage) -> str:
    found = await feedback(stage, "os.write(1, 'a漢b'.encode())", output_limit_bytes=3)
    same(found, "\ufffd\ufffdb")
    return "a U+FFFD for each of two bytes that lack the one before"


@case("verify.output", "limit of 1 byte")
async def limit_of_one_byte(stage: Stage) -> str:
    found = await feedback(stage, "print('1 passed in 0.00s', end='!')", output_limit_bytes=1)
    same(found, "!")
    return "the last byte, and no summary in it"


@case("verify.output", "no UTF-8")
async def no_utf_8(stage: Stage) -> str:
    found = await feedback(stage, "os.write(1, b'\\xff\\xc3(\\xed\\xa0\\x80'); os.write(2, b'\\0\\xf0\\x9f')")
    same(found, "\ufffd\ufffd(\ufffd\ufffd\ufffd\n\0\ufffd")
    return "U+FFFD for what is not"


@case("verify.output", "what the pipes hold at the end")
async def what_the_pipes_hold(stage: Stage) -> str:
    """Whoever looks at the pipes only after the end has them full; the summary is at one end or the other."""
    much, summary = "b'x\\n' * 30000", "b'1 passed in 0.00s\\n'"
    for said in (f"{summary} + {much}", f"{much} + {summary}") * 3:
        await with_output(stage, f"os.write(2, b'e' * 60000); os.write(1, {said}); os._exit(0)")
    return "60,000 bytes of each, 6 times"


# verify.timeout


async def stopped(stage: Stage, body: str) -> str:
    """Require that code is stopped at its timeout, with all processes that it noted as `pids`."""
    first = noting(stage, f"{body}\nwhile True:\n    time.sleep(1)\n")
    left: list[list[int]] = []

    async def answer(exchange: Exchange) -> None:
        if exchange.request.attempt == 1:
            await exchange.code(first)
        else:
            left.append(await still_alive(noted(stage, "pids") if is_noted(stage, "pids") else []))
            await exchange.code(PASSING)

    for timeout_s in TIMEOUTS_S:
        left.clear()
        verify = {"timeout_s": timeout_s}
        observed = await stage.run(answer, max_retries=1, verify=verify, within_s=timeout_s + PATIENCE_S / 2)
        if is_noted(stage, "pids"):
            break
    count = len(noted(stage, "pids"))
    attempt = observed.attempt()
    same((attempt.verdict, attempt.timed_out), ("timed_out", True))
    same((attempt.exit_code, attempt.signal), (None, int(signal.SIGKILL)))
    require(bool(left), f"no second request; {observed.outcome().reason}")
    require(not left[0], f"{len(left[0])} of {count} processes are still alive")
    last = observed.requests[1].messages[-1]["content"]
    require(last == PROMPTS["timed_out"], f"the next message is {last[:80]!r}")
    assert observed.requests[0].t_answer is not None
    took_s = (observed.requests[1].t - observed.requests[0].t_answer) / 1e9
    require(took_s >= timeout_s - EARLY_S, f"stopped after {took_s:.3f} s, expected {timeout_s:g} s")
    require(took_s <= timeout_s + LATE_S, f"stopped after {took_s:.1f} s, expected {timeout_s:g} s")
    return f"{count} processes killed after {timeout_s:g} s" if count > 1 else f"killed after {timeout_s:g} s"


def stops(name: str, body: str) -> None:
    """Enter a case in which this is stopped."""

    @case("verify.timeout", name)
    async def play(stage: Stage) -> str:
        return await stopped(stage, body)


stops("endless loop", "note('pids', [os.getpid()])\nwhile True: pass")
stops(
    "every signal ignored",
    """
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, 32, 33}:
    signal.signal(number, signal.SIG_IGN)
note("pids", [os.getpid()])
""",
)
stops("stopped itself", "note('pids', [os.getpid()])\nos.kill(os.getpid(), signal.SIGSTOP)")
stops(
    "outputs closed",
    "note('pids', [os.getpid()])\nos.close(1)\nos.close(2)",
)
stops(
    "left its group",
    """
note("pids", [os.getpid()])
try:
    os.setpgid(0, os.getpgid(os.getppid()))
except PermissionError:
    pass  # the leader of a session cannot leave its group
""",
)
stops(
    "200 children",
    """
children = []
for _ in range(200):
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.pause()
        os._exit(0)
    children.append(child)
note("pids", [os.getpid(), *children])
""",
)
stops(
    "a child of a child that has ended",
    """
if os.fork() == 0:
    if os.fork() == 0:
        note("grandchild", os.getpid())
        while True:
            signal.pause()
    os._exit(0)
os.wait()
wait_for("grandchild")
note("pids", [os.getpid(), json.load(open(os.path.join(NOTES, "grandchild")))])
""",
)


@case("verify.timeout", "output until then is not a pass")
async def output_until_then(stage: Stage) -> str:
    return await stopped(stage, f"{PASSED}note('pids', [os.getpid()])")


@case("verify.timeout", "not reached")
async def not_reached(stage: Stage) -> str:
    """The code ends after the whole seconds of the timeout, and well before the rest."""
    for timeout_s in (1.9, 4.9):
        code = f"""
import time
ticks = int(open("/proc/self/stat").read().rpartition(")")[2].split()[19])
since_spawn_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / {os.sysconf("SC_CLK_TCK")}
time.sleep(max(0, {int(timeout_s) + 0.2} - since_spawn_s))
{PASSING}"""

        async def answer(exchange: Exchange, code: str = code) -> None:
            await exchange.code(code)

        observed = await stage.run(answer, max_retries=0, verify={"timeout_s": timeout_s})
        if not observed.attempt().timed_out:
            break
    attempt = observed.attempt()
    same((attempt.verdict, attempt.timed_out, attempt.exit_code), ("passed", False, 0))
    return f"{int(timeout_s) + 0.2} s of {timeout_s} s, and not stopped"


# verify.group


async def killed_with_the_leader(stage: Stage, body: str) -> Observation:
    """Require that processes that are noted as `pids` are dead soon after their leader has ended."""
    left: list[list[int]] = []
    first = noting(stage, f"print('1 failed in 0.00s', flush=True)\n{body}\nos._exit(1)\n")

    async def answer(exchange: Exchange) -> None:
        if exchange.request.attempt == 1:
            await exchange.code(first)
        else:
            left.append(await still_alive(noted(stage, "pids")))
            await exchange.code(PASSING)

    observed = await stage.run(answer, max_retries=1, verify={"timeout_s": 20}, within_s=25)
    attempt = observed.attempt()
    same((attempt.verdict, attempt.timed_out), ("failed", False))
    require(bool(left), f"no second request; {observed.outcome().reason}")
    require(not left[0], f"{len(left[0])} of {len(noted(stage, 'pids'))} processes are still alive")
    return observed


GROUPS = {
    "a child": """
child = os.fork()
if child == 0:
    while True:
        time.sleep(1)
note("pids", [child])
""",
    "a child that closes its outputs": """
child = os.fork()
if child == 0:
    os.close(1)
    os.close(2)
    note("closed", True)
    while True:
        time.sleep(1)
wait_for("closed")
note("pids", [child])
""",
    "a child of a child that has ended": """
if os.fork() == 0:
    if os.fork() == 0:
        note("pids", [os.getpid()])
        while True:
            time.sleep(1)
    os._exit(0)
os.wait()
wait_for("pids")
""",
    "a child that ignores signals": """
child = os.fork()
if child == 0:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    note("ignoring", True)
    while True:
        time.sleep(1)
wait_for("ignoring")
note("pids", [child])
""",
    "a child that is stopped": """
child = os.fork()
if child == 0:
    while True:
        os.kill(os.getpid(), signal.SIGSTOP)
os.waitid(os.P_PID, child, os.WSTOPPED)
note("pids", [child])
""",
    "50 children that write": """
children = []
for _ in range(50):
    child = os.fork()
    if child == 0:
        while True:
            os.write(2, b"x" * 1000)
    children.append(child)
note("pids", children)
""",
}
"""What a leader leaves in its group."""


def _enter_group(name: str, body: str) -> None:
    @case("verify.group", name)
    async def killed(stage: Stage) -> str:
        await killed_with_the_leader(stage, body)
        return "killed when its leader had ended"


for _name, _body in GROUPS.items():
    _enter_group(_name, _body)


@case("verify.group", "a leader that a signal ends")
async def leader_ended_by_a_signal(stage: Stage) -> str:
    observed = await killed_with_the_leader(
        stage, f"{GROUPS['a child']}\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    same((observed.attempt().exit_code, observed.attempt().signal), (None, int(signal.SIGKILL)))
    return "signal 9, and its child killed"


# verify.descendants


AWAY = """
begun, begin = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        note("away", os.getpid())
        os.write(begin, b"x")
        end = time.monotonic() + 8
        while time.monotonic() < end and not os.path.exists(os.path.join(NOTES, "enough")):
            {does}
        os._exit(0)
    os._exit(0)
os.wait()
os.read(begun, 1)
"""
"""Starts a process in a session of its own that does something for a while and holds both pipes."""


async def not_waited_for(
    stage: Stage, does: str, ends: str = "os._exit(1)", *, timeout_s: float = 12, verdict: str = "failed"
) -> None:
    """Require that an attempt is over although a descendant that nobody can reach goes on."""
    first = noting(stage, f"{AWAY.format(does=does)}\nprint('1 failed in 0.00s', flush=True)\n{ends}\n")
    alive: list[bool] = []

    async def answer(exchange: Exchange) -> None:
        if exchange.request.attempt == 1:
            await exchange.code(first)
        else:
            alive.append(is_alive(noted(stage, "away")))
            tell(stage, "enough")
            await exchange.code(PASSING)

    observed = await stage.run(answer, max_retries=1, verify={"timeout_s": timeout_s}, escapes=True)
    with contextlib.suppress(ProcessLookupError):  # one that waits for a pipe has not seen that it is enough
        os.kill(noted(stage, "away"), signal.SIGKILL)
    same((observed.attempt().verdict, observed.attempt().timed_out), (verdict, verdict == "timed_out"))
    require(alive == [True], "the attempt was over only when the descendant had ended")


@case("verify.descendants", "one that sleeps")
async def one_that_sleeps(stage: Stage) -> str:
    await not_waited_for(stage, "time.sleep(0.01)")
    return "it held both pipes, and the attempt was over"


@case("verify.descendants", "one that writes without end")
async def one_that_writes(stage: Stage) -> str:
    """Written to stderr, so that the summary stays the end of stdout."""
    first = noting(stage, f"{AWAY.format(does='os.write(2, bytes(65536))')}\n{PASSED}os._exit(0)\n")

    async def answer(exchange: Exchange) -> None:
        await exchange.code(first)

    started = time.monotonic()
    observed = await stage.run(answer, max_retries=0, verify={"timeout_s": 12}, escapes=True)
    took_s = time.monotonic() - started
    tell(stage, "enough")
    attempt = observed.attempt()
    same((attempt.verdict, attempt.timed_out), ("passed", False))
    require(took_s < 12, f"the run took {took_s:.1f} s, as long as the descendant went on writing")
    return f"over after {took_s:.1f} s while it went on"


@case("verify.descendants", "one that lives on without the pipes")
async def one_without_pipes(stage: Stage) -> str:
    closes = "time.sleep(0.01) if 'closed' in globals() else (os.close(1), os.close(2), note('closed', 1), "
    await not_waited_for(stage, closes + "globals().update(closed=True))", "wait_for('closed')\nos._exit(1)")
    return "it had closed both pipes, and the attempt was over"


@case("verify.descendants", "a stopped leader's")
async def a_stopped_leaders(stage: Stage) -> str:
    """The leader is killed at its timeout; who holds its pipes is not waited for then either."""
    endless = "while True:\n    time.sleep(1)"
    await not_waited_for(stage, "time.sleep(0.01)", endless, timeout_s=1, verdict="timed_out")
    return "killed at the timeout, and the descendant not waited for"


# verify.verdict


async def judged(stage: Stage, code: str, verdict: str, **verify: object) -> Attempt:
    """Require the verdict of one attempt."""

    async def answer(exchange: Exchange) -> None:
        await exchange.code(code)

    tests = "from solution import *\n\n\ndef test():\n    assert f() == 1\n"
    observed = await stage.run(
        answer,
        tasks=[task("task/1", tests=tests)],
        max_retries=0,
        verify={"timeout_s": PATIENCE_S, **verify},
        within_s=2 * PATIENCE_S,
    )
    attempt = observed.attempt()
    how = f"exit code {attempt.exit_code}, signal {attempt.signal}"
    require(attempt.verdict == verdict, f"verdict {attempt.verdict}, expected {verdict}; {how}")
    outcome = "passed" if verdict == "passed" else "failed"
    require(
        observed.outcome().outcome == outcome, f"outcome {observed.outcome().outcome}, expected {outcome}"
    )
    return attempt


async def under_pytest(stage: Stage, code: str, verdict: str) -> Attempt:
    """The same, with the verifier that benchmarks use."""
    try:
        verifier = cold()
    except UserError as refusal:
        raise NotPossible(str(refusal)) from None
    return await judged(stage, code, verdict, argv=list(verifier.argv), env=dict(verifier.environment))


def proves(name: str, code: str, verdict: str) -> None:
    """Enter a case in which code run by itself gets this verdict."""

    @case("verify.verdict", name)
    async def play(stage: Stage) -> str:
        attempt = await judged(stage, code, verdict)
        how = f"exit code {attempt.exit_code}" if attempt.signal is None else f"signal {attempt.signal}"
        return f"{how}: {verdict}"


def proves_under_pytest(name: str, code: str, verdict: str) -> None:
    """Enter a case in which code tested by pytest gets this verdict."""

    @case("verify.verdict", f"pytest: {name}")
    async def play(stage: Stage) -> str:
        attempt = await under_pytest(stage, code, verdict)
        return f"exit code {attempt.exit_code}: {verdict}"


proves("exit code 0 and no summary", "pass\n", "no_summary")
proves("a summary on stderr", "import sys\nprint('1 passed in 0.00s', file=sys.stderr)\n", "no_summary")
proves("a pass and another exit code", "print('1 passed in 0.00s')\nraise SystemExit(3)\n", "failed")
proves(
    "a pass and a signal",
    "import os\nprint('1 passed in 0.00s', flush=True)\nos.kill(os.getpid(), 9)\n",
    "failed",
)
proves("a failure and exit code 0", FAILING.replace("SystemExit(1)", "SystemExit(0)"), "failed")
proves("a skip and exit code 0", "print('1 passed, 1 skipped in 0.00s')\n", "unproven")
# The rules of the verdict know only what is printed; that code can lie to them is the same for all.
proves("a summary that the code itself prints", "print('9 passed in 0.01s')\n", "passed")

proves_under_pytest("passes", "def f():\n    return 1\n", "passed")
proves_under_pytest("fails", "def f():\n    return 2\n", "failed")
proves_under_pytest("cannot be imported", "def f(:\n", "failed")
proves_under_pytest("os._exit(0)", "import os\nos._exit(0)\n", "no_summary")
proves_under_pytest(
    "os._exit(0) after a summary",
    "import os\nprint('1 passed in 0.01s', flush=True)\nos._exit(0)\n",
    "no_summary",
)
proves_under_pytest(
    "skips its module",
    "import pytest\npytest.skip('not today', allow_module_level=True)\n",
    "unproven",
)

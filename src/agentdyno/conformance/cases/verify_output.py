"""Verification: what the verifier prints, and how much of it is kept."""

from agentdyno.conformance.assertions import PASSED, same
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.invariants import Observation
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import PASSING, PROMPTS, Stage

FLAT_KIB = 64 * 1024
"""How much more memory a run may take for output that it is not to keep, whatever collects its garbage."""

PATIENCE_S = 60.0
"""How long the verifier may take where much output has to be read by a slow runtime."""


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

"""Files: the folder is gone when the attempt ends."""

import os

from agentdyno.conformance.assertions import noted, noting
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import PASSING, Stage


def in_its_place(folder: str) -> list[str]:
    """What is found where an attempt's folder was, in a list of one line, or nothing."""
    if not os.path.lexists(folder):
        return []
    holds = f"that holds {sorted(os.listdir(folder))[:3]}" if os.path.isdir(folder) else "that is no folder"
    return [f"the next request came while there was {os.path.basename(folder)} {holds}"]


async def gone(stage: Stage, body: str, *, escapes: bool = False) -> None:
    """Require that nothing is left of the first attempt's folder when the second request comes.

    `body` is what the code of the first attempt does in and with its folder.
    """
    first = noting(
        stage,
        f"""
folder = os.path.realpath(".")
note("folder", folder)
{body}
note("done", True)
print("1 failed in 0.00s", flush=True)
os._exit(1)
""",
    )
    found: list[str] = []

    async def answer(exchange: Exchange) -> None:
        if exchange.request.attempt == 1:
            await exchange.code(first)
        else:
            found.extend(in_its_place(noted(stage, "folder")))
            await exchange.code(PASSING)

    observed = await stage.run(answer, max_retries=1, verify={"timeout_s": 25}, escapes=escapes)
    noted(stage, "done")
    require(not found, "".join(found))
    verdict, reason = observed.attempt().verdict, observed.attempt().reason
    require(verdict == "failed", f"verdict {verdict}, expected failed; {reason}")
    require(
        observed.outcome().outcome == "passed",
        f"outcome {observed.outcome().outcome}: {observed.outcome().reason}",
    )


GONE = {
    "as it was": "pass",
    "with more files": """
os.makedirs("a/b/c")
for place in (".", "a", "a/b", "a/b/c"):
    for name in (".hidden", "file"):
        open(os.path.join(place, name), "w").write("x")
""",
    "deleted": """
import shutil
shutil.rmtree(folder)
""",
    "a file in its place": """
import shutil
shutil.rmtree(folder)
open(folder, "w").write("x")
""",
    "a named pipe in its place": """
import shutil
shutil.rmtree(folder)
os.mkfifo(folder)
""",
    "a link that leads nowhere in its place": """
import shutil
shutil.rmtree(folder)
os.symlink("nowhere", folder)
""",
    "no permissions": """
os.makedirs("a/b/c")
open("a/b/c/file", "w").close()
for place in ("a/b/c/file", "a/b/c", "a/b", "a", "solution.py", "."):
    os.chmod(place, 0)
""",
    "read-only folders": """
os.makedirs("a/b/c")
open("a/b/c/file", "w").close()
for place in ("a/b/c", "a/b", "a", "."):
    os.chmod(place, 0o555)
""",
    "2,000 folders deep": """
for _ in range(2000):
    os.mkdir("ten-letter")
    os.chdir("ten-letter")
open("file", "w").close()
""",
    "5,000 files": """
for number in range(5000):
    os.close(os.open(str(number), os.O_CREAT | os.O_WRONLY))
""",
    "500 folders side by side": """
for number in range(500):
    os.makedirs(f"{number}/a/b")
""",
    "names of any bytes": """
names = (b"\\xff\\xfe", b"new\\nline", b"-rf", b" ", b"a" * 255, b"*", b"\\\\", b"...", b"'$(x)")
for name in names:
    os.mkdir(name)
    open(os.path.join(name, b"in " + name[:200]), "w").close()
    open(b"file " + name[:200], "w").close()
""",
    "moved files": """
os.mkdir("elsewhere")
os.rename("solution.py", "elsewhere/solution.py")
os.makedirs("solution.py/solution.py")
os.rename("test_solution.py", "solution.py/solution.py/x")
""",
    "a named pipe and sockets": """
import socket
os.mkfifo("pipe")
os.mkdir("folder")
os.mkfifo("folder/pipe")
for name in ("stream", "folder/stream"):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(name)
        listening.listen()
""",
    "open files": """
held = [open(name, "w") for name in ("a", "b", "c")]
os.unlink("a")
""",
    "written to by its process group": """
begun = [os.pipe() for _ in range(8)]
for number, (_, begin) in enumerate(begun):
    if os.fork() == 0:
        at = 0
        while True:
            os.makedirs(f"{number}/{at}/a", exist_ok=True)
            os.close(os.open(f"{number}/{at}/a/file", os.O_CREAT | os.O_WRONLY))
            if at == 3:
                os.write(begin, b"x")
            at += 1
for begin, _ in begun:
    os.read(begin, 1)
""",
}
"""What is done to a folder that is to be gone all the same."""


def _enter(name: str, body: str) -> None:
    @case("files.gone", name)
    async def gone_all_the_same(stage: Stage) -> str:
        await gone(stage, body)
        return "gone before the next request"


for _name, _body in GONE.items():
    _enter(_name, _body)


@case("files.gone", "when the verifier is stopped")
async def gone_after_a_timeout(stage: Stage) -> str:
    body = noting(
        stage,
        """
note("folder", os.path.realpath("."))
os.makedirs("a/b")
while True:
    pass
""",
    )
    found: list[str] = []

    async def answer(exchange: Exchange) -> None:
        if exchange.request.attempt == 1:
            await exchange.code(body)
        else:
            found.extend(in_its_place(noted(stage, "folder")))
            await exchange.code(PASSING)

    observed = await stage.run(answer, verify={"timeout_s": 1})
    require(
        observed.attempt().verdict == "timed_out", f"verdict {observed.attempt().verdict}, expected timed_out"
    )
    require(not found, "".join(found))
    return "gone before the next request"


@case("files.gone", "written to from another session for a while")
async def written_to_from_another_session(stage: Stage) -> str:
    """Nobody can stop it; it stops by itself soon, and then the folder can be removed."""
    body = """
import contextlib
begun, begin = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                os.makedirs("a/b", exist_ok=True)
                os.close(os.open("a/b/file", os.O_CREAT | os.O_WRONLY))
                os.write(begin, b"x")
    os._exit(0)
os.read(begun, 1)
"""
    await gone(stage, body, escapes=True)
    return "gone before the next request"

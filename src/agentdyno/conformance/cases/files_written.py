"""The workspace: links in it, and how its files are written."""

import sys
from pathlib import Path

from agentdyno.conformance.assertions import given_up, limited_files, noted, noting, tell
from agentdyno.conformance.case import case
from agentdyno.conformance.cases.files_gone import gone
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import PASSING, Stage, task


def contents(folder: Path) -> dict[str, tuple[str, bytes | None]]:
    """Everything below a folder: permissions as octal digits, and the bytes of files."""
    return {
        str(path.relative_to(folder.parent)): (
            f"{path.stat().st_mode & 0o7777:o}",
            path.read_bytes() if path.is_file() else None,
        )
        for path in [folder, *sorted(folder.rglob("*"))]
        if path.exists()
    }


async def untouched(stage: Stage, body: str) -> str:
    """Require that a folder outside, which the body knows as `outside`, is as before when all is over."""
    outside = stage.folder / "outside"
    (outside / "folder").mkdir(parents=True)
    for name in ("precious", "folder/precious"):
        (outside / name).write_text(name)
        (outside / name).chmod(0o440)
    (outside / "folder").chmod(0o550)
    before = contents(outside)
    await gone(stage, f"outside = {str(outside)!r}\n{body}")
    after = contents(outside)
    for name, found in before.items():
        require(after.get(name) == found, f"{name} was {found}, and is {after.get(name)} now")
    more = sorted(after.keys() - before.keys())
    require(not more, f"now there is also {more}")
    return f"{len(before)} files and folders outside, as before"


@case("files.links", "in place of the folder")
async def link_in_place_of_the_folder(stage: Stage) -> str:
    return await untouched(stage, "import shutil\nshutil.rmtree(folder)\nos.symlink(outside, folder)")


@case("files.links", "in place of the folder, to a file")
async def link_to_a_file_in_place_of_the_folder(stage: Stage) -> str:
    return await untouched(
        stage, "import shutil\nshutil.rmtree(folder)\nos.symlink(outside + '/precious', folder)"
    )


@case("files.links", "in the folder and below")
async def links_in_the_folder(stage: Stage) -> str:
    return await untouched(
        stage,
        """
os.makedirs("a/b")
for place in (".", "a", "a/b"):
    targets = (outside, outside + "/folder", outside + "/precious", "nowhere", "link-4", ".")
    for number, target in enumerate(targets):
        os.symlink(target, os.path.join(place, f"link-{number}"))
os.chmod("a/b", 0)
""",
    )


@case("files.links", "in place of the files")
async def links_in_place_of_the_files(stage: Stage) -> str:
    return await untouched(
        stage,
        """
for name, target in (("solution.py", "/precious"), ("test_solution.py", "/folder")):
    os.unlink(name)
    os.symlink(outside + target, name)
""",
    )


@case("files.links", "hard links")
async def hard_links(stage: Stage) -> str:
    return await untouched(
        stage, "os.link(outside + '/precious', 'hard')\nos.mkdir('a')\nos.link('hard', 'a/hard')"
    )


@case("files.links", "to another attempt at the same time")
async def link_to_another_attempt(stage: Stage) -> str:
    """The first task's folder becomes a link to the second's, whose attempt goes on."""
    body = """
import shutil
if open("test_solution.py").read() == "# 1\\n":
    wait_for("second")
    folder = os.path.realpath(".")
    other = json.load(open(os.path.join(NOTES, "second")))
    shutil.rmtree(folder)
    os.symlink(other, folder)
else:
    note("second", os.path.realpath("."))
    wait_for("first-is-over")
    note("names", sorted(os.listdir()))
print("1 passed in 0.00s")
"""
    tasks = [task(f"task/{number}", tests=f"# {number}\n") for number in (1, 2)]

    async def answer(exchange: Exchange) -> None:
        if exchange.request.task == "task/3":
            tell(stage, "first-is-over")
            await exchange.reply("No code.")
        else:
            await exchange.code(PASSING)

    await stage.run(
        answer, tasks=[*tasks, task("task/3")], agents=2, max_retries=0, verify=verifier(stage, body)
    )
    names = noted(stage, "names")
    require(names == ["solution.py", "test_solution.py"], f"the other attempt's folder holds {names}")
    return "the other attempt's files are as before"


MIB = 2**20

COPY = """
import shutil
for name in ("solution.py", "test_solution.py"):
    shutil.copyfile(name, os.path.join(NOTES, name))
note("names", sorted(os.listdir()))
note("regular", all(os.path.isfile(name) and not os.path.islink(name) for name in os.listdir()))
print("1 passed in 0.00s")
"""


def verifier(stage: Stage, body: str, **fields: object) -> dict[str, object]:
    """A verifier that does not care for the solution."""
    return {"argv": [sys.executable, "-I", "-S", "-B", "-c", noting(stage, body)], **fields}


def first_difference(found: bytes, expected: bytes) -> int:
    """The place of the first byte that differs."""
    both = enumerate(zip(found, expected, strict=False))
    return next((at for at, (one, other) in both if one != other), min(len(found), len(expected)))


async def held(stage: Stage, code: str, tests: str) -> str:
    """Require that both files hold what they are to hold, and that nothing lies beside them."""

    async def answer(exchange: Exchange) -> None:
        await exchange.code(code)

    observed = await stage.run(answer, tasks=[task("task/1", tests=tests)], verify=verifier(stage, COPY))
    require(
        observed.outcome().outcome == "passed",
        f"outcome {observed.outcome().outcome}: {observed.outcome().reason}",
    )
    for name, expected in (("solution.py", code.encode()), ("test_solution.py", tests.encode())):
        found = (stage.notes / name).read_bytes()
        at = first_difference(found, expected)
        require(
            found == expected,
            f"{name} has {len(found)} bytes, expected {len(expected)}; from byte {at} on it has "
            f"{found[at : at + 30]!r}, expected {expected[at : at + 30]!r}",
        )
    names = noted(stage, "names")
    require(names == ["solution.py", "test_solution.py"], f"the folder holds {names}")
    require(noted(stage, "regular"), "one of the two is no regular file")
    return f"{len(code.encode())} and {len(tests.encode())} bytes, and nothing else in the folder"


@case("files.written", "plain")
async def plain(stage: Stage) -> str:
    return await held(stage, "def f():\n\treturn 1\n", "def test():\n    pass\n")


@case("files.written", "characters of every length")
async def characters(stage: Stage) -> str:
    text = "# \x7f\u0080é\u2028漢\ufeff\ufffd\U0001f600\x0b\x0c\n"
    return await held(stage, text, text)


@case("files.written", "line ends of tests")
async def line_ends(stage: Stage) -> str:
    return await held(stage, "x = 1\n", "def test():\r\n    pass\r\rpass\n\n\r\n# no line end")


@case("files.written", "empty tests")
async def empty_tests(stage: Stage) -> str:
    return await held(stage, "x = 1\n", "")


@case("files.written", "NUL in tests")
async def nul(stage: Stage) -> str:
    return await held(stage, "x = 1\n", "x = '\0'\n")


@case("files.written", "1 MiB each")
async def large(stage: Stage) -> str:
    return await held(stage, f"# {'é' * (MIB // 2)}\n", f"# {'漢' * (MIB // 3)}\n")


@case("files.refused", "larger than a file may be")
async def larger_than_a_file_may_be(stage: Stage) -> str:
    """First the code, then the tests, then neither."""
    tasks = [task("code"), task("tests", tests=f"# {'x' * MIB}\n"), task("neither")]

    async def answer(exchange: Exchange) -> None:
        await exchange.code(PASSING + f"# {'x' * MIB}\n" * (exchange.request.task == "code"))

    observed = await stage.run(answer, tasks=tasks, through=limited_files(64))
    reasons = {given_up(observed, 1, name).reason for name in ("code", "tests")}
    outcome = observed.outcome("neither")
    require(outcome.outcome == "passed", f"the next task: {outcome.outcome}, {outcome.reason}")
    return f"two tasks in error, {' and '.join(sorted(map(str, reasons)))!r}; the next one passed"


@case("files.written", "a new folder for every attempt")
async def a_new_folder(stage: Stage) -> str:
    """What one attempt leaves lying about is not there for the next."""
    body = """
number = open("solution.py").read().strip("# \\n")
note(number, {"folder": os.path.realpath("."), "names": sorted(os.listdir())})
open("left-behind", "w").close()
os.chmod("solution.py", 0o400)
os.mkdir("left-behind-too")
print("1 failed in 0.00s")
raise SystemExit(1)
"""

    async def answer(exchange: Exchange) -> None:
        await exchange.code(f"# {exchange.request.attempt}\n")

    observed = await stage.run(answer, max_retries=2, verify=verifier(stage, body))
    workspaces = f"{observed.folder}/workspaces/"
    for number in ("1", "2", "3"):
        found = noted(stage, number)
        require(
            found["names"] == ["solution.py", "test_solution.py"],
            f"the folder of attempt {number} holds {found['names']}",
        )
        require(
            found["folder"].startswith(workspaces),
            f"attempt {number} is in {found['folder']}, which is not below workspaces",
        )
    return "3 attempts, each with its two files only, below workspaces"


@case("files.written", "at the same time")
async def at_the_same_time(stage: Stage) -> str:
    """Four attempts are verified at once, and none sees another's files."""
    tasks = [task(f"task/{number}", tests=f"# {number}\n") for number in range(4)]
    body = """
number = open("test_solution.py").read().strip("# \\n")
open("mine-" + number, "w").close()
note("here-" + number, os.path.realpath("."))
wait_for(*("here-" + other for other in "0123"))
found = [name for _, folders, files in os.walk(".") for name in sorted(folders + files)]
note("found-" + number, [open("solution.py").read(), found])
wait_for(*("found-" + other for other in "0123"))
print("1 passed in 0.00s")
"""

    async def answer(exchange: Exchange) -> None:
        await exchange.code(f"# {exchange.request.task}\n")

    verify = verifier(stage, body, slots=4)
    observed = await stage.run(answer, tasks=tasks, agents=4, max_retries=0, verify=verify)
    folders = [noted(stage, f"here-{number}") for number in range(4)]
    require(len(set(folders)) == 4, f"4 attempts at once in {len(set(folders))} folders")
    for number in range(4):
        code, found = noted(stage, f"found-{number}")
        require(code == f"# task/{number}\n", f"task/{number} found the solution {code!r}")
        own = [f"mine-{number}", "solution.py", "test_solution.py"]
        require(found == own, f"the folder of task/{number} holds {found}, expected {own}")
        require(observed.outcome(f"task/{number}").outcome == "passed", f"task/{number} did not pass")
    return "4 attempts at once, each in its own folder with its own files"

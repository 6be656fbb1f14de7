"""Files: nothing that a link leads to is touched."""

from pathlib import Path

from agentdyno.conformance.case import case
from agentdyno.conformance.cases.files_gone import gone
from agentdyno.conformance.cases.files_written import verifier
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.notes import noted, tell
from agentdyno.conformance.stage import PASSING, Stage, task
from agentdyno.conformance.violation import require


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

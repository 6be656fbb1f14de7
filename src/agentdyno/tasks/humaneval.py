"""Makes a dataset of HumanEval from the official file.

Source: Chen et al., "Evaluating large language models trained on code", 2021; github.com/openai/human-eval.
"""

import gzip
import hashlib
import http.client
import io
import json
import os
import re
import urllib.error
import urllib.request
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.files import write_bytes
from agentdyno.reading import GZIP, LARGEST_FILE, decoded, file_format, read_bytes
from agentdyno.shape import Text
from agentdyno.tasks.layouts import remedy_of_format
from agentdyno.tasks.task import SCHEMA_VERSION, FunctionName, Task, json_of, task_of

URL = "https://raw.githubusercontent.com/openai/human-eval/master/data/HumanEval.jsonl.gz"
SHA256 = "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"
TIMEOUT_S = 30

# The import of everything gives the tests the functions that the prompt defines (tasks 32, 38 and 50).
_TESTS = """\
from solution import *


{official}


def test_{entry_point}():
{seed}    check({entry_point})
"""

# Some official tests draw their inputs (tasks 38, 50 and 53). Without a seed a wrong answer would fail with
# other inputs in each attempt, and the feedback would differ between runtimes.
_DRAWS = re.compile(r"\brandom\b")
_SEED = """\
    import random

    random.seed(0)
"""


def fetch(url: str = URL, sha256: str = SHA256, cache: Path | None = None) -> Path:
    """The path of a copy of the file at `url` whose checksum is `sha256`, downloaded unless the cache has it.

    The cache is a folder, by default agentdyno's own in the user's cache folder (XDG Base Directory
    Specification). Raises UserError if the download fails or the checksum differs.
    """
    folder = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agentdyno"
    cached = folder / sha256
    if cached.is_file() and _sha256(cached.read_bytes()) == sha256:
        return cached
    content = _download(url)
    if _sha256(content) != sha256:
        raise UserError(
            f"{url}: has sha256 {_sha256(content)} instead of {sha256}; "
            "download the official HumanEval.jsonl.gz yourself and give it as --file PATH"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be created ({error.strerror}); set XDG_CACHE_HOME to another folder"
        ) from None
    write_bytes(cached, content)
    return cached


def convert(path: Path, limit: int) -> list[Task]:
    """The first `limit` tasks of a file in HumanEval's format, JSON lines, plain or compressed with gzip.

    Raises UserError, with file and line, if a line is not a HumanEval problem, and if there are fewer
    problems than `limit`.
    """
    tasks: dict[str, Task] = {}
    for number, line in enumerate(_text(path).split("\n"), 1):
        where = f"{path}:{number}"
        if not line.strip():
            continue
        task = task_of(json_of(line, where), _Problem, where, path).task
        if task.task_id in tasks:
            raise UserError(f"{where}: task id {task.task_id!r} occurs twice; remove one of the two lines")
        tasks[task.task_id] = task
    if limit > len(tasks):
        raise UserError(
            f"{path}: holds {len(tasks)} tasks, fewer than --limit {limit}; ask for no more than that"
        )
    return list(tasks.values())[:limit]


def write(output: Path, tasks: list[Task], source: Path, url: str | None) -> None:
    """Write the tasks as a dataset document, atomically, with name, checksum and origin of their source."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "name": "humaneval",
        "source": {
            "file": source.name if url is None else url.rsplit("/", 1)[-1],
            "sha256": _sha256(read_bytes(source, REMEDY)),
            "url": url,
        },
        "tasks": [asdict(task) for task in tasks],
    }
    write_bytes(output, (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode())


@dataclass(frozen=True, slots=True)
class _Problem:
    """One line of the official file."""

    task_id: Text
    prompt: Text
    canonical_solution: Text
    test: Text
    entry_point: FunctionName

    @property
    def task(self) -> Task:
        official = self.test.strip("\n")
        seed = _SEED if _DRAWS.search(official) else ""
        tests = _TESTS.format(official=official, seed=seed, entry_point=self.entry_point)
        return Task(self.task_id, self.prompt, tests, self.entry_point, self.prompt + self.canonical_solution)


REMEDY = "give the path of HumanEval.jsonl or HumanEval.jsonl.gz"


def _text(path: Path) -> str:
    content = read_bytes(path, REMEDY)
    if file_format(content) == GZIP:
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
                content = file.read(LARGEST_FILE)
        except (EOFError, OSError, zlib.error) as error:
            raise UserError(f"{path}: broken gzip file ({error}); download it again") from None
    return decoded(content, path, remedy_of_format(content, path))


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            content: bytes = response.read()
            return content
    except urllib.error.HTTPError as error:
        problem = f"the server answered {error.code} {error.reason}"
    except urllib.error.URLError as error:
        problem = str(error.reason)
    except (http.client.HTTPException, OSError) as error:
        problem = str(error)
    raise UserError(
        f"{url}: cannot be downloaded ({problem}); "
        "download it where there is a network and give it as --file PATH"
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

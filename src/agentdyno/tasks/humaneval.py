"""Makes a dataset of HumanEval from the official file.

Source: Chen et al., "Evaluating large language models trained on code", 2021; github.com/openai/human-eval.
"""

import gzip
import hashlib
import http.client
import json
import os
import re
import urllib.error
import urllib.request
import zlib
from dataclasses import asdict
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.files import write_bytes
from agentdyno.tasks.task import (
    SCHEMA_VERSION,
    Task,
    as_object,
    entry_point_field,
    parse_line,
    text_field,
)

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
    for number, raw in enumerate(_text(path).split(b"\n"), 1):
        where = f"{path}:{number}"
        if not raw.strip():
            continue
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            raise UserError(f"{where}: byte {error.start} is not UTF-8; correct or remove the line") from None
        task = _task(where, as_object(where, parse_line(where, line)))
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
            "sha256": _sha256(source.read_bytes()),
            "url": url,
        },
        "tasks": [asdict(task) for task in tasks],
    }
    write_bytes(output, (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode())


def _task(where: str, record: dict[str, object]) -> Task:
    prompt = text_field(where, record, "prompt")
    entry_point = entry_point_field(where, record)
    official = text_field(where, record, "test").strip("\n")
    return Task(
        task_id=text_field(where, record, "task_id"),
        prompt=prompt,
        tests=_TESTS.format(
            official=official,
            seed=_SEED if _DRAWS.search(official) else "",
            entry_point=entry_point,
        ),
        entry_point=entry_point,
        reference=prompt + text_field(where, record, "canonical_solution"),
    )


def _text(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(
            f"{path}: no such file; give the path of HumanEval.jsonl or HumanEval.jsonl.gz"
        ) from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); give a readable file") from None
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise UserError(f"{path}: broken gzip file ({error}); download it again") from None


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

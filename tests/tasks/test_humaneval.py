import argparse
import gzip
import hashlib
import json
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agentdyno.commands import dataset as command
from agentdyno.errors import UserError
from agentdyno.tasks import humaneval
from agentdyno.tasks.humaneval import convert, fetch
from agentdyno.tasks.load import load
from agentdyno.verifiers import cold

RECORD = {
    "task_id": "HumanEval/0",
    "prompt": 'def f(x):\n    """Twice x."""\n',
    "entry_point": "f",
    "canonical_solution": "    return 2 * x\n",
    "test": "\n\nMETADATA = {}\n\n\ndef check(candidate):\n    assert candidate(2) == 4\n\n",
}
LINE = json.dumps(RECORD)
CONTENT = gzip.compress(LINE.encode())
CUT_OFF = "Compressed file ended before the end-of-stream marker was reached"
UTF_8 = "save it as JSON lines in UTF-8"
NOT_A_NAME = "must be the name of a Python function"
FORMAT = "docs/tasks.md has the format"
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch):
    """`serve(answer)` starts a web server on this machine and gives a URL at which `answer` does the rest."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    servers = []

    def serve(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                answer(self)

            def log_message(self, *arguments):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/HumanEval.jsonl.gz"

    yield serve
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def answering(content, length=None):
    def answer(request):
        request.send_response(200)
        request.send_header("Content-Length", str(length or len(content)))
        request.end_headers()
        request.wfile.write(content)

    return answer


def refusal_of(function, *arguments, **keywords):
    with pytest.raises(UserError) as refusal:
        function(*arguments, **keywords)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def run(*words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_a_download_is_checked_and_kept(server, tmp_path):
    url = server(answering(CONTENT))
    path = fetch(url, CHECKSUM, tmp_path / "new" / "cache")
    assert path == tmp_path / "new" / "cache" / CHECKSUM
    assert path.read_bytes() == CONTENT
    assert fetch("http://127.0.0.1:1/", CHECKSUM, tmp_path / "new" / "cache") == path


def test_a_damaged_copy_in_the_cache_is_replaced(server, tmp_path):
    (tmp_path / CHECKSUM).write_bytes(b"damaged")
    path = fetch(server(answering(CONTENT)), CHECKSUM, tmp_path)
    assert path.read_bytes() == CONTENT


def test_the_cache_is_in_the_users_cache_folder(server, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert fetch(server(answering(CONTENT)), CHECKSUM) == tmp_path / "agentdyno" / CHECKSUM


def test_a_wrong_checksum_is_refused_and_not_kept(server, tmp_path):
    url = server(answering(b"another file"))
    found = hashlib.sha256(b"another file").hexdigest()
    assert refusal_of(fetch, url, CHECKSUM, tmp_path) == (
        f"{url}: has sha256 {found} instead of {CHECKSUM}; "
        "download the official HumanEval.jsonl.gz yourself and give it as --file PATH"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_missing_page_is_refused(server, tmp_path):
    url = server(lambda request: request.send_error(404))
    assert refusal_of(fetch, url, CHECKSUM, tmp_path) == (
        f"{url}: cannot be downloaded (the server answered 404 Not Found); "
        "download it where there is a network and give it as --file PATH"
    )


def test_a_truncated_download_is_refused(server, tmp_path):
    url = server(answering(CONTENT, length=len(CONTENT) + 5))
    assert refusal_of(fetch, url, CHECKSUM, tmp_path) == (
        f"{url}: cannot be downloaded (IncompleteRead({len(CONTENT)} bytes read, 5 more expected)); "
        "download it where there is a network and give it as --file PATH"
    )
    assert list(tmp_path.iterdir()) == []


def test_offline_is_refused(server, tmp_path):
    for url in ("http://127.0.0.1:1/HumanEval.jsonl.gz", "http://humaneval.invalid/HumanEval.jsonl.gz"):
        message = refusal_of(fetch, url, CHECKSUM, tmp_path)
        assert message.startswith(f"{url}: cannot be downloaded (")
        assert message.endswith("); download it where there is a network and give it as --file PATH")


def test_a_cache_folder_that_cannot_be_made_is_refused(server, tmp_path):
    (tmp_path / "file").write_text("")
    message = refusal_of(fetch, server(answering(CONTENT)), CHECKSUM, tmp_path / "file" / "cache")
    assert (
        message
        == f"{tmp_path}/file/cache: cannot be created (Not a directory); set XDG_CACHE_HOME to another folder"
    )


@pytest.mark.parametrize("compress", [gzip.compress, bytes], ids=["gzip", "plain"])
def test_conversion(tmp_path, compress):
    path = tmp_path / "file"
    path.write_bytes(compress((LINE + "\n\n" + LINE.replace("HumanEval/0", "HumanEval/1") + "\n").encode()))
    first, second = convert(path, 2)
    assert convert(path, 1) == [first]
    assert (first.task_id, second.task_id) == ("HumanEval/0", "HumanEval/1")
    assert first.prompt == RECORD["prompt"]
    assert first.entry_point == "f"
    assert first.reference == 'def f(x):\n    """Twice x."""\n    return 2 * x\n'
    assert first.tests == (
        "from solution import *\n\n\n"
        "METADATA = {}\n\n\ndef check(candidate):\n    assert candidate(2) == 4\n\n\n"
        "def test_f():\n    check(f)\n"
    )


def changed(**fields):
    return json.dumps(RECORD | fields)


def without(name):
    return json.dumps({field: value for field, value in RECORD.items() if field != name})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x1f\x8bnonsense", "PATH: broken gzip file (Unknown compression method); download it again"),
        (CONTENT[:-4], f"PATH: broken gzip file ({CUT_OFF}); download it again"),
        (LINE + "\n{}{\n", "PATH:2: not JSON at column 3 (Extra data); correct it or remove it"),
        (LINE + "\n\n<html>", "PATH:3: not JSON at column 1 (Expecting value); correct it or remove it"),
        (LINE.encode() + b"\n\xff", f"PATH: byte {len(LINE) + 1} is not UTF-8; {UTF_8}"),
        ("[1]", f"PATH:1: must be an object, and is a list of 1; {FORMAT}"),
        (without("task_id"), f"PATH:1: task_id: is missing; {FORMAT}"),
        (without("test"), f"PATH:1: test: is missing; {FORMAT}"),
        (without("canonical_solution"), f"PATH:1: canonical_solution: is missing; {FORMAT}"),
        (changed(prompt=None), f"PATH:1: prompt: must be a text, and is null; {FORMAT}"),
        (changed(entry_point="f g"), f'PATH:1: entry_point: {NOT_A_NAME}, and is "f g"; {FORMAT}'),
        (LINE + "\n" + LINE, "PATH:2: task id 'HumanEval/0' occurs twice; remove one of the two lines"),
        ("", "PATH: holds 0 tasks, fewer than --limit 1; ask for no more than that"),
    ],
)  # fmt: skip
def test_unusable_files_are_refused(tmp_path, content, message):
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refusal_of(convert, path, 1) == message.replace("PATH", str(path))


def test_a_task_file_is_no_humaneval_file(tmp_path):
    path = tmp_path / "file"
    path.write_text(json.dumps({"task_id": "a", "prompt": "p", "tests": "t", "entry_point": "f"}))
    assert refusal_of(convert, path, 1) == f"{path}:1: is a task file already; give it to --tasks"


def test_unreadable_files_are_refused(tmp_path):
    assert refusal_of(convert, tmp_path / "none", 1) == (
        f"{tmp_path}/none: no such file; give the path of HumanEval.jsonl or HumanEval.jsonl.gz"
    )
    assert refusal_of(convert, tmp_path, 1) == (
        f"{tmp_path}: cannot be read (Is a directory); give the path of HumanEval.jsonl or HumanEval.jsonl.gz"
    )


def test_the_command_makes_a_dataset(tmp_path, monkeypatch, humaneval_file):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataset").mkdir()
    assert run("humaneval", "--file", str(humaneval_file)) == 0
    document = json.loads((tmp_path / "dataset" / "humaneval_100.json").read_bytes())
    assert {name: value for name, value in document.items() if name != "tasks"} == {
        "schema_version": 1,
        "name": "humaneval",
        "source": {
            "file": "HumanEval_first100.jsonl.gz",
            "sha256": hashlib.sha256(humaneval_file.read_bytes()).hexdigest(),
            "url": None,
        },
    }
    assert load("humaneval", None) == convert(humaneval_file, 100)
    assert len(load("humaneval", None)) == 100


def test_the_command_downloads_when_no_file_is_given(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "agentdyno").mkdir()
    url = server(answering(CONTENT))
    monkeypatch.setattr(humaneval, "fetch", lambda: fetch(url, CHECKSUM))
    output = tmp_path / "out.json"
    assert run("humaneval", "--limit", "1", "-o", str(output)) == 0
    assert json.loads(output.read_text())["source"] == {
        "file": "HumanEval.jsonl.gz",
        "sha256": CHECKSUM,
        "url": humaneval.URL,
    }
    assert capsys.readouterr().out == f"{output}: 1 tasks\n"


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("0", "--limit must be a whole number of at least 1, not '0'"),
        ("-4", "--limit must be a whole number of at least 1, not '-4'"),
        ("ten", "--limit must be a whole number of at least 1, not 'ten'"),
        ("1.5", "--limit must be a whole number of at least 1, not '1.5'"),
        ("2", "PATH: holds 1 tasks, fewer than --limit 2; ask for no more than that"),
    ],
)
def test_unusable_limits_are_refused(tmp_path, limit, message):
    path = tmp_path / "file"
    path.write_text(LINE)
    arguments = ["humaneval", f"--limit={limit}", "--file", str(path), "-o", str(tmp_path / "out.json")]
    assert refusal_of(run, *arguments) == message.replace("PATH", str(path))
    assert not (tmp_path / "out.json").exists()


def test_a_missing_output_folder_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text(LINE)
    output = tmp_path / "none" / "out.json"
    assert refusal_of(run, "humaneval", "--limit", "1", "--file", str(path), "-o", str(output)) == (
        f"{output}: folder {tmp_path}/none does not exist; create it or choose another path"
    )


@pytest.mark.usefixtures("starts_processes")
def test_strength_names_the_mutants_that_live(tmp_path, capsys):
    path = tmp_path / "tasks.jsonl"
    task = {"prompt": "p", "entry_point": "f", "reference": "def f(x):\n    return x > 1\n"}
    weak = "from solution import *\n\n\ndef test_f():\n    assert f(5)\n    assert not f(0)\n"
    strong = weak + "    assert f(2)\n    assert not f(1)\n"
    lines = [task | {"task_id": "t/0", "tests": weak}, task | {"task_id": "t/1", "tests": strong}]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    assert run("strength", str(path)) == 0
    assert capsys.readouterr().out.splitlines() == [
        " 40.0%     2 of    5  t/0  f",
        "100.0%     5 of    5  t/1  f",
        " 70.0%  7 of 10 mutants noticed",
        " 40.0%  is the lowest share: t/0",
    ]
    assert run("strength", str(path), "--task", "t/0") == 0
    assert capsys.readouterr().out.splitlines() == [
        " 40.0%     2 of    5  t/0  f",
        "        survives: return x > 1  →  return x >= 1",
        "        survives: return x > 1  →  return x > 2",
        "        survives: return x > 1  →  return x > 0",
    ]
    assert refusal_of(run, "strength", str(path), "--task", "t/2") == (
        f"{path}: has no task 't/2'; give a task id or an entry point"
    )


@pytest.mark.usefixtures("starts_processes")
def test_strength_refuses_tasks_it_cannot_judge(tmp_path):
    path = tmp_path / "tasks.jsonl"
    task = {
        "task_id": "t/0",
        "prompt": "p",
        "entry_point": "f",
        "tests": "def test_f():\n    assert 1 == 2\n",
    }
    path.write_text(json.dumps(task))
    assert refusal_of(run, "strength", str(path)) == (
        "task t/0 has no reference to make mutants of; add one to the dataset"
    )
    path.write_text(json.dumps(task | {"reference": "def f(): pass"}))
    assert refusal_of(run, "strength", str(path)) == (
        "task t/0: its reference does not pass its tests; correct one of the two"
    )


def said_of(folder, task, solution):
    """What the verifier prints of a solution, without what feedback leaves out."""
    folder.mkdir()
    (folder / "solution.py").write_text(solution)
    (folder / "test_solution.py").write_text(task.tests)
    verifier = cold()
    done = subprocess.run(verifier.argv, cwd=folder, env=verifier.environment, capture_output=True, text=True)
    assert done.returncode == 1
    return re.sub(r"in [0-9.]+s|0x[0-9a-f]+", "", done.stdout.replace(str(folder), ""))


WRONG = {
    "find_zero": "def find_zero(xs):\n    return 0\n",
    "decode_cyclic": "def decode_cyclic(s):\n    return s\n",
    "decode_shift": "def decode_shift(s):\n    return s\n",
    "add": "def add(x, y):\n    return x + y + (x > 500)\n",
}
"""Wrong answers by entry point, of the tasks whose official tests draw their inputs."""


def test_the_same_wrong_answer_gets_the_same_feedback(humaneval_file, tmp_path, starts_processes):
    drawing = [task for task in convert(humaneval_file, 100) if "random" in task.tests]
    assert [task.entry_point for task in drawing] == [*WRONG]
    for task in drawing:
        solution = f"{task.reference}\n\n{WRONG[task.entry_point]}"
        first, second = (said_of(tmp_path / f"{task.entry_point}-{n}", task, solution) for n in (1, 2))
        assert first == second
        assert "1 failed" in first


def test_tests_that_draw_their_inputs_are_seeded(tmp_path, starts_processes):
    official = "def check(candidate):\n    from random import random\n    assert candidate(random()) == 0\n"
    path = tmp_path / "file"
    path.write_text(json.dumps(RECORD | {"test": official}))
    (task,) = convert(path, 1)
    assert said_of(tmp_path / "1", task, task.reference) == said_of(tmp_path / "2", task, task.reference)

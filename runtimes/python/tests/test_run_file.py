"""Run files that cannot be used: one line that names the field, and exit status 2, before anything else."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentloop import InvalidInput, load_run_file, load_tasks
from agentloop.tasks import check_tasks

HERE = Path(__file__).parents[1]
MISSING = object()
VERIFY = {
    "argv": ["true"],
    "env": {"PATH": "/usr/bin:/bin"},
    "timeout_s": 1,
    "slots": 1,
    "output_limit_bytes": 1,
}
TASK = {"task_id": "T/1", "prompt": "p", "tests": "t", "entry_point": "f"}


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "tasks.jsonl").write_text(json.dumps(TASK) + "\n")
    (tmp_path / "workspaces").mkdir()
    return {
        "contract_version": 1,
        "tasks_file": str(tmp_path / "tasks.jsonl"),
        "prompts_file": str(HERE.parent / "contract" / "prompts.json"),
        "base_url": "http://localhost:1/v1",
        "model": "m",
        "request": {},
        "agents": 1,
        "max_retries": 0,
        "verify": dict(VERIFY),
        "timeouts": {"connect_s": 1, "event_idle_s": 0.5, "total_s": 1e3},
        "transport": {"max_retries": 0, "base_s": 0, "cap_s": 0.0},
        "workspaces": str(tmp_path / "workspaces"),
        "events": str(tmp_path / "events.jsonl"),
    }


def reason(path: Path, settings: dict[str, Any]) -> str:
    path.write_text(json.dumps(settings))
    with pytest.raises(InvalidInput) as caught:
        load_run_file(str(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


BASE_URL = (
    "(not shown) must be http:// or https://, a host without a user, if need be a port, a path and a query"
)
BAD = [
    ("contract_version", 2, "is 2; it must be 1, the one that this runtime obeys"),
    ("contract_version", "1", 'is "1"; it must be an integer of at least 0'),
    ("tasks_file", 7, "is 7; it must be a string"),
    ("prompts_file", "", 'is ""; it must be a path'),
    ("base_url", "localhost", BASE_URL),
    ("base_url", "http://a..b/v1", BASE_URL),
    ("base_url", f"http://{'a' * 64}/v1", BASE_URL),
    ("model", None, "is null; it must be a string"),
    ("model", "\ud800", 'is "\\ud800"; it must be a string without halves of surrogate pairs'),
    ("request", [], "is []; it must be an object"),
    (
        "request",
        {"stream": False},
        'is {"stream": false}; it must be an object without messages, model, stream',
    ),
    (
        "request",
        {"x": "\udfff"},
        'is {"x": "\\udfff"}; it must be an object without halves of surrogate pairs',
    ),
    ("agents", 0, "is 0; it must be an integer of at least 1"),
    ("agents", True, "is true; it must be an integer of at least 1"),
    ("agents", 1.5, "is 1.5; it must be an integer of at least 1"),
    ("max_retries", -1, "is -1; it must be an integer of at least 0"),
    ("verify", "x", 'is "x"; it must be an object'),
    ("verify.argv", [], "is []; it must be a list of strings, at least one"),
    ("verify.argv", ["a", 1], 'is ["a", 1]; it must be a list of strings, at least one'),
    ("verify.argv", ["a\0"], 'is ["a\\u0000"]; it must be a list of strings, at least one'),
    ("verify.env", {"A": 1}, 'is {"A": 1}; it must be an object of strings'),
    ("verify.env", {"A=B": ""}, 'is {"A=B": ""}; it must be an object of strings'),
    ("verify.timeout_s", 0, "is 0; it must be a number above 0"),
    ("verify.timeout_s", 10**400, f"is 1{'0' * 59}…; it must be a number above 0"),
    ("verify.slots", 0, "is 0; it must be an integer of at least 1"),
    ("verify.output_limit_bytes", 0, "is 0; it must be an integer of at least 1"),
    ("timeouts.connect_s", -1, "is -1; it must be a number above 0"),
    ("timeouts.event_idle_s", "1", 'is "1"; it must be a number above 0'),
    ("timeouts.total_s", False, "is false; it must be a number above 0"),
    ("transport.max_retries", 0.5, "is 0.5; it must be an integer of at least 0"),
    ("transport.base_s", -0.1, "is -0.1; it must be a number of at least 0"),
    ("transport.cap_s", None, "is null; it must be a number of at least 0"),
    (
        "workspaces",
        "/no/such/folder",
        'is "/no/such/folder"; it must be an existing folder that can be written to',
    ),
    ("events", {}, "is {}; it must be a string"),
]


@pytest.mark.parametrize(("name", "value", "told"), BAD)
def test_bad_field(settings: dict[str, Any], tmp_path: Path, name: str, value: object, told: str) -> None:
    *outer, last = name.split(".")
    (settings[outer[0]] if outer else settings)[last] = value
    assert reason(tmp_path / "run.json", settings).startswith(f"{tmp_path / 'run.json'}: {name} {told}")


@pytest.mark.parametrize("name", sorted({name for name, _, _ in BAD}))
def test_missing_field(settings: dict[str, Any], tmp_path: Path, name: str) -> None:
    *outer, last = name.split(".")
    del (settings[outer[0]] if outer else settings)[last]
    assert reason(tmp_path / "run.json", settings).startswith(
        f"{tmp_path / 'run.json'}: {name} is missing; it must be "
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not JSON (Expecting value: line 1 column 1 (char 0)); write one JSON object there"),
        ("[]", "holds []; write one JSON object there"),
        ("{} {}", "is not JSON (Extra data: line 1 column 4 (char 3)); write one JSON object there"),
        ('{"a": NaN}', "is not JSON (NaN is no JSON number); write one JSON object there"),
        ("[" * 100_000, "is not JSON (maximum recursion depth exceeded"),
    ],
)
def test_no_json_object(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InvalidInput) as caught:
        load_run_file(str(tmp_path / "run.json"))
    assert str(caught.value).startswith(f"{tmp_path / 'run.json'}: {told}")


def test_numbers_too_large_for_a_float(settings: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps(settings).replace('"total_s": 1000.0', '"total_s": 1e999')
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"timeouts\.total_s is Infinity; it must be a number above 0"):
        load_run_file(str(tmp_path / "run.json"))


@pytest.mark.parametrize(
    ("value", "told"),
    [("1e999", "without numbers too large for a double"), ("[" * 900 + "]" * 900, "of less depth")],
)
def test_request_that_cannot_be_sent(settings: dict[str, Any], tmp_path: Path, value: str, told: str) -> None:
    text = json.dumps(settings).replace('"request": {}', f'"request": {{"x": {value}}}')
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InvalidInput, match=rf"request is \{{.*; it must be an object {told}"):
        load_run_file(str(tmp_path / "run.json"))


def test_good_run_file(settings: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("workspaces")
    settings["workspaces"] = str(tmp_path / "link" / "..") + "/link"
    settings["of a later version"] = 1
    (tmp_path / "run.json").write_text(json.dumps(settings))
    run = load_run_file(str(tmp_path / "run.json"))
    assert run.workspaces == str(tmp_path / "workspaces")
    assert run.timeouts.total_s == 1000.0
    assert run.verify.argv == ["true"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("\n", "line 1: is not JSON"),
        (json.dumps(TASK) + "\nx\n", "line 2: is not JSON"),
        (json.dumps({**TASK, "tests": None}), "line 1: tests is null; it must be a string"),
        (json.dumps({**TASK, "prompt": "\ud800"}), "line 1: prompt is"),
    ],
)
def test_bad_tasks(tmp_path: Path, lines: str, told: str) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text(lines)
    with pytest.raises(InvalidInput) as caught:
        check_tasks(str(path))
    assert str(caught.value).startswith(f"{path}, {told}")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("null", "an integer of at least 0"),
        ('"1"', "an integer of at least 0"),
        ("true", "an integer of at least 0"),
        ("1.5", "an integer of at least 0"),
        ("-1", "an integer of at least 0"),
        (str(2**63), "an integer of at least 0, below 2^63"),
    ],
)
def test_bad_start(tmp_path: Path, value: str, wanted: str) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text(f'{json.dumps(TASK)[:-1]}, "start_after_ns": {value}}}\n')
    with pytest.raises(InvalidInput) as caught:
        check_tasks(str(path))
    assert str(caught.value) == f"{path}, line 1: start_after_ns is {value}; it must be {wanted}"


def test_starts(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    lines = [TASK, {**TASK, "start_after_ns": 0}, {**TASK, "start_after_ns": 2**63 - 1}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [task.start_after_ns for task in load_tasks(str(path))] == [0, 0, 2**63 - 1]


def test_task_that_is_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text((json.dumps(TASK) + "\n") * 2)
    with pytest.raises(InvalidInput) as caught:
        check_tasks(str(path))
    assert str(caught.value) == f"{path}: task_id 'T/1' is there twice; give every task its own"


def test_line_separators_in_tasks(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps({**TASK, "prompt": "a\u2028b\x85c"}, ensure_ascii=False) + "\n")
    (task,) = load_tasks(str(path))
    assert task.prompt == "a\u2028b\x85c"


def started(settings: dict[str, Any], tmp_path: Path, **environment: str) -> tuple[int, str]:
    (tmp_path / "run.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-m", "agentloop", str(tmp_path / "run.json")],
        cwd=HERE,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_no_tasks(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.touch()
    with pytest.raises(InvalidInput, match=r"tasks.jsonl: holds no task; write one JSON object a line there"):
        check_tasks(str(path))


@pytest.mark.usefixtures("starts_processes")
def test_unusable_is_status_2_and_one_line(settings: dict[str, Any], tmp_path: Path) -> None:
    settings["agents"] = 0
    message = f"agentloop: {tmp_path}/run.json: agents is 0; it must be an integer of at least 1\n"
    assert started(settings, tmp_path) == (2, message)


@pytest.mark.usefixtures("starts_processes")
def test_what_is_named_is_not_there(settings: dict[str, Any], tmp_path: Path) -> None:
    for name in "tasks_file", "prompts_file":
        status, told = started({**settings, name: str(tmp_path / "nothing")}, tmp_path)
        assert status == 2
        assert told.startswith(f"agentloop: {tmp_path / 'nothing'}: cannot be read (")
    for program in "no-such-program", "/no/such/program", "/usr":
        settings["verify"]["argv"] = [program]
        told = (
            f"verify.argv: {program!r} cannot be run; name a program by its path or on the PATH of verify.env"
        )
        assert started(settings, tmp_path) == (2, f"agentloop: {told}\n")
    assert not os.path.exists(settings["events"])


@pytest.mark.usefixtures("starts_processes")
def test_event_file_that_is_there(settings: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("precious\n")
    assert started(settings, tmp_path) == (
        2,
        f"agentloop: events: {tmp_path}/events.jsonl cannot be created (File exists); "
        "name a file that is not there\n",
    )
    assert (tmp_path / "events.jsonl").read_text() == "precious\n"


@pytest.mark.usefixtures("starts_processes")
@pytest.mark.parametrize("key", ["secret\r\nX: y", "geheim-ü"])
def test_key_that_is_no_header(settings: dict[str, Any], tmp_path: Path, key: str) -> None:
    told = "LLM_API_KEY: holds characters that a header may not hold; set it to the key alone"
    assert started(settings, tmp_path, LLM_API_KEY=key) == (2, f"agentloop: {told}\n")

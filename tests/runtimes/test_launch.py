"""The run file as its one writer writes it."""

import json
import re
from pathlib import Path

import pytest

from agentdyno.errors import UserError
from agentdyno.project import CONTRACT_VERSION, ROOT
from agentdyno.runtimes.launch import PASSED_ON, RunFile, Verify, inherited, write_run_file

CONTRACT = (ROOT / "runtimes" / "CONTRACT.md").read_text(encoding="utf-8")


@pytest.fixture
def run_file(tmp_path: Path) -> RunFile:
    return RunFile(
        tasks_file=tmp_path / "tasks.jsonl",
        prompts_file=tmp_path / "prompts.json",
        base_url="http://127.0.0.1:1/v1",
        model="modèle",
        request={"temperature": 0.5},
        agents=2,
        max_retries=3,
        verify=Verify(
            argv=("python3", "-B"), env={"PATH": "/bin"}, timeout_s=10, slots=1, output_limit_bytes=9
        ),
        timeouts={"connect_s": 10, "event_idle_s": 60, "total_s": 900},
        transport={"max_retries": 5, "base_s": 0.5, "cap_s": 8},
        workspaces=tmp_path / "workspaces",
        events=tmp_path / "events.jsonl",
    )


def contract_fields() -> dict[str, str]:
    """The fields of the run file and what the contract says of each, in its order."""
    section = CONTRACT.partition("\n## The run file\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", section, re.MULTILINE)
    return dict(rows)


def test_the_document_has_the_fields_of_the_contract_in_its_order(run_file: RunFile) -> None:
    assert list(run_file.document()) == list(contract_fields())
    assert run_file.document()["contract_version"] == CONTRACT_VERSION


@pytest.mark.parametrize("section", ["verify", "timeouts", "transport"])
def test_a_section_has_the_fields_of_the_contract_in_its_order(section: str, run_file: RunFile) -> None:
    named = re.findall(r"`(\w+)`", contract_fields()[section])
    assert list(run_file.document()[section]) == named


def test_the_file_is_written_in_one_step(run_file: RunFile, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("an older one")
    with path.open() as older:
        assert write_run_file(path, run_file) == path
        assert older.read() == "an older one"
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["model"] == "modèle"
    assert written["verify"]["argv"] == ["python3", "-B"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_an_error_of_one_line(run_file: RunFile, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"run\.json: folder .* does not exist"):
        write_run_file(tmp_path / "missing" / "run.json", run_file)


def test_an_edited_document_leaves_the_run_file_as_it_is(run_file: RunFile) -> None:
    edited = run_file.document()
    edited["verify"]["env"]["PATH"] = "/elsewhere"
    edited["timeouts"]["total_s"] = 0
    assert run_file.document()["verify"]["env"] == {"PATH": "/bin"}
    assert run_file.document()["timeouts"]["total_s"] == 900


def test_a_runtime_inherits_named_variables_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("GOGC", "25")
    monkeypatch.delenv("LC_ALL", raising=False)
    environment = inherited()
    assert environment["TZ"] == "UTC"
    assert set(environment) <= set(PASSED_ON) - {"LC_ALL"}

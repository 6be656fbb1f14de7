"""The client that does nothing but read."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from agentdyno.calibration.measurement import READER, Load, choose_client
from agentdyno.endpoint.process import started


@pytest.mark.usefixtures("starts_processes")
def test_the_reader_and_the_endpoint_import_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('json.py of the current folder was imported')\n")
    monkeypatch.chdir(tmp_path)
    journal = tmp_path / "journal.jsonl"
    load = Load(streams=2, rate=1_000, seconds=0.01)
    client = choose_client(READER, tmp_path)
    options = ["--limit", "1", "--profile", "instant", "--journal", str(journal)]
    with started(options, tmp_path / "endpoint.stderr") as (_, url):
        done = subprocess.run(
            client.argv(url, load, tmp_path),
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    requests = [
        line for line in map(json.loads, journal.read_text().splitlines()) if line["kind"] == "request"
    ]
    assert [(line["finish"], line["completion_tokens"]) for line in requests] == [("length", load.tokens)] * 2

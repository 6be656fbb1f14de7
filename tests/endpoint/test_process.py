"""The endpoint as a process of its own, and its priority."""

import http.client
import os
import subprocess
import urllib.parse
from pathlib import Path

import pytest

from agentdyno.endpoint.process import prefer, started

pytestmark = pytest.mark.usefixtures("starts_processes")


def test_the_endpoint_imports_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('json.py of the current folder was imported')\n")
    monkeypatch.chdir(tmp_path)
    with started(["--limit", "1", "--profile", "instant"], tmp_path / "stderr") as (_, url):
        address = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        connection.close()


def test_a_session_of_its_own_gets_the_niceness_that_counts() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, start_new_session=True) as process:
        # To be nicer is allowed to everybody.
        assert prefer(process.pid, 3) == 3
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 3
        group = Path(f"/proc/{process.pid}/autogroup")
        assert not group.exists() or group.read_text().endswith(" nice 3\n")
        process.communicate()

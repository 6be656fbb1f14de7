"""`agentdyno calibrate`, with real processes and short loads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentdyno.calibration.capacity import known_capacity

pytestmark = pytest.mark.usefixtures("starts_processes")

HEADING = "streams at once events/s p50 ms p99 ms max ms CPU client others on time"


def calibrate(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "agentdyno", "calibrate", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=os.environ | environment
    )


def within(open_files: int, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """`calibrate` where the hard limit on open files is so low."""
    words = " ".join([sys.executable, "-m", "agentdyno", "calibrate", *map(str, arguments)])
    return subprocess.run(
        ["sh", "-c", f"ulimit -Sn {open_files} && ulimit -Hn {open_files} && exec {words}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("client", ["floor", "reader"])
def test_one_load(client: str, tmp_path: Path) -> None:
    done = calibrate(
        *("--streams", 20, "--rate", 100, "--seconds", 0.3, "--json"), "--client", client, "--out", tmp_path
    )
    [load] = json.loads(done.stdout)
    assert (load["streams"], load["rate"], load["client"]) == (20, 100.0, client)
    assert (load["max_in_flight"], load["completed"]) == (20, 20)
    assert load["events_per_s"] > 0
    assert 0 <= load["lateness_p50_ms"] <= load["lateness_p99_ms"] <= load["lateness_max_ms"]
    assert done.returncode == (1 if load["faults"] else 0)
    assert not (tmp_path / "calibration.json").exists()


def test_the_limit_is_found_said_and_kept(tmp_path: Path) -> None:
    """So few open files leave room for 16 streams, which any machine serves, though perhaps not on time."""
    done = within(80, "--seconds", 0.3, "--out", tmp_path)
    heading, *rows = done.stdout.splitlines()
    assert " ".join(heading.split()) == HEADING
    assert rows[0].split()[:4] == ["16", "×", "25/s", "16"]
    limit = known_capacity(tmp_path / "calibration.json")
    if done.returncode == 0:
        assert limit is not None
        assert limit.events_per_s == limit.streams * 25
        assert f"{limit.streams:,} streams at 25/s were on time with {limit.client} as client" in rows[-1]
    else:
        assert limit is None
        assert rows[-1].startswith("The endpoint cannot serve even 250 events a second on time here: ")


def test_the_limit_as_json(tmp_path: Path) -> None:
    done = within(80, "--seconds", 0.3, "--json", "--client", "reader", "--out", tmp_path)
    document = json.loads(done.stdout)
    assert document["loads"][0]["streams"] == 16
    assert document["loads"][0]["client"] == "reader"
    served = [load["streams"] for load in document["loads"] if not load["faults"]]
    assert (document["limit"]["streams"] if document["limit"] else None) == max(served, default=None)


def test_the_reader_is_the_client_where_floor_cannot_be_built(tmp_path: Path) -> None:
    arguments = ("--streams", 2, "--seconds", 0.1, "--json", "--out", tmp_path)
    done = calibrate(*arguments, PATH=str(tmp_path))
    assert [load["client"] for load in json.loads(done.stdout)] == ["reader"]
    asked_for = calibrate(*arguments, "--client", "floor", PATH=str(tmp_path))
    assert (asked_for.returncode, asked_for.stdout) == (1, "")
    assert asked_for.stderr.startswith("agentdyno: runtime `floor` needs `make`")


def test_too_few_open_files() -> None:
    done = within(100, "--streams", 1000)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "agentdyno: 1000 streams need 1064 open files and the hard limit is 100: ask for fewer, or raise the "
        "limit in this shell, as root: `ulimit -n 1064` "
        "(permanently: `* hard nofile 1064` in /etc/security/limits.conf)\n"
    )

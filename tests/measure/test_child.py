import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agentdyno.errors import UserError
from agentdyno.measure import proc
from agentdyno.process.child import Child
from agentdyno.process.die_with_parent import CAP_SYS_NICE
from agentdyno.process.pidfd import pidfd_open

pytestmark = pytest.mark.usefixtures("starts_processes")


def test_the_pid_of_a_child_is_written_to_what_it_joins(tmp_path: Path) -> None:
    members = [tmp_path / "one group", tmp_path / "another"]
    with Child(["sleep", "600"], cwd=tmp_path, environment=os.environ, join=members) as child:
        assert [file.read_text() for file in members] == [str(child.pid)] * 2


def test_a_child_that_cannot_join_is_not_executed(tmp_path: Path) -> None:
    absent = tmp_path / "absent/cgroup.procs"
    message = f"cannot execute touch in {tmp_path}: cannot join {absent}: No such file or directory"
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        Child(["touch", "executed"], cwd=tmp_path, environment=os.environ, join=[absent])
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_cannot_be_executed_after_joining_is_named(tmp_path: Path) -> None:
    message = f"cannot execute ./absent in {tmp_path}: No such file or directory"
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        Child(["./absent"], cwd=tmp_path, environment=os.environ, join=[tmp_path / "members"])


def test_a_python_without_descriptors_of_processes_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    monkeypatch.delattr(signal, "pidfd_send_signal")
    with Child(["sleep", "600"], cwd=tmp_path, environment=os.environ) as child:
        assert not child.has_ended(0)
        child.signal(signal.SIGINT)
        assert child.has_ended(60)
        child.signal(signal.SIGINT)  # which has no effect any more
        assert child.reap() == -signal.SIGINT
    with pytest.raises(ProcessLookupError):
        pidfd_open(child.pid)


@pytest.mark.parametrize("has_one_thread", [False, True])
def test_however_it_is_started_it_leads_a_session_and_cannot_raise_its_priority(
    tmp_path: Path, has_one_thread: bool
) -> None:
    with (
        (tmp_path / "status").open("wb") as stdout,
        Child(
            ["sh", "-c", "cat /proc/$$/status /proc/$$/stat"],
            cwd=tmp_path,
            environment=os.environ,
            stdout=stdout,
            has_one_thread=has_one_thread,
        ) as child,
    ):
        assert child.has_ended(60)
        assert child.t_executed > 0
    *status, stat = (tmp_path / "status").read_text().splitlines()
    (bounding,) = (int(line.split()[1], 16) for line in status if line.startswith("CapBnd:"))
    assert bounding & 1 << CAP_SYS_NICE == 0 or os.geteuid() != 0
    assert int(stat.rpartition(")")[2].split()[3]) == child.pid  # the session (proc(5))


@pytest.mark.parametrize("has_one_thread", [False, True])
def test_however_it_is_started_it_does_not_outlive_its_parent(tmp_path: Path, has_one_thread: bool) -> None:
    parent = f"""
import os, signal
from pathlib import Path
from agentdyno.measure import proc
from agentdyno.process.child import Child
from agentdyno.process.die_with_parent import CAP_SYS_NICE
child = Child(["sleep", "600"], cwd=Path("/"), environment=os.environ, has_one_thread={has_one_thread})
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-P", "-c", parent], stdout=subprocess.PIPE, check=False)
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    while (process := proc.read(pid)) is not None and not process.is_zombie:
        pass


@pytest.mark.parametrize("has_one_thread", [False, True])
def test_however_it_is_started_a_program_that_is_not_there_is_named(
    tmp_path: Path, has_one_thread: bool
) -> None:
    message = f"cannot execute ./absent in {tmp_path}: No such file or directory"
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        Child(["./absent"], cwd=tmp_path, environment=os.environ, has_one_thread=has_one_thread)

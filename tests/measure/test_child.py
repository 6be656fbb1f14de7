import os
import re
import signal
from pathlib import Path

import pytest

from agentdyno.errors import UserError
from agentdyno.process.child import Child
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

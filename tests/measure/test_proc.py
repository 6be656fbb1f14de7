import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentdyno.measure import proc
from agentdyno.measure.tree import Tree
from agentdyno.process.child import Child

pytestmark = pytest.mark.usefixtures("starts_processes")

BURNS_IN_A_THREAD = """
import sys, threading, time
def burn():
    while time.thread_time() < 0.05:
        pass
thread = threading.Thread(target=burn)
thread.start()
thread.join()
print(time.process_time(), flush=True)
sys.stdin.read()
"""
SPAWNS = """
import os, sys
fifo, *group = sys.argv[1:]
stdin_from_fifo = [(os.POSIX_SPAWN_OPEN, 0, fifo, os.O_RDONLY, 0)]
pid = os.posix_spawn("/bin/cat", ["cat"], {}, file_actions=stdin_from_fifo, **dict.fromkeys(group, 0))
os.waitpid(pid, 0)
"""


def test_the_processor_time_of_ended_threads_and_of_ended_processes_counts(tmp_path: Path) -> None:
    with Child(
        [sys.executable, "-c", BURNS_IN_A_THREAD],
        cwd=tmp_path,
        environment=os.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        said = float(child.stdout.readline())
        present = proc.cpu_s(child.pid)
        assert present is not None
        assert present >= said >= 0.05
        os.kill(child.pid, 9)
        while not child.has_ended(1):
            pass
        at_the_end = proc.cpu_s(child.pid)
        assert at_the_end is not None
        assert at_the_end >= present
        child.reap()
        assert proc.cpu_s(child.pid) is None


@contextlib.contextmanager
def spawning(folder: Path, *group: str) -> Iterator[tuple[Child, int]]:
    """A process that makes a child in its own memory (vfork), and that child, held before its execve: it
    waits for somebody to write to a fifo.
    """
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    with Child(
        [sys.executable, "-c", SPAWNS, str(fifo), *group], cwd=folder, environment=os.environ
    ) as parent:
        while not (made := proc.children(parent.pid)) or (group and made[0].group == parent.pid):
            assert not parent.has_ended(0.01)
        try:
            yield parent, made[0].pid
        finally:  # no signal but SIGKILL reaches the parent while it waits for the execve
            with contextlib.suppress(OSError):
                os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))


@pytest.mark.parametrize("group", [(), ("setpgroup",)], ids=["in the group", "in a group of its own"])
def test_a_child_that_has_not_executed_its_program_is_left_out_of_the_tree(
    tmp_path: Path, group: tuple[str, ...]
) -> None:
    with spawning(tmp_path, *group) as (parent, held):
        assert {process.pid for process in proc.every()} >= {parent.pid, held}
        tree = Tree(parent.pid)
        for _ in range(3):  # on a busy machine it may be in its parent's memory for longer than one look
            assert [process.pid for process in tree.processes()] == [parent.pid]


def test_a_child_in_a_group_of_its_own_belongs_to_the_tree_once_it_has_executed_its_program(
    tmp_path: Path,
) -> None:
    with spawning(tmp_path, "setpgroup") as (parent, held):
        tree = Tree(parent.pid)
        assert [process.pid for process in tree.processes()] == [parent.pid]
        with (tmp_path / "fifo").open("w"):
            while Path(f"/proc/{held}/comm").read_text() != "cat\n":
                pass
            fresh = Tree(parent.pid)
            assert {process.pid for process in fresh.processes()} == {parent.pid, held}
            assert {process.pid for process in tree.processes()} == {parent.pid, held}


def test_a_worker_that_was_forked_belongs_to_the_tree_from_the_second_look_on(tmp_path: Path) -> None:
    forks = "import os, signal; os.fork(); signal.pause()"
    with Child([sys.executable, "-c", forks], cwd=tmp_path, environment=os.environ) as parent:
        while not (made := proc.children(parent.pid)):
            assert not parent.has_ended(0.01)
        tree = Tree(parent.pid)
        assert [process.pid for process in tree.processes()] == [parent.pid]
        assert {process.pid for process in tree.processes()} == {parent.pid, made[0].pid}


HIDDEN = """
import ctypes, os
from agentdyno.measure import proc
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE, which a change of the user takes away
child = os.posix_spawn("/bin/sleep", ["sleep", "600"], {})
try:
    open("/proc/1/stat")
except PermissionError:
    print("hidden", proc.read(1), [process.pid == child for process in proc.children(os.getpid())])
os.kill(child, 9)
"""


def test_processes_that_are_hidden_are_none_and_own_ones_are_seen() -> None:
    """/proc as it is mounted with hidepid=1, which takes a mount namespace of one's own to try."""
    mount = 'mount -o remount,hidepid=1 /proc && "$@"; exit $?'
    unshare = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", mount, "sh"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
        pytest.skip("this user may not mount /proc anew")
    done = subprocess.run([*unshare, sys.executable, "-c", HIDDEN], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("hidden None [True]\n", "")

"""What the suite sees of a runtime's children: the runtime is accused of nothing that another program did."""

import os
import subprocess
from pathlib import Path

import pytest

from agentdyno.conformance.running import Watcher
from agentdyno.measure import proc
from agentdyno.process.child import Child

pytestmark = pytest.mark.usefixtures("starts_processes")

KEY = "sk-4711"
RUNTIME = ["cat", "run.json"]


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.parametrize("through", [True, False])
def test_a_program_that_executes_the_runtime_may_have_children_of_its_own(
    tmp_path: Path, through: bool
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    wrapper = ["sh", "-c", 'head -c 1 "$0"; exec "$@"', str(fifo), *RUNTIME]
    with Child(
        wrapper, cwd=tmp_path, environment=os.environ | {"LLM_API_KEY": KEY}, stdout=subprocess.DEVNULL
    ) as child:
        watcher = Watcher(child, KEY, RUNTIME if through else ())
        while not any(command_of(pid).startswith(b"head") for pid in proc.listed_children(child.pid)):
            pass
        watcher.look_at_children()
        fifo.write_text("x")
        while not child.has_ended(1):
            pass
    assert watcher.key_in_process == ([] if through else ["environment of head -c 1 " + str(fifo)])

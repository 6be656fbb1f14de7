import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentdyno.measure import proc
from agentdyno.measure.sampler import Sample, Sampler
from agentdyno.process.child import Child

pytestmark = pytest.mark.usefixtures("starts_processes")

MICROSECOND = 1e-6
SEEN_S = 0.1
"""Half of what the worker takes, so that it is reached while the worker lives."""
FORKS = f"""
import os, signal, time
worker = os.fork()
if worker == 0:
    while time.process_time() < {2 * SEEN_S}:
        pass
    signal.pause()
print(worker, flush=True)
os.waitpid(worker, 0)
signal.pause()
"""


def test_the_processor_time_of_a_worker_stays_counted_when_it_has_ended(tmp_path: Path) -> None:
    with Child(
        [sys.executable, "-c", FORKS], cwd=tmp_path, environment=os.environ, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        worker = int(child.stdout.readline())
        sampler = Sampler(child.pid, tmp_path / "samples.jsonl")

        def latest() -> Sample:
            """The next sample to be looked at, or a failure if the runtime ends."""
            assert not child.has_ended(0.01)
            return sampler.latest or Sample(0, 0, 0, 0.0, 0, None, None)

        with sampler:
            while sampler.workers_cpu_s < SEEN_S:
                assert latest().threads <= 2
            before = latest().cpu_s
            os.kill(worker, signal.SIGKILL)
            while latest().threads != 1:
                pass
            assert latest().cpu_s >= before >= SEEN_S
            assert sampler.workers_cpu_s >= SEEN_S


HELD_KIB = 64 * 1024
TOOL_HELD_KIB = 32 * 1024
HAS_A_TOOL = f"""
import signal, subprocess, sys
held = b"x" * ({HELD_KIB} << 10)
tool = 'import signal; held = b"y" * ({TOOL_HELD_KIB} << 10); print(flush=True); signal.pause()'
tool = subprocess.Popen([sys.executable, "-c", tool], process_group=0, stdout=subprocess.PIPE)
tool.stdout.readline()
print(flush=True)
signal.pause()
"""


def test_tools_are_told_from_the_runtime_in_looks_at_the_tree(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    with Child(
        [sys.executable, "-c", HAS_A_TOOL], cwd=tmp_path, environment=os.environ, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with Sampler(child.pid, path) as sampler:
            while sampler.latest is None or sampler.latest.tree_pss_kib is not None:
                assert not child.has_ended(0.01)
    first, second = samples(path)[:2]
    assert first["tree_processes"] == 2
    assert TOOL_HELD_KIB <= first["tools_pss_kib"] < HELD_KIB
    assert first["tree_pss_kib"] - first["tools_pss_kib"] >= HELD_KIB
    assert (second["tree_pss_kib"], second["tools_pss_kib"]) == (None, None)


def test_the_endpoint_is_looked_at_when_the_sampler_is_told_of_one(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    with (
        Child(["sleep", "600"], cwd=tmp_path, environment=os.environ) as endpoint,
        Child(["sleep", "600"], cwd=tmp_path, environment=os.environ) as child,
    ):
        wait_for_a_sample(Sampler(child.pid, path, endpoint_pid=endpoint.pid), child)
        at_the_end = proc.cpu_s(endpoint.pid)
        assert at_the_end is not None
        assert all(0 < sample["endpoint_cpu_s"] <= at_the_end + MICROSECOND for sample in samples(path))
        wait_for_a_sample(Sampler(child.pid, path), child)
        assert all(sample["endpoint_cpu_s"] is None for sample in samples(path))


def samples(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_samples_that_cannot_be_written_end_the_run(tmp_path: Path) -> None:
    with Child(["sleep", "600"], cwd=tmp_path, environment=os.environ) as child:
        sampler = Sampler(child.pid, Path("/dev/full"))
        with pytest.raises(OSError, match="No space left on device"):
            wait_for_a_sample(sampler, child)


def wait_for_a_sample(sampler: Sampler, child: Child) -> None:
    with sampler:
        while sampler.latest is None:
            assert not child.has_ended(0.01)


def test_an_error_of_a_write_names_the_file(tmp_path: Path) -> None:
    with Child(["sleep", "600"], cwd=tmp_path, environment=os.environ) as child:
        sampler = Sampler(child.pid, Path("/dev/full"))
        sampler.__enter__()
        while sampler.latest is None:
            pass
        with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
            sampler.__exit__(None, None, None)

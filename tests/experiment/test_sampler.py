import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agentdyno.child import Child
from agentdyno.measure.sampler import Sample, Sampler

SEEN_S = 0.1
"""The kernel counts whole ticks, so not all of what the worker takes is seen."""
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


def test_samples_that_cannot_be_written_end_the_run(tmp_path: Path) -> None:
    with Child(["sleep", "600"], cwd=tmp_path, environment=os.environ) as child:
        sampler = Sampler(child.pid, Path("/dev/full"))
        with pytest.raises(OSError, match="No space left on device"):
            wait_for_a_sample(sampler, child)


def wait_for_a_sample(sampler: Sampler, child: Child) -> None:
    with sampler:
        while sampler.latest is None:
            assert not child.has_ended(0.01)

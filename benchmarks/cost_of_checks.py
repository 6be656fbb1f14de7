"""What the checks of a run's claims take: `.venv/bin/python benchmarks/cost_of_checks.py [VERIFICATIONS]`.

Starts a program that does nothing (`true`), in turn by itself and by the program that sends a receipt, while
a listener takes the receipts as in a run. Prints how much longer a verification takes, and the processor time
of the listener, per receipt; the memory of the receipt's program while it waits; and how long it takes to
hash each contender, which happens before each run.
"""

import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from agentdyno.analysis.statistics import interval
from agentdyno.measure.proc import pss_kib
from agentdyno.runner.receipts import listening
from agentdyno.runtimes.contender import contender_sha256
from agentdyno.runtimes.manifest import choose
from agentdyno.verifiers import find_receipt

VERIFICATIONS = 1000
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def main(verifications: int) -> None:
    """Measure all of it once."""
    program, _ = find_receipt()
    if program is None:
        raise SystemExit(
            "there is no program that sends receipts: install a C compiler and run runner/setup.sh"
        )
    with tempfile.TemporaryDirectory(prefix="agentdyno-cost-") as name:
        folder = Path(name).resolve()
        os.chdir(folder)
        (folder / "solution.py").write_text("x = 1\n" * 50)
        (folder / "test_solution.py").write_text("assert x\n" * 50)
        longer, listener_s = verified(program, folder, verifications)
        print(f"a verification with a receipt takes {statistics.median(longer):.2f} ms more", end="")
        low, high = interval(longer) or (0.0, 0.0)
        print(f" (95% CI {low:.2f} to {high:.2f}, {verifications} pairs)")
        print(f"the harness takes {listener_s / verifications * 1e6:.0f} us of processor time for a receipt")
        print(f"the program takes {waiting_kib(program, folder)} KiB (PSS) while the verifier runs")
    for manifest in choose(None):
        begun = time.perf_counter()
        contender_sha256(manifest)
        print(f"hashing {manifest.name} takes {(time.perf_counter() - begun) * 1e3:.0f} ms")


def verified(program: Path, folder: Path, verifications: int) -> tuple[list[float], float]:
    """How many ms longer each verification takes than one without a receipt, and the listener's time in s."""
    command = [str(program), f"cost-{os.getpid()}", "true"]
    longer = []
    with listening(command, ENVIRONMENT, folder.parent, folder / "receipts.jsonl"):
        before = resource.getrusage(resource.RUSAGE_SELF)
        starting_s = 0.0
        for _ in range(verifications):
            plain, plain_s = started(["/bin/true"])
            sending, sending_s = started(command)
            longer.append(sending - plain)
            starting_s += plain_s + sending_s
    after = resource.getrusage(resource.RUSAGE_SELF)
    used_s = sum(getattr(after, name) - getattr(before, name) for name in ("ru_utime", "ru_stime"))
    return longer, max(0.0, used_s - starting_s)


def started(command: list[str]) -> tuple[float, float]:
    """How many ms a program takes from start to end, and the seconds that this thread takes for it."""
    begun, own = time.perf_counter(), time.thread_time()
    pid = os.posix_spawn(command[0], command, ENVIRONMENT)
    os.waitpid(pid, 0)
    return (time.perf_counter() - begun) * 1e3, time.thread_time() - own


def waiting_kib(program: Path, folder: Path) -> int:
    """The memory of the program while its verifier waits for an end of its input."""
    command = [str(program), f"cost-{os.getpid()}", "cat"]
    end, ours = os.pipe()
    with listening(command, ENVIRONMENT, folder.parent, folder / "receipts.jsonl"):
        actions = [(os.POSIX_SPAWN_DUP2, end, 0), (os.POSIX_SPAWN_CLOSE, ours)]
        pid = os.posix_spawn(command[0], command, ENVIRONMENT, file_actions=actions)
        while not Path(f"/proc/{pid}/task/{pid}/children").read_text():
            time.sleep(0.001)
        found = pss_kib(pid)
        os.close(ours)
        os.close(end)
        os.waitpid(pid, 0)
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else VERIFICATIONS)

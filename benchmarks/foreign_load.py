"""From which foreign load on figures move: one runtime beside programs that use a known share of the cores.

Every block measures all shares in random order. The ratios are to the run of the same block without foreign
load. Prints a line for each share: the foreign share that agentdyno measured, and the median ratio and the
range of each figure.

    .venv/bin/python benchmarks/foreign_load.py [RUNTIME] [BLOCKS]
"""

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARES = (0.0, 0.05, 0.1, 0.2, 0.4)
METRICS = ("peak_rss_mib", "cpu_s_per_task", "overhead_ms_p50", "overhead_ms_p99", "wall_s")
OPTIONS = (
    *("--limit", "120", "--agents", "20", "--profile", "chat-7b:ttft=100ms,itl=2ms"),
    *("--controls", "none", "--redo", "0", "--verifier", "null"),
)
PERIOD_S = 0.02


@contextmanager
def load(share: float) -> Iterator[None]:
    """A process for each processor that works for `share` of every PERIOD_S."""
    work = (
        "import time\n"
        f"while True:\n"
        f"    until = time.monotonic() + {share * PERIOD_S}\n"
        f"    while time.monotonic() < until: pass\n"
        f"    time.sleep({(1 - share) * PERIOD_S})\n"
    )
    command = [sys.executable, "-I", "-S", "-c", work]
    busy = [subprocess.Popen(command) for _ in os.sched_getaffinity(0)] if share else []
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def measure(runtime: str, share: float, results: Path) -> dict[str, float]:
    """The figures of one run, with the foreign share that it had."""
    with load(share):
        time.sleep(0.5)
        command = [sys.executable, "-m", "agentdyno", "run", "--runtimes", runtime, *OPTIONS]
        subprocess.run([*command, "--out", str(results)], capture_output=True, check=False)
    (row,) = json.loads((results / "latest" / "summary.json").read_text())["rows"]
    return {name: row["metrics"][name]["median"] for name in (*METRICS, "foreign_cpu_share")}


def main() -> None:
    """Measure, and print the table."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # which ends the load
    runtime = sys.argv[1] if len(sys.argv) > 1 else "python"
    blocks = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    draw = random.Random(0)
    ratios: dict[float, list[dict[str, float]]] = {share: [] for share in SHARES}
    with tempfile.TemporaryDirectory() as folder:
        for block in range(blocks):
            found = {
                share: measure(runtime, share, Path(folder) / f"{block}-{share}")
                for share in draw.sample(SHARES, len(SHARES))
            }
            for share, its in found.items():
                ratios[share].append(
                    {name: its[name] / found[0.0][name] for name in METRICS}
                    | {"share": its["foreign_cpu_share"]}
                )
            print(f"block {block + 1} of {blocks}", file=sys.stderr)
    print(f"{runtime}, {blocks} blocks: load, measured share, then ratios to no load, median (range)")
    for share, runs in ratios.items():
        columns = [f"{share:5.0%}", f"{statistics.median(each['share'] for each in runs):6.1%}"]
        for name in METRICS:
            values = [each[name] for each in runs]
            columns.append(f"{name} {statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})")
        print("  ".join(columns))


if __name__ == "__main__":
    main()

"""`agentdyno calibrate`: is the endpoint fast enough on this machine to be an instrument?

The endpoint and a client that only reads run as processes of their own, and the endpoint's journal says how
late its chunks left. What it cannot do on a quiet machine it cannot do beside a runtime either.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from agentdyno import open_files
from agentdyno.endpoint.process import started
from agentdyno.errors import Refusal
from agentdyno.measure.proc import CLOCK_TICKS_PER_S

GOAL_P99_MS = 10.0
BUSY_CPU = 0.2
"""From how much of a core on other programs are worth a mention."""
CONNECTIONS_PER_S = 2000.0
_MODEL = "agentdyno-sim"


@dataclass(frozen=True, slots=True)
class Load:
    """So many streams at once, each with so many events a second, for so long after the last has begun."""

    streams: int
    rate: float
    seconds: float

    @property
    def tokens(self) -> int:
        """How long each reply must be for all streams to overlap that long."""
        return max(1, round(self.rate * (self.streams / CONNECTIONS_PER_S + self.seconds)))


DEFAULT_LOADS = (Load(1_000, 25, 10), Load(10_000, 2, 10))


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the endpoint did under one load.

    The CPU shares are of one core, over the time from the first arrival to the last chunk; `others_cpu` is
    what the rest of the machine used from the start of the endpoint to its end.
    """

    streams: int
    rate: float
    max_in_flight: int
    completed: int
    events_per_s: float
    lateness_p50_ms: float
    lateness_p99_ms: float
    lateness_max_ms: float
    endpoint_cpu: float
    client_cpu: float
    others_cpu: float

    @property
    def faults(self) -> list[str]:
        """Why the endpoint is not to be trusted under this load; empty when it is."""
        faults = []
        if self.max_in_flight < self.streams:
            faults.append(f"only {self.max_in_flight} of {self.streams} streams were open at once")
        if self.completed < self.streams:
            faults.append(f"{self.streams - self.completed} streams did not end well")
        if self.lateness_p99_ms >= GOAL_P99_MS:
            faults.append(f"one chunk in a hundred left more than {GOAL_P99_MS:g} ms late")
        if faults and self.others_cpu >= BUSY_CPU:
            faults.append(
                f"other programs used {self.others_cpu:.0%} of a core meanwhile, so try again without them"
            )
        return faults


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `calibrate` takes."""
    parser.add_argument(
        "--streams", type=int, metavar="N", help="one load of this many streams, not the usual two"
    )
    parser.add_argument(
        "--rate", type=float, metavar="HZ", help="events a second on each stream (default: 25)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=10.0,
        help="how long all streams are open at once (default: %(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON rather than a table")


def run(args: argparse.Namespace) -> int:
    """Calibrate; the exit status is 0 when every load was served in time, else 1."""
    calibrations = [calibrate(load) for load in _loads(args)]
    if args.json:
        documents = [asdict(calibration) | {"faults": calibration.faults} for calibration in calibrations]
        print(json.dumps(documents, indent=2))
    else:
        _print(calibrations)
    return 1 if any(calibration.faults for calibration in calibrations) else 0


def calibrate(load: Load) -> Calibration:
    """Start an endpoint and a reader, have them work, and read the journal. Raises `Refusal`."""
    open_files.allow(load.streams + open_files.SPARE, f"{load.streams} streams")
    begun, others_begun_s = time.monotonic(), _cpu_of_others_s()
    with tempfile.TemporaryDirectory(prefix="agentdyno-calibrate-") as folder:
        journal = Path(folder, "journal.jsonl")
        reader = _serve_and_read(load, journal)
        others_cpu = (_cpu_of_others_s() - others_begun_s) / (time.monotonic() - begun)
        with journal.open(encoding="utf-8") as lines:
            documents = [json.loads(line) for line in lines]
    return _calibration(load, documents, reader, others_cpu)


def _serve_and_read(load: Load, journal: Path) -> dict[str, Any]:
    profile = f"instant:itl={1e6 / load.rate:.3f}us"
    options = ["--limit", "1", "--model", _MODEL, "--profile", profile, "--journal", str(journal)]
    with started(options, journal.with_name("endpoint.stderr")) as (_, url):
        read = [sys.executable, "-m", "agentdyno.measure.reader", url, _MODEL]
        read += [str(load.streams), str(load.tokens), str(CONNECTIONS_PER_S)]
        reader = subprocess.run(read, stdout=subprocess.PIPE, text=True, check=False)
    if reader.returncode:
        raise Refusal(
            f"calibrate: the client failed with exit status {reader.returncode}; its message is above"
        )
    result: dict[str, Any] = json.loads(reader.stdout)
    return result


def _cpu_of_others_s() -> float:
    """Processor time of the whole machine (proc(5), /proc/stat) less that of our reaped children."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (user + nice + system + irq + softirq + steal) / CLOCK_TICKS_PER_S - own.ru_utime - own.ru_stime


def _calibration(
    load: Load, documents: list[dict[str, Any]], reader: dict[str, Any], others_cpu: float
) -> Calibration:
    start, end = documents[0], documents[-1]
    requests = [document for document in documents if document["kind"] == "request"]
    span_s = (max(r["t_last"] for r in requests) - min(r["t_arrive"] for r in requests)) / 1e9
    return Calibration(
        streams=load.streams,
        rate=load.rate,
        max_in_flight=end["max_in_flight"],
        completed=reader["completed"],
        events_per_s=round(reader["events"] / span_s),
        lateness_p50_ms=end["lateness_us_p50"] / 1e3,
        lateness_p99_ms=end["lateness_us_p99"] / 1e3,
        lateness_max_ms=end["lateness_us_max"] / 1e3,
        endpoint_cpu=round((end["cpu_s"] - start["cpu_s"]) / span_s, 3),
        client_cpu=round(reader["cpu_s"] / span_s, 3),
        others_cpu=round(max(others_cpu, 0.0), 3),
    )


def _loads(args: argparse.Namespace) -> list[Load]:
    if args.streams is None and args.rate is None:
        loads = [Load(load.streams, load.rate, args.seconds) for load in DEFAULT_LOADS]
    else:
        streams, rate = (args.streams, args.rate)
        loads = [Load(1_000 if streams is None else streams, 25.0 if rate is None else rate, args.seconds)]
    for load in loads:
        if load.streams < 1 or load.rate <= 0 or load.seconds <= 0:
            raise Refusal("calibrate: --streams, --rate and --seconds must be above 0")
    return loads


def _print(calibrations: list[Calibration]) -> None:
    table = Table(
        *("streams", "at once", "events/s", "p50", "p99", "max", "CPU", "client", "others"),
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        caption="p50, p99, max: how late chunks left\n"
        "CPU, client, others: the endpoint's share of a core, and theirs",
        caption_justify="left",
    )
    for column in table.columns:
        column.justify = "right"
        column.no_wrap = True
    for calibration in calibrations:
        table.add_row(
            f"{calibration.streams:,} × {calibration.rate:g}/s",
            f"{calibration.max_in_flight:,}",
            f"{calibration.events_per_s:,.0f}",
            f"{calibration.lateness_p50_ms:.1f} ms",
            f"{calibration.lateness_p99_ms:.1f} ms",
            f"{calibration.lateness_max_ms:.1f} ms",
            f"{calibration.endpoint_cpu:.0%}",
            f"{calibration.client_cpu:.0%}",
            f"{calibration.others_cpu:.0%}",
        )
    console = Console()
    console.print(table)
    for calibration in calibrations:
        verdict = "; ".join(calibration.faults) or "on time"
        console.print(f"{calibration.streams:,} streams at {calibration.rate:g} events/s: {verdict}")

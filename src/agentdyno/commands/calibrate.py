"""`agentdyno calibrate`: the largest load that the endpoint serves on time on this machine."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentdyno.calibration.capacity import NAME, EndpointCapacity, keep
from agentdyno.calibration.measurement import (
    GOAL_P99_MS,
    NAMES,
    Client,
    Load,
    Measurement,
    bracket,
    choose_client,
    measure,
)
from agentdyno.endpoint.simulation import MAX_PROSE_TOKENS
from agentdyno.errors import UserError
from agentdyno.options import SECONDS, whole, within
from agentdyno.process import limits
from agentdyno.project import RESULTS

RATE = 25.0
"""Events a second on each stream during the search for the largest number of streams."""
START_STREAMS = 320
LEAST_STREAMS = 10
MOST_STREAMS = 20_000
PRECISION = 0.1

SECONDS_OF_SEARCH = 5.0
SECONDS_OF_LOAD = 10.0

STREAMS_LIMIT = 1_000_000
LEAST_RATE, MOST_RATE = 0.001, 1e6
"""In events a second, as --rate takes them: from 1 in 1,000 s to 1 in a microsecond."""
LEAST_SECONDS, MOST_SECONDS = 0.001, 86_400.0
"""As --seconds takes them."""

_COLUMNS = {
    "streams": 15,
    "at once": 7,
    "events/s": 8,
    "p50 ms": 6,
    "p99 ms": 6,
    "max ms": 7,
    "CPU": 5,
    "client": 6,
    "others": 6,
    "on time": 7,
}
_LEGEND = (
    f"p50, p99, max: lateness of the chunks; on time: p99 below {GOAL_P99_MS:g} ms, with all streams open\n"
    "CPU, client, others: share of a core that the endpoint, its client and other programs used"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `calibrate` takes."""
    parser.add_argument(
        "--streams",
        type=whole("--streams", 1, STREAMS_LIMIT),
        metavar="N",
        help="measure one load of this many streams (default: 1000), without a search for the largest load",
    )
    parser.add_argument(
        "--rate",
        type=within("--rate", LEAST_RATE, MOST_RATE),
        metavar="HZ",
        help=f"measure one load of this many events a second on each stream (default: {RATE:g})",
    )
    parser.add_argument(
        "--seconds",
        type=within("--seconds", LEAST_SECONDS, MOST_SECONDS, SECONDS),
        help="how long all streams are open at once "
        f"(default: {SECONDS_OF_SEARCH:g}, or {SECONDS_OF_LOAD:g} for one load)",
    )
    parser.add_argument(
        "--client",
        choices=NAMES,
        help="the program that reads (default: floor if it can be built, else reader)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=RESULTS,
        metavar="DIR",
        help=f"write the result to DIR/{NAME}; run and check read it from results (default: results)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON rather than a table")


def run(args: argparse.Namespace) -> int:
    """Calibrate; the exit status is 0 if the load was served on time or a capacity was found, else 1."""
    one = args.streams is not None or args.rate is not None
    load = Load(
        1_000 if args.streams is None else args.streams,
        RATE if args.rate is None else args.rate,
        (SECONDS_OF_LOAD if one else SECONDS_OF_SEARCH) if args.seconds is None else args.seconds,
    )
    if load.tokens > MAX_PROSE_TOKENS:
        raise UserError(
            f"calibrate: each stream would have {load.tokens} events, and the endpoint's longest reply has "
            f"{MAX_PROSE_TOKENS}: lower --rate or --seconds"
        )
    if one:
        limits.allow_open_files(
            limits.open_files_needed(load.streams, 0, relayed=False), f"{load.streams} streams"
        )
    args.out.mkdir(parents=True, exist_ok=True)
    client = choose_client(args.client, args.out / "build")
    steps = Steps(client, is_shown=not args.json)
    return _one(steps, load, args.json) if one else _search(steps, load.seconds, args.out, args.json)


class Steps:
    """Loads measured one after the other; each is a line of a table as soon as it ends."""

    def __init__(self, client: Client, *, is_shown: bool) -> None:
        self.client = client
        self.measurements: list[Measurement] = []
        self._is_shown = is_shown
        if is_shown:
            print(_line(list(_COLUMNS)), flush=True)

    def measure(self, load: Load) -> Measurement:
        """Measure one more load. Raises `UserError`."""
        measurement = measure(load, self.client)
        self.measurements.append(measurement)
        if self._is_shown:
            print(_row(measurement), flush=True)
        return measurement

    def holds(self, load: Load) -> bool:
        """Whether the load is served without a fault; tried twice if other programs may be the cause."""
        first = self.measure(load)
        if not first.faults:
            return True
        return first.disturbed and not self.measure(load).faults

    def documents(self) -> list[dict[str, Any]]:
        """All measurements, for JSON."""
        return [asdict(measurement) | {"faults": measurement.faults} for measurement in self.measurements]


def _one(steps: Steps, load: Load, as_json: bool) -> int:
    measurement = steps.measure(load)
    if as_json:
        print(json.dumps(steps.documents(), indent=2))
    else:
        verdict = "; ".join(measurement.faults) or "on time"
        print(f"{_LEGEND}\n{load.streams:,} streams at {load.rate:g} events/s: {verdict}")
    return 1 if measurement.faults else 0


def _search(steps: Steps, seconds: float, out: Path, as_json: bool) -> int:
    most = _most_streams()
    start = min(START_STREAMS, most)
    good, bad = bracket(
        lambda streams: steps.holds(Load(streams, RATE, seconds)),
        start=start,
        least=min(LEAST_STREAMS, start),
        most=most,
        precision=PRECISION,
    )
    capacity = None
    if good is not None:
        date = datetime.now(UTC).isoformat(timespec="seconds")
        capacity = EndpointCapacity(
            events_per_s=good * RATE, streams=good, client=steps.client.name, date=date
        )
        keep(capacity, out)
    if as_json:
        print(json.dumps({"limit": capacity and asdict(capacity), "loads": steps.documents()}, indent=2))
    else:
        print(f"{_LEGEND}\n{_answer(capacity, bad, steps)}")
    return 1 if capacity is None else 0


def _most_streams() -> int:
    """The largest number of streams that the limit on open files allows."""
    most = limits.most_agents(0, relayed=False)
    return MOST_STREAMS if most is None else max(1, min(MOST_STREAMS, most))


def _answer(capacity: EndpointCapacity | None, bad: int | None, steps: Steps) -> str:
    if capacity is None:
        return (
            f"The endpoint cannot serve even {LEAST_STREAMS * RATE:g} events a second on time here: "
            f"{'; '.join(steps.measurements[-1].faults)}."
        )
    if bad is None:
        return (
            f"The endpoint can serve {capacity} events a second or more here: {capacity.streams:,} streams "
            f"at {RATE:g}/s were on time with {capacity.client} as client, and more were not tried."
        )
    answer = (
        f"The endpoint can serve about {capacity} events a second here: {capacity.streams:,} streams "
        f"at {RATE:g}/s were on time with {capacity.client} as client, {bad:,} were not"
    )
    if any(measurement.streams == bad and measurement.disturbed for measurement in steps.measurements):
        return f"{answer}, but other programs were running: stop them and try again."
    return f"{answer}."


def _row(measurement: Measurement) -> str:
    return _line(
        [
            f"{measurement.streams:,} × {measurement.rate:g}/s",
            f"{measurement.max_in_flight:,}",
            f"{measurement.events_per_s:,.0f}",
            f"{measurement.lateness_p50_ms:.1f}",
            f"{measurement.lateness_p99_ms:.1f}",
            f"{measurement.lateness_max_ms:.1f}",
            f"{measurement.endpoint_cpu:.0%}",
            f"{measurement.client_cpu:.0%}",
            f"{measurement.others_cpu:.0%}",
            "no" if measurement.faults else "yes",
        ]
    )


def _line(cells: list[str]) -> str:
    return " ".join(f"{cell:>{width}}" for cell, width in zip(cells, _COLUMNS.values(), strict=True))

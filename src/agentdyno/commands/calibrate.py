"""`agentdyno calibrate`: how much the endpoint can serve on this machine and still be an instrument."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentdyno.calibration.capacity import NAME, EndpointCapacity, keep
from agentdyno.calibration.client import NAMES, Client, Load, choose_client
from agentdyno.calibration.measurement import GOAL_P99_MS, Measurement, bracket, measure
from agentdyno.endpoint.simulation import MAX_PROSE_TOKENS
from agentdyno.errors import UserError
from agentdyno.options import SECONDS, whole, within
from agentdyno.process import limits
from agentdyno.project import RESULTS

RATE = 25.0
"""Events a second on each stream, while the number of streams is searched for."""
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
    f"p50, p99, max: how late chunks left; on time: p99 below {GOAL_P99_MS:g} ms, all streams at once\n"
    "CPU, client, others: the endpoint's share of a core, and theirs"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `calibrate` takes."""
    parser.add_argument(
        "--streams",
        type=whole("--streams", 1, STREAMS_LIMIT),
        metavar="N",
        help="measure one load of this many streams (default: 1000), and do not look for the limit",
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
        "--client", choices=NAMES, help="who reads (default: floor where it can be built, else reader)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=RESULTS,
        metavar="DIR",
        help=f"the limit is kept in DIR/{NAME}; run and check look for it in results (default: results)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON rather than a table")


def run(args: argparse.Namespace) -> int:
    """Calibrate; the exit status is 0 when the load was served in time, or a limit was found, else 1."""
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
    client = choose_client(args.client, args.out / "calibration-build.log")
    steps = Steps(client, is_shown=not args.json)
    return _one(steps, load, args.json) if one else _limit(steps, load.seconds, args.out, args.json)


class Steps:
    """Loads measured one after the other, each a line of a table as soon as it is over."""

    def __init__(self, client: Client, *, is_shown: bool) -> None:
        self.client = client
        self.measurements: list[Measurement] = []
        self._is_shown = is_shown
        if is_shown:
            print(_line(list(_COLUMNS)), flush=True)

    def measure(self, load: Load) -> Measurement:
        """Measure one more. Raises `UserError`."""
        measurement = measure(load, self.client)
        self.measurements.append(measurement)
        if self._is_shown:
            print(_row(measurement), flush=True)
        return measurement

    def holds(self, load: Load) -> bool:
        """Whether the load is served without a fault; where others may be to blame it is tried once more."""
        first = self.measure(load)
        if not first.faults:
            return True
        return first.disturbed and not self.measure(load).faults

    def documents(self) -> list[dict[str, Any]]:
        """What was measured, for JSON."""
        return [asdict(measurement) | {"faults": measurement.faults} for measurement in self.measurements]


def _one(steps: Steps, load: Load, as_json: bool) -> int:
    measurement = steps.measure(load)
    if as_json:
        print(json.dumps(steps.documents(), indent=2))
    else:
        verdict = "; ".join(measurement.faults) or "on time"
        print(f"{_LEGEND}\n{load.streams:,} streams at {load.rate:g} events/s: {verdict}")
    return 1 if measurement.faults else 0


def _limit(steps: Steps, seconds: float, out: Path, as_json: bool) -> int:
    most = _most_streams()
    start = min(START_STREAMS, most)
    good, bad = bracket(
        lambda streams: steps.holds(Load(streams, RATE, seconds)),
        start=start,
        least=min(LEAST_STREAMS, start),
        most=most,
        precision=PRECISION,
    )
    limit = None
    if good is not None:
        date = datetime.now(UTC).isoformat(timespec="seconds")
        limit = EndpointCapacity(events_per_s=good * RATE, streams=good, client=steps.client.name, date=date)
        keep(limit, out)
    if as_json:
        print(json.dumps({"limit": limit and asdict(limit), "loads": steps.documents()}, indent=2))
    else:
        print(f"{_LEGEND}\n{_answer(limit, bad, steps)}")
    return 1 if limit is None else 0


def _most_streams() -> int:
    """What the limit on open files leaves room for."""
    most = limits.most_agents(0, relayed=False)
    return MOST_STREAMS if most is None else max(1, min(MOST_STREAMS, most))


def _answer(limit: EndpointCapacity | None, bad: int | None, steps: Steps) -> str:
    if limit is None:
        return (
            f"The endpoint cannot serve even {LEAST_STREAMS * RATE:g} events a second on time here: "
            f"{'; '.join(steps.measurements[-1].faults)}."
        )
    if bad is None:
        return (
            f"The endpoint can serve {limit} events a second or more here: {limit.streams:,} streams at "
            f"{RATE:g}/s were on time with {limit.client} as client, and more were not tried."
        )
    answer = (
        f"The endpoint can serve about {limit} events a second here: {limit.streams:,} streams at {RATE:g}/s "
        f"were on time with {limit.client} as client, {bad:,} were not"
    )
    if any(measurement.streams == bad and measurement.disturbed for measurement in steps.measurements):
        return f"{answer}, but other programs were at work, so try again without them."
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

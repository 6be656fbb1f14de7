"""The bottleneck, named from synthetic evidence."""

from dataclasses import replace
from typing import Any

import pytest

from agentdyno.analysis import ledger
from agentdyno.analysis.bottleneck import NOTHING, UNKNOWN, Bottleneck, bottleneck
from analysis.conftest import Record
from analysis.synthetic import MS, attempt_of, change_outcome, good_run, request_of, sample, task_of

LONGER_MS = 90
ENDS = {
    "begin": "t_begin",
    "prompt": "t_request",
    "send": "t_arrive",
    "model": "t_last",
    "stream": "t_last",
    "extract": "t_queue",
    "queue": "t_spawn",
    "spawn": "t_started",
    "verify": "t_exit",
    "bookkeeping": "t_end",
}
"""The parts of an attempt and the moment that ends each; two of them are the endpoint's."""


def run_with_long(part: str, ms: int = LONGER_MS) -> dict[str, Any]:
    """The good run, in which the first attempt of `a` is in `part` for so much longer."""
    run = good_run()
    event, request = attempt_of(run, "a"), request_of(run, "a")
    for later in list(ENDS)[list(ENDS).index(part) :]:
        of_it = request if later in ("send", "model") else event
        of_it[ENDS[later]] += ms * MS
    if part in ("begin", "prompt"):
        event["t_first"] += ms * MS
    task_of(run, "a")["t"] += ms * MS
    return run


def samples(
    runtime: float = 0.1, endpoint: float = 0.1, threads: int = 1, *, from_ms: int = -15, every_ms: int = 15
) -> list[dict[str, Any]]:
    """Samples of processes that use a constant number of cores."""
    return [
        sample(
            t * MS,
            2048,
            threads=threads,
            cpu_s=round((t - from_ms) / 1000 * runtime, 6),
            endpoint_cpu_s=round((t - from_ms) / 1000 * endpoint, 6),
        )
        for t in range(from_ms, 300, every_ms)
    ]


def bottleneck_of(record: Record, run: dict[str, Any], lateness_ms: float | None = 0.5) -> Bottleneck | None:
    data = record(run)
    return bottleneck(data, ledger.entries(data), lateness_ms, 10.0)


OWN_MS = {"begin": 0, "prompt": 2, "send": 1, "stream": 2, "extract": 2, "spawn": 1, "bookkeeping": 2}
"""How long each part is in the good run."""


def where(part: str) -> str:
    ms = OWN_MS[part] + LONGER_MS
    return f"{ms}% of the overhead of the slowest attempts is `{part}`, {ms:.1f} ms each; "


def used(runtime: float, endpoint: float, tools: float = 0.0, cores: int = 2) -> str:
    return (
        f"meanwhile the runtime used {runtime:.2f} cores, the endpoint {endpoint:.2f} and the test processes "
        f"about {tools:.2f}, of {cores} cores"
    )


ONE_CORE = "CPU of the runtime: one core"
PERHAPS_ONE_CORE = "CPU of the runtime: one core, if a single one of its {} threads used it"
BY_RUNTIME = "CPU of the machine, used by the runtime"
SHARED = "CPU of the machine, shared with the endpoint and the test processes"
ENDPOINT = "the endpoint: its one core"


@pytest.mark.parametrize(
    ("part", "runtime", "endpoint", "threads", "cores", "cause", "is_runtimes"),
    [
        # One busy thread, whatever else the machine does.
        ("begin", 0.95, 0.3, 1, 2, ONE_CORE, True),
        ("stream", 0.95, 0.9, 1, 2, ONE_CORE, True),
        ("spawn", 1.0, 0.3, 1, 16, ONE_CORE, True),
        # Of several threads one may have been busy, or all of them a little.
        ("spawn", 1.1, 0.3, 12, 16, PERHAPS_ONE_CORE.format(12), True),
        ("extract", 0.8, 0.1, 4, 16, PERHAPS_ONE_CORE.format(4), True),
        ("extract", 0.79, 0.1, 1, 16, NOTHING, True),
        # One thread does not limit eight that use three cores of sixteen.
        ("stream", 3.0, 0.5, 8, 16, NOTHING, True),
        ("stream", 1.3, 0.5, 8, 16, NOTHING, True),
        ("begin", 1.7, 0.2, 8, 2, BY_RUNTIME, True),
        ("begin", 13.0, 0.9, 32, 16, BY_RUNTIME, True),
        ("bookkeeping", 0.9, 0.0, 1, 1, BY_RUNTIME, True),
        # On a full machine, other programs may have delayed several threads.
        ("stream", 0.9, 0.8, 4, 2, SHARED, False),
        ("begin", 0.5, 0.5, 1, 1, SHARED, False),
        # The endpoint is one thread.
        ("send", 0.2, 0.9, 1, 16, ENDPOINT, False),
        ("send", 0.95, 0.9, 1, 2, ENDPOINT, False),
        ("prompt", 0.3, 0.9, 1, 16, ENDPOINT, False),
        ("prompt", 0.95, 0.9, 1, 16, ONE_CORE, True),
        ("begin", 0.3, 0.9, 1, 16, NOTHING, True),
        ("stream", 0.3, 0.9, 1, 16, NOTHING, True),
        ("send", 0.3, 0.3, 1, 2, NOTHING, True),
    ],
)
def test_whose_processor_time_was_used_up(
    record: Record,
    part: str,
    runtime: float,
    endpoint: float,
    threads: int,
    cores: int,
    cause: str,
    is_runtimes: bool,
) -> None:
    run = run_with_long(part)
    run["samples"] = samples(runtime, endpoint, threads)
    change_outcome(cores=cores, tools_cpu_s=0.0)(run)
    evidence = where(part) + used(runtime, endpoint, cores=cores)
    assert bottleneck_of(record, run) == Bottleneck(part, cause, evidence, is_runtimes)


def test_test_processes_count_with_their_average(record: Record) -> None:
    run = run_with_long("extract")
    run["samples"] = samples(0.5, 0.3)
    # 21 of 20 ms each, so 0.2 cores while they lived; 19 of them while `a` was at it, for 92 ms.
    change_outcome(tools_cpu_s=0.2 * 21 * 0.020)(run)
    evidence = where("extract") + used(0.5, 0.3, tools=0.2 * 19 * 20 / 92)
    assert bottleneck_of(record, run) == Bottleneck("extract", SHARED, evidence, False)


@pytest.mark.parametrize("part", ["begin", "stream", "bookkeeping"])
def test_processor_time_outside_the_wait_does_not_count(record: Record, part: str) -> None:
    """All processor time lies before the wait or after it."""
    run = run_with_long(part)
    event = attempt_of(run, "a")
    since, until = {
        "begin": (0, event["t_begin"]),
        "stream": (request_of(run, "a")["t_last"], event["t_last"]),
        "bookkeeping": (event["t_exit"], event["t_end"]),
    }[part]
    run["samples"] = [
        look | {"cpu_s": 1 + (min(t, since) + max(0, t - until)) / 1e9, "endpoint_cpu_s": 0.0}
        for look in samples(every_ms=1)
        for t in [look["t"]]
    ]
    change_outcome(tools_cpu_s=0.0)(run)
    assert bottleneck_of(record, run) == Bottleneck(part, NOTHING, where(part) + used(0.0, 0.0), True)


def test_the_utilisation_of_a_short_wait_does_not_depend_on_the_rest_of_a_long_run(record: Record) -> None:
    run = run_with_long("spawn")
    run["events"][-1]["t"] = 60_000 * MS
    idle = samples(1.0, 0.1)[-1]
    run["samples"] = [*samples(1.0, 0.1), idle | {"t": 60_000 * MS}]
    change_outcome(tools_cpu_s=0.0)(run)
    assert bottleneck_of(record, run) == Bottleneck("spawn", ONE_CORE, where("spawn") + used(1.0, 0.1), True)


def test_a_sample_far_before_the_wait_counts_by_its_share(record: Record) -> None:
    run = run_with_long("begin")
    # Half a second at 1.5 cores until 10 ms after the run's start, and nearly nothing from then on.
    first, *others = samples(0.0, 0.0, from_ms=-490, every_ms=500)
    later = [sample | {"cpu_s": 0.75} for sample in samples(0.0, 0.0, from_ms=25)]
    run["samples"] = [first, others[0] | {"cpu_s": 0.75}, *later]
    change_outcome(tools_cpu_s=0.0)(run)
    evidence = where("begin") + used(0.015 / 0.090, 0.0)
    assert bottleneck_of(record, run) == Bottleneck("begin", NOTHING, evidence, True)


@pytest.mark.parametrize(
    "looks",
    [
        [],
        samples(0.95, 0.1, every_ms=45),
        [look | {"endpoint_cpu_s": None} for look in samples(0.95)],
    ],
    ids=["none", "too-few", "not-of-the-endpoint"],
)
def test_without_samples_of_the_wait_no_cause_is_named(record: Record, looks: list[dict[str, Any]]) -> None:
    run = run_with_long("begin")
    run["samples"] = looks
    evidence = where("begin") + "too few samples fall into that time"
    assert bottleneck_of(record, run) == Bottleneck("begin", UNKNOWN, evidence, True)


def test_three_samples_of_the_wait_are_enough(record: Record) -> None:
    run = run_with_long("begin")
    run["samples"] = samples(0.95, 0.1, every_ms=30)
    change_outcome(tools_cpu_s=0.0)(run)
    assert bottleneck_of(record, run) == Bottleneck("begin", ONE_CORE, where("begin") + used(0.95, 0.1), True)


def test_a_wait_shorter_than_three_samples_is_not_judged(record: Record) -> None:
    run = good_run()
    run["samples"] = samples(0.95)
    found = bottleneck_of(record, run)
    assert found is not None
    assert (found.cause, found.is_runtimes) == (UNKNOWN, True)


def test_a_late_endpoint_is_named_before_the_runtime(record: Record) -> None:
    run = run_with_long("stream")
    run["samples"] = samples(0.95, 0.2)
    late = "the endpoint was late, p99 12.3 ms (limit 10 ms)"
    assert bottleneck_of(record, run, 12.34) == Bottleneck(
        "stream", "the endpoint", where("stream") + late, False
    )


def test_an_endpoint_within_the_limit_is_not_named(record: Record) -> None:
    run = run_with_long("stream")
    run["samples"] = samples(0.95, 0.2)
    change_outcome(tools_cpu_s=0.0)(run)
    assert bottleneck_of(record, run, 10.0) == Bottleneck(
        "stream", ONE_CORE, where("stream") + used(0.95, 0.2), True
    )


def test_a_runtime_that_fills_the_machine_is_named_before_the_late_endpoint(record: Record) -> None:
    run = run_with_long("stream")
    run["samples"] = samples(1.7, 0.2, threads=8)
    change_outcome(tools_cpu_s=0.0)(run)
    evidence = where("stream") + used(1.7, 0.2)
    assert bottleneck_of(record, run, 500.0) == Bottleneck("stream", BY_RUNTIME, evidence, True)


def test_swapping_is_named_before_the_cores_and_the_endpoint(record: Record) -> None:
    run = run_with_long("stream")
    run["samples"] = samples(1.9, 0.9)
    change_outcome(swapped_pages=70)(run)
    evidence = where("stream") + "70 pages were swapped"
    assert bottleneck_of(record, run, 500.0) == Bottleneck("stream", "memory", evidence, False)


def with_error(reason: str) -> dict[str, Any]:
    run = run_with_long("stream")
    run["samples"] = samples()
    change_outcome(tools_cpu_s=0.0)(run)
    task_of(run, "c").update(outcome="error", reason=reason)
    return run


FILES, PORTS, MEMORY, THREADS = "open files", "ephemeral ports", "memory", "threads or processes"
DENIED = [
    (FILES, "[Errno 24] Too many open files: '/tmp/x/solution.py'"),  # Python
    (FILES, "connect: socket: too many open files"),  # Go
    (FILES, "Too many open files (os error 24)"),  # Rust
    (FILES, "spawn echo EMFILE"),  # Node
    (FILES, "socket: No file descriptors available"),  # C, musl
    ("open files of the whole machine", "pipe: Too many open files in system"),  # C
    ("open files of the whole machine", "open /tmp/x: ENFILE: file table overflow"),  # Node
    (PORTS, "[Errno 99] Cannot assign requested address"),
    (PORTS, "dial tcp 127.0.0.1:8000: connect: cannot assign requested address"),
    (PORTS, "Cannot assign requested address (os error 99)"),
    (PORTS, "connect EADDRNOTAVAIL 127.0.0.1:8000"),
    (PORTS, "connect: Address not available"),
    (MEMORY, "[Errno 12] Cannot allocate memory"),
    (MEMORY, "MemoryError"),
    (MEMORY, "fork/exec /bin/echo: cannot allocate memory"),
    (MEMORY, "fatal error: runtime: out of memory"),
    (MEMORY, "memory allocation of 1048576 bytes failed"),
    (MEMORY, "std::bad_alloc"),
    (MEMORY, "spawn ENOMEM"),
    (THREADS, "RuntimeError: can't start new thread"),
    (THREADS, "fork/exec /bin/echo: resource temporarily unavailable"),
    (THREADS, "thread constructor failed: Resource temporarily unavailable"),
    (THREADS, "failed to spawn thread: Os { code: 11, kind: WouldBlock }"),
    (THREADS, "spawn echo EAGAIN"),
]


@pytest.mark.parametrize(("cause", "reason"), DENIED)
def test_a_resource_that_the_kernel_denied_is_named_from_any_error_text(
    record: Record, cause: str, reason: str
) -> None:
    of_the_machine = cause in ("open files of the whole machine", PORTS)
    expected = Bottleneck("", cause, f"the runtime reports: {reason}", not of_the_machine)
    assert bottleneck_of(record, with_error(reason)) == expected


def test_the_last_line_of_stderr_counts_too(record: Record) -> None:
    run = good_run()
    change_outcome(exit_code=1, last_stderr_line="events: Too many open files")(run)
    assert bottleneck_of(record, run) == Bottleneck(
        "", FILES, "the runtime reports: events: Too many open files", True
    )


@pytest.mark.parametrize(
    "reason",
    [
        "the endpoint answered 500: CUDA out of memory",
        "the endpoint reports in the stream: too many open files",
        "HTTP 503 cannot allocate memory",
        "Connection refused (os error 111)",
        "Operation canceled (os error 125)",
        "recv: Resource temporarily unavailable",  # a time limit on a socket
        "no event for 60 s",
    ],
)
def test_errors_of_the_endpoint_and_of_other_kinds_do_not_count(record: Record, reason: str) -> None:
    found = bottleneck_of(record, with_error(reason))
    assert found is not None
    assert found.cause == NOTHING


@pytest.mark.parametrize(("code", "how"), [(-9, "signal 9"), (134, "status 134")])
def test_a_crash_is_named_before_the_ledger(record: Record, code: int, how: str) -> None:
    run = run_with_long("stream")
    run["samples"] = samples(0.95)
    change_outcome(exit_code=code)(run)
    assert bottleneck_of(record, run) == Bottleneck(
        "", "the runtime itself", f"the runtime ended with {how}", True
    )


def test_without_attempts_there_is_no_bottleneck(record: Record) -> None:
    data = replace(record(good_run()), samples=[])
    assert bottleneck(data, [], None, 10.0) is None

"""The registry of metrics: everything that lists, labels, formats, ranks or documents them reads it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from agentdyno.analysis.metric import PERCENTILES, Better, Kind, MetricDefinition, percentiles, ratios
from agentdyno.analysis.ratio import BASELINE, FLOOR

__all__ = ["MEASURED", "METRICS", "PERCENTILES", "Better", "Kind", "MetricDefinition"]


def _mib(name: str, label: str, short: str, meaning: str, *, ranks: bool = False) -> MetricDefinition:
    return MetricDefinition(name, "MiB", Kind.MEMORY, label, short, meaning, Better.LESS, ranks=ranks)


def _ms_per_task(name: str, label: str, short: str, meaning: str, *, ranks: bool = False) -> MetricDefinition:
    return MetricDefinition(
        name,
        "s/task",
        Kind.PROCESSOR_TIME,
        label,
        short,
        meaning,
        Better.LESS,
        unit_shown="ms/task",
        scale=1000,
        ranks=ranks,
    )


def _tasks(name: str, short: str, meaning: str, better: Better) -> MetricDefinition:
    label = name.replace("_", " ").removesuffix(" pass")
    return MetricDefinition(name, "tasks", Kind.OUTCOME, label, short, meaning, better, digits=0)


def _declared() -> Iterator[MetricDefinition]:
    """Every metric, in the order in which summary.json has them."""
    yield _mib(
        "peak_rss_mib",
        "peak memory",
        "peak\nMiB",
        "The largest memory of the runtime's own processes from `run_start` on: `VmHWM`, or the sum over its "
        "processes if it has several. Test processes are not in it.",
        ranks=True,
    )
    yield _mib(
        "tools_peak_pss_mib",
        "test processes",
        "tests\nMiB",
        "The largest sum of PSS (`smaps_rollup`) over the test processes, sampled every 150 ms.",
    )
    yield _mib(
        "tree_peak_pss_mib",
        "with tests",
        "with\ntests",
        "The largest sum of PSS (`smaps_rollup`) over the runtime and its test processes, sampled every "
        "150 ms.",
    )
    yield _mib(
        "tree_peak_cgroup_mib",
        "control group",
        "cgroup\nMiB",
        "With `--cgroup`: the peak of a control group that holds the runtime and its test processes "
        "(`memory.max_usage_in_bytes` of version 1, `memory.peak` of version 2). It counts page cache and "
        "the kernel's memory as well, so it is not comparable with PSS. Null where no group can be had.",
    )
    yield MetricDefinition(
        "pass_rate",
        "share",
        Kind.OUTCOME,
        "passed",
        "passed\n%",
        "The share of the tasks that passed, at the first attempt or after retries. The script or the model "
        "decides it.",
        Better.MORE,
        unit_shown="%",
        scale=100,
    )
    yield _tasks("first_attempt_pass", "first\n", "Tasks that passed at the first attempt.", Better.MORE)
    yield _tasks("recovered", "recov-\nered", "Tasks that passed after one retry or more.", Better.NEITHER)
    yield _tasks("failed", "fail-\ned", "Tasks that did not pass at any attempt.", Better.LESS)
    yield _tasks("errors", "err-\nors", "Tasks that ended as an error.", Better.LESS)
    yield MetricDefinition(
        "avg_retries",
        "retries/task",
        Kind.OUTCOME,
        "retries",
        "re-\ntries",
        "Attempts after the first, per task.",
        Better.LESS,
        unit_shown="per task",
    )
    yield MetricDefinition(
        "wall_s",
        "s",
        Kind.TIME,
        "wall time",
        "wall\ns",
        "From `run_start` to `run_end`. Most of it is the model's and the tests'.",
        Better.LESS,
    )
    yield MetricDefinition(
        "tasks_per_s",
        "tasks/s",
        Kind.TIME,
        "throughput",
        "tasks/s\n",
        "Tasks divided by the wall time. Mostly the model and the tests decide it.",
        Better.MORE,
    )
    yield MetricDefinition(
        "steady_s",
        "s",
        Kind.TIME,
        "steady state",
        "steady\ns",
        "The length of the steady state: from when as many tasks as agents have ended until the last task "
        "begins. Null for fewer than 20 tasks in it, so it takes well over twice as many tasks as agents.",
    )
    yield MetricDefinition(
        "steady_tasks_per_s",
        "tasks/s",
        Kind.TIME,
        "steady throughput",
        "steady\ntasks/s",
        "Throughput in the steady state.",
        Better.MORE,
    )
    yield _ms_per_task(
        "cpu_s_per_task",
        "processor time",
        "CPU\nms/task",
        "Processor time of the runtime's own processes: all that it started but the tests. Workers count as "
        "they were last sampled.",
        ranks=True,
    )
    yield _ms_per_task(
        "tools_cpu_s_per_task",
        "processor time of tests",
        "tests\nms/task",
        "Processor time of the test processes.",
    )
    for name, label, meaning in (
        ("start_ms", "start", "The cold start: from `execve` to `run_start`."),
        ("first_request_ms", "first request", "From `execve` to the first request at the endpoint."),
        ("all_begun_ms", "all begun", "From `run_start` until the last agent began its first attempt."),
    ):
        short = "\n".join([*label.split(), ""][:2])
        yield MetricDefinition(name, "ms", Kind.TIME, label, short, meaning, Better.LESS)
    yield from percentiles(
        "overhead",
        "overhead",
        "overhead",
        "What the runtime adds to an attempt: its wall time since it was due, without model, queue, "
        "verification and failed tries. The first tasks are due when the run starts, later ones when an "
        "agent is free, retries when the attempt before has ended; with `--arrivals` a task is due at its "
        "start, or as soon as an agent is free.",
        ranks=True,
    )
    yield from percentiles(
        "overhead_uncorrected",
        "uncorrected overhead",
        "uncorr.",
        "Overhead since the runtime began the attempt: what a tool shows that waits for the runtime before "
        "it looks at the clock.",
    )
    yield from percentiles(
        "steady_overhead",
        "steady overhead",
        "overhead",
        "Overhead of the attempts in the steady state.",
        ranks=True,
    )
    yield from percentiles(
        "model",
        "model",
        "model",
        "By the endpoint's clock, from the arrival of the request to the departure of the last byte.",
        better=Better.NEITHER,
    )
    yield from percentiles(
        "verify",
        "verification",
        "verify",
        "The life of the test process, by its receipt, or as the runtime saw it.",
    )
    yield from percentiles(
        "queue",
        "queue",
        "queue",
        "The wait for a verification slot, until one is free for the attempt. What it waits after that is "
        "overhead.",
    )
    yield from percentiles(
        "task",
        "task",
        "from due",
        "A whole task since it was due, whether or not an agent was free for it.",
    )
    yield from percentiles(
        "task_uncorrected",
        "task since begun",
        "from begun",
        "A whole task since an agent began it.",
    )
    for name, label, meaning in (
        ("task_ms_mean", "task mean", "The mean over the tasks of what `task_ms_*` measures."),
        (
            "queue_ms_mean",
            "queue mean",
            "The mean over the tasks of all their waits for a verification slot.",
        ),
    ):
        yield MetricDefinition(name, "ms", Kind.TIME, label, "\n".join(label.split()), meaning, Better.LESS)
    yield MetricDefinition(
        "max_in_flight",
        "requests",
        Kind.CONCURRENCY,
        "in flight",
        "in\nflight",
        "The most requests at once, by the endpoint's own gauge.",
        digits=0,
    )
    yield MetricDefinition(
        "mean_in_flight",
        "requests",
        Kind.CONCURRENCY,
        "in flight on average",
        "in flight\nmean",
        "The mean number of requests at once over the run, by the endpoint's own gauge.",
    )
    yield MetricDefinition(
        "endpoint_lateness_ms_p99",
        "ms",
        Kind.INSTRUMENT,
        "endpoint lateness p99",
        "endpoint\nlate p99",
        "How much later than due the endpoint's chunks left: the instrument's own error.",
        percentile="p99",
    )
    yield MetricDefinition(
        "endpoint_late_share",
        "share",
        Kind.INSTRUMENT,
        "late chunks",
        "late\n%",
        "The share of the endpoint's chunks that left more than 25 ms late.",
        unit_shown="%",
        scale=100,
    )
    for name, who, meaning in (
        ("endpoint_cpu_share", "endpoint", "Processor time of the endpoint, in cores."),
        ("harness_cpu_share", "harness", "Processor time of the harness, its sampler included, in cores."),
        ("sampler_cpu_share", "sampler", "Processor time of the sampler, in cores."),
    ):
        yield MetricDefinition(
            name,
            "cores",
            Kind.INSTRUMENT,
            f"{who} CPU",
            f"{who}\ncores",
            meaning,
        )
    yield MetricDefinition(
        "foreign_cpu_share",
        "share",
        Kind.INSTRUMENT,
        "foreign CPU",
        "foreign\nCPU %",
        "Processor time of everything that was neither the runtime, nor its tests, nor the endpoint, nor the "
        "harness, as a share of the time of the processors that the run could use.",
        unit_shown="%",
        scale=100,
        since="0.2.0",
    )
    for reference in (FLOOR, BASELINE):
        for each in (
            *ratios("peak_rss", "peak_rss_mib", "peak memory", "peak", Kind.MEMORY),
            *ratios("overhead_ms_p50", "overhead_ms_p50", "overhead p50", "overhead", Kind.TIME),
            *ratios("cpu_s_per_task", "cpu_s_per_task", "processor time", "CPU", Kind.PROCESSOR_TIME),
        ):
            if each.reference == reference:
                yield each


METRICS: Mapping[str, MetricDefinition] = MappingProxyType({each.name: each for each in _declared()})
"""Every metric of a row by its name, in the order of summary.json."""

MEASURED = tuple(name for name, each in METRICS.items() if each.reference is None)
"""The metrics that a run has by itself, without another runtime's."""

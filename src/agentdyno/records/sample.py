"""Samples: memory and processor time, as seen from outside while a run went on."""

from collections.abc import Iterator
from dataclasses import dataclass

from agentdyno.analysis.run_data import RunData
from agentdyno.records.record import Record, of_run, since_start


@dataclass(frozen=True, slots=True)
class Sample(Record):
    """One look at a runtime, 15 ms after the one before; at the tree of its processes in each tenth only."""

    t_ms: float | None
    """Since the run's start. Looks before it, at a program that begins, count in no figure."""
    rss_kib: int
    """Resident memory of the runtime's own processes."""
    peak_rss_kib: int
    """Their high-water marks so far."""
    tree_pss_kib: int | None
    """Proportional memory of the runtime and its test processes."""
    tools_pss_kib: int | None
    """Of that, the test processes'."""
    tree_processes: int | None
    threads: int
    """Of the runtime's own processes."""
    cpu_s: float
    """Processor time of the runtime's own processes so far."""
    endpoint_cpu_s: float | None
    """Processor time of the endpoint so far."""


def samples(run: RunData) -> Iterator[Sample]:
    """Every look at a run, in order; none in a run that was not sampled."""
    where, ms = of_run(run.cell, run.block), since_start(run)
    for look in run.samples:
        yield Sample(
            **where,
            t_ms=ms(look["t"]),
            rss_kib=look["rss_kib"],
            peak_rss_kib=look["peak_rss_kib"],
            tree_pss_kib=look["tree_pss_kib"],
            tools_pss_kib=look["tools_pss_kib"],
            tree_processes=look["tree_processes"],
            threads=look["threads"],
            cpu_s=look["cpu_s"],
            endpoint_cpu_s=look["endpoint_cpu_s"],
        )

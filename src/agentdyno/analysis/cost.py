"""What a runtime's figures come to in machines and money."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

Figures = Mapping[str, float | None]
"""Medians of one row, by the name of the metric; None where the runs do not tell."""

USED = (
    "peak_rss_mib",
    "tree_peak_pss_mib",
    "cpu_s_per_task",
    "tools_cpu_s_per_task",
    "tasks_per_s",
    "task_ms_mean",
    "queue_ms_mean",
)
"""The metrics that are used."""

MIB_PER_GIB = 1024
MS_PER_S = 1000
S_PER_HOUR = 3600
MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that is paid by the hour, in dollars."""

    price_per_hour: float
    vcpus: float
    gib: float


@dataclass(frozen=True, slots=True)
class Needs:
    """What the tasks of one row took, on the machine they were measured on.

    Agents that a GiB holds, by the runtime's own memory and with its test processes; processor seconds of
    1,000 tasks, of the runtime alone and with its tools.
    """

    agents_per_gib: float | None
    agents_per_gib_with_tests: float | None
    cpu_s_per_1000_tasks: float | None
    cpu_s_per_1000_tasks_with_tools: float | None
    tasks_per_hour: float | None
    machine_hours_per_million_tasks: float | None


@dataclass(frozen=True, slots=True)
class Price:
    """What it would take on a machine that does nothing else; `binds` is "memory" or "CPU", whichever allows
    fewer tasks a second.
    """

    agents_that_fit: int | None
    memory_tasks_per_s: float | None
    cpu_tasks_per_s: float | None
    binds: str | None
    dollars_per_million_tasks: float | None


def needs(agents: int, figures: Figures) -> Needs:
    """The needs of a row with so many agents."""
    tasks_per_hour = _product(figures["tasks_per_s"], S_PER_HOUR)
    return Needs(
        agents_per_gib=_quotient(MIB_PER_GIB * agents, figures["peak_rss_mib"]),
        agents_per_gib_with_tests=_quotient(MIB_PER_GIB * agents, figures["tree_peak_pss_mib"]),
        cpu_s_per_1000_tasks=_product(figures["cpu_s_per_task"], 1000),
        cpu_s_per_1000_tasks_with_tools=_product(_cpu_s_per_task(figures), 1000),
        tasks_per_hour=tasks_per_hour,
        machine_hours_per_million_tasks=_quotient(MILLION, tasks_per_hour),
    )


def price(agents: int, figures: Figures, machine: Machine) -> Price:
    """The price of a row's tasks, of which so many agents were measured, on `machine`.

    The time of a task is taken without its wait for a verification slot: the slots were the measured
    machine's, and a runtime is not to be blamed for them. Memory is taken with the test processes.
    """
    per_gib = needs(agents, figures).agents_per_gib_with_tests
    fitting = None if per_gib is None else math.floor(machine.gib * per_gib)
    by_memory = _quotient(fitting, _busy_s(figures))
    by_cpu = _quotient(machine.vcpus, _cpu_s_per_task(figures))
    if by_memory is None or by_cpu is None:
        return Price(fitting, by_memory, by_cpu, None, None)
    hours = _quotient(MILLION / S_PER_HOUR, min(by_memory, by_cpu))
    return Price(
        agents_that_fit=fitting,
        memory_tasks_per_s=by_memory,
        cpu_tasks_per_s=by_cpu,
        binds="memory" if by_memory < by_cpu else "CPU",
        dollars_per_million_tasks=_product(hours, machine.price_per_hour),
    )


def _cpu_s_per_task(figures: Figures) -> float | None:
    own, tools = figures["cpu_s_per_task"], figures["tools_cpu_s_per_task"]
    return None if own is None or tools is None else own + tools


def _busy_s(figures: Figures) -> float | None:
    task_ms, queue_ms = figures["task_ms_mean"], figures["queue_ms_mean"]
    return None if task_ms is None or queue_ms is None else (task_ms - queue_ms) / MS_PER_S


def _product(figure: float | None, factor: float) -> float | None:
    return None if figure is None else figure * factor


def _quotient(figure: float | None, divisor: float | None) -> float | None:
    """None where there is nothing to divide, or by."""
    return None if figure is None or divisor is None or divisor <= 0 else figure / divisor

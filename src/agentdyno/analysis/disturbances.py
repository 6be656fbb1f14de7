"""The gates that fail for what was beside a run: other programs, swapping, a hypervisor, a quota, heat."""

from collections.abc import Sequence

from agentdyno.analysis.gate import Evidence, Gate
from agentdyno.analysis.metric import Kind
from agentdyno.format import listed

FOREIGN_LIMIT = 0.10
"""From which share of the processors on times move (docs/method.md, "Foreign load")."""

STEAL_LIMIT = 0.02
"""A share of the machine's processor time."""

THROTTLED_LIMIT_S = 0.1


def alone(evidence: Evidence) -> list[str]:
    """Other programs left the processors to the run."""
    share, programs = evidence.run.outcome.foreign_share, evidence.run.outcome.foreign_programs
    if share is None or share <= FOREIGN_LIMIT:
        return []
    which = f", most of all {listed(programs)}" if programs else ""
    return [f"other programs used {share:.0%} of the processors (limit {FOREIGN_LIMIT:.0%}){which}"]


def no_swapping(evidence: Evidence) -> list[str]:
    """The machine moved no page to or from swap during the run."""
    pages = evidence.run.outcome.swapped_pages
    return [f"the machine swapped {pages} pages during the run"] if pages else []


def no_throttling(evidence: Evidence) -> list[str]:
    """Neither a hypervisor, nor a quota, nor heat took processor time from the run."""
    outcome, found = evidence.run.outcome, []
    if outcome.steal_share is not None and outcome.steal_share > STEAL_LIMIT:
        found.append(
            f"the hypervisor took {outcome.steal_share:.1%} of the processor time (limit {STEAL_LIMIT:.0%})"
        )
    if outcome.throttled_s is not None and outcome.throttled_s > THROTTLED_LIMIT_S:
        found.append(f"a quota of the control group throttled the processes for {outcome.throttled_s:.1f} s")
    if outcome.thermal_throttles:
        found.append(f"the processors throttled {outcome.thermal_throttles} times because of heat")
    return found


DISTURBANCES: Sequence[Gate] = (
    Gate(
        "little foreign load",
        alone,
        "stop what runs beside agentdyno and measure again",
        is_fault=False,
        kinds=(Kind.TIME, Kind.PROCESSOR_TIME),
    ),
    Gate(
        "no swap",
        no_swapping,
        "free memory, or `swapoff -a` while measuring",
        is_fault=False,
        kinds=(Kind.MEMORY, Kind.TIME, Kind.PROCESSOR_TIME),
    ),
    Gate(
        "no throttling or steal",
        no_throttling,
        "measure on a machine with dedicated processors, or when other loads are idle",
        is_fault=False,
        kinds=(Kind.TIME, Kind.PROCESSOR_TIME),
    ),
)
"""A run that fails one of them is made again."""

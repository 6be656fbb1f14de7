"""One run: one process of one runtime over one task list."""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from agentdyno import __version__
from agentdyno.endpoint.process import said
from agentdyno.errors import UserError
from agentdyno.files import write_json
from agentdyno.measure import proc
from agentdyno.measure.cgroup import accounted, cores
from agentdyno.measure.foreign import Watch
from agentdyno.measure.machine import Baseline, machine
from agentdyno.measure.sampler import Sampler
from agentdyno.process.child import Child
from agentdyno.process.orphans import Survivor, no_survivors, reap_orphans
from agentdyno.process.output import last_line
from agentdyno.process.signals import Interrupted, Interrupts
from agentdyno.rundata.cell import UNSAMPLED, Cell
from agentdyno.rundata.raw_run import RECEIPTS, Origin, RunOutcome
from agentdyno.runner.append_only import AppendOnly
from agentdyno.runner.endpoint import Endpoint, SharedFiles, serve
from agentdyno.runner.receipts import receipts_of
from agentdyno.runner.settings import Settings
from agentdyno.runner.told import environment_of, written_run_file
from agentdyno.runner.workspaces import is_of_an_attempt, workspaces
from agentdyno.runtimes.contender import contender_sha256
from agentdyno.runtimes.manifest import Manifest
from agentdyno.verifiers import Verifier

LOOK_S = 0.25
"""Between two looks at whether the run has ended or moved on."""

GAUGES = 4
"""How often the endpoint is asked before a run counts as hanging."""

Observe = Callable[[Path, Sampler | None], None]
"""Called at every look with the event file and the sampler, if there is one; shows progress."""


def run_once(
    cell: Cell,
    block: int,
    manifest: Manifest,
    verifier: Verifier,
    settings: Settings,
    folder: Path,
    shared: SharedFiles,
    observe: Observe,
    interrupts: Interrupts,
) -> None:
    """Run `cell` once and leave everything in `folder`, `outcome.json` last.

    An interruption is passed on, after everything has been stopped and the outcome written. A
    UserError means that there was no run that counts, for want of an endpoint, of one that lasted, or of a
    verifier that is as it was set up.
    """
    verifier.check()
    origin = Origin(
        **asdict(cell), block=block, contender_sha256=contender_sha256(manifest), machine=machine()
    )
    folder.mkdir(parents=True)
    server_port = settings.real_endpoint.local_port if settings.real_endpoint is not None else None
    baseline, beside, harness_begun_s = Baseline(), Watch(server_port=server_port), time.process_time()
    epoch_ns = time.time_ns() - time.monotonic_ns()
    ended = _Ended()
    interrupted: Interrupted | None = None
    niceness: int | None = None
    with workspaces(folder) as root:
        verifier = verifier.sending_receipts()
        with no_survivors() as survivors:
            try:
                with serve(
                    settings,
                    shared,
                    folder / "journal.jsonl",
                    folder / "endpoint.stderr",
                    interrupts.check,
                ) as endpoint:
                    niceness = endpoint.niceness
                    run_file = written_run_file(settings, cell, verifier, folder, shared, endpoint, root)
                    with receipts_of(verifier, root, folder / RECEIPTS):
                        _drive(
                            cell, manifest, verifier, settings, run_file, endpoint, observe, interrupts, ended
                        )
                    was_gone = endpoint.child.has_ended(0)
                if was_gone or endpoint.child.stop() != 0:
                    ended.endpoint_problem = said(endpoint.child, folder / "endpoint.stderr")
            except Interrupted as signal:
                interrupted = signal
                ended.problem = f"interrupted by {signal.number.name}"
        left = sum(1 for _ in root.iterdir())
    survivors += ended.survivors
    of_attempts = sum(is_of_an_attempt(each, root, ended.pid, verifier.argv) for each in survivors)
    events_changed = ended.events.change() if ended.events is not None else None
    verifier.check()  # Of a run whose attempts changed it there is no outcome.
    harness_cpu_s = time.process_time() - harness_begun_s
    disturbances, foreign = baseline.disturbances(), beside.load()
    if (folder / "run.json").exists():
        outcome = RunOutcome(
            exit_code=ended.exit_code,
            problem=ended.problem,
            last_stderr_line=last_line(folder / "runtime.stderr"),
            t_executed=ended.t_executed,
            own_cpu_s=ended.own_cpu_s,
            tools_cpu_s=ended.tools_cpu_s,
            survivors=len(survivors) - of_attempts,
            left_by_attempts=of_attempts,
            workspaces_left=left,
            harness_cpu_s=harness_cpu_s,
            sampler_cpu_s=ended.sampler_cpu_s,
            cgroup_peak_kib=ended.cgroup_peak_kib,
            cgroup_method=ended.cgroup_method,
            steal_share=disturbances.steal_share,
            throttled_s=disturbances.throttled_s,
            thermal_throttles=disturbances.thermal_throttles,
            swapped_pages=disturbances.swapped_pages,
            endpoint_niceness=niceness,
            cores=cores(),
            interrupted=interrupted is not None,
            epoch_ns=epoch_ns,
            events_changed=events_changed,
            endpoint_problem=ended.endpoint_problem,
            foreign_share=foreign.share,
            foreign_programs=foreign.programs,
            agentdyno=__version__,
            peaks_reset=ended.peaks_reset,
            samples=ended.samples,
            origin=origin,
        )
        write_json(folder / "outcome.json", asdict(outcome))
    if interrupted is not None:
        raise interrupted
    if ended.endpoint_problem is not None:
        raise UserError(f"{folder}: the endpoint failed: {ended.endpoint_problem}", status=1)


@dataclass(slots=True)
class _Ended:
    """How the runtime ended, filled in as it becomes known."""

    pid: int | None = None
    exit_code: int | None = None
    problem: str | None = None
    endpoint_problem: str | None = None
    t_executed: int | None = None
    own_cpu_s: float | None = None
    tools_cpu_s: float | None = None
    survivors: list[Survivor] = field(default_factory=list)
    sampler_cpu_s: float = 0.0
    peaks_reset: int = 0
    samples: int | None = None
    cgroup_peak_kib: int | None = None
    cgroup_method: str | None = None
    events: AppendOnly | None = None


def _drive(
    cell: Cell,
    manifest: Manifest,
    verifier: Verifier,
    settings: Settings,
    run_file: Path,
    endpoint: Endpoint,
    observe: Observe,
    interrupts: Interrupts,
    ended: _Ended,
) -> None:
    """Start the runtime, sample it until it ends, and fill in `ended`, whatever happens."""
    folder = run_file.parent
    beside = {process.pid for process in proc.children(os.getpid())}
    try:
        with (
            (folder / "runtime.stderr").open("wb") as stderr,
            accounted() if settings.cgroup else contextlib.nullcontext() as group,
            # What it leaves behind is in the group, which can only be removed when it is empty.
            no_survivors() as ended.survivors,
            Child(
                [*manifest.command(manifest.run), str(run_file)],
                cwd=manifest.folder,
                environment=environment_of(settings),
                stderr=stderr,
                join=[group.members] if group else [],
            ) as child,
        ):
            ended.pid, ended.t_executed = child.pid, child.t_executed
            launched_cpu_s = proc.cpu_s(child.pid)
            sampled = cell.control != UNSAMPLED
            ended.events = AppendOnly(folder / "events.jsonl")
            sampler = Sampler(
                child.pid, folder / "samples.jsonl", endpoint.child.pid, verifier.receipt, beside
            )
            try:
                with sampler if sampled else contextlib.nullcontext():
                    ended.problem = _watch(
                        child,
                        endpoint,
                        folder / "events.jsonl",
                        ended.events,
                        sampler if sampled else None,
                        settings.stall_s,
                        observe,
                        interrupts,
                    )
                    # It has ended and is not reaped yet, so the kernel still has its processor times. What
                    # they held when it took over is the launcher's.
                    last = proc.read(child.pid) if child.has_ended(0) else None
                    own_cpu_s = proc.cpu_s(child.pid)
                    if launched_cpu_s is not None and last is not None and own_cpu_s is not None:
                        workers = sampler.workers_cpu_s
                        ended.own_cpu_s = own_cpu_s - launched_cpu_s + workers
                        reaped = workers - sampler.orphans_cpu_s
                        ended.tools_cpu_s = max(0.0, last.reaped_children_cpu_s - reaped)
            finally:
                if group is not None:
                    ended.cgroup_peak_kib, ended.cgroup_method = group.peak_kib(), group.method
                ended.exit_code = child.stop()
                ended.sampler_cpu_s, ended.peaks_reset = sampler.cpu_s, sampler.peaks_reset
                ended.samples = sampler.samples if sampled else None
    except UserError as refusal:
        ended.problem = str(refusal)


def _watch(
    child: Child,
    endpoint: Endpoint,
    events: Path,
    growth: AppendOnly,
    sampler: Sampler | None,
    stall_s: float,
    observe: Observe,
    interrupts: Interrupts,
) -> str | None:
    """Wait until the runtime has ended; or say why it must be: for `stall_s` there were no events and no open
    requests, and no server had asked the runtime to wait.
    """
    moved = looked = time.monotonic()
    size = requests = -1
    while not child.has_ended(LOOK_S):
        interrupts.check()
        now = time.monotonic()
        present = growth.look()
        if present != size:
            size, moved = present, now
        elif min(now - moved, now - looked) > stall_s / GAUGES:
            # Once is not enough: a runtime that makes one request after the other may be between two of them.
            looked, gauge = now, endpoint.gauge()
            if gauge is not None and (gauge.in_flight or gauge.asked_to_wait_s or gauge.requests != requests):
                requests, moved = gauge.requests, now
            elif now - moved > stall_s:
                return f"the runtime hangs: no event and no open request for {stall_s:g} s"
        if endpoint.child.has_ended(0):
            return None  # which is no fault of the runtime
        reap_orphans(but=(child.pid, endpoint.child.pid))
        observe(events, sampler)
    growth.look()
    observe(events, sampler)
    return None

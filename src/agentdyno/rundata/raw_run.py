"""One run as stored in its folder."""

import hashlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

from agentdyno.reading import Missing, Unreadable, exists, json_lines, read_json
from agentdyno.rundata import events, journal
from agentdyno.rundata.cell import Cell
from agentdyno.rundata.columns import Columns, Pool
from agentdyno.rundata.receipts import Receipt
from agentdyno.rundata.receipts import read as read_receipts
from agentdyno.shape import Amount, AtLeast1, Count, Json, Must, Text, Url, shaped

RECEIPTS = "receipts.jsonl"
"""In a run's folder: a line for each receipt."""

RECEIPT_PROGRAM = "receipt"
"""The name of the program that runs the verifier and sends them."""

REMEDY = "name results whose runs are whole, or measure again"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a run is of: its cell and block, the hash of the contender's files, and the machine."""

    runtime: Text
    agents: AtLeast1
    verifier: Text
    profile: Text
    control: str
    block: AtLeast1
    contender_sha256: Text
    machine: dict[str, Json]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended, as the harness observed it; `outcome.json` in the run's folder.

    `exit_code` is minus the signal's number if a signal ended the runtime, and None if it never started.
    `problem` says why the harness ended the runtime or could not start it. `t_executed` is when the runtime's
    program was executed, in ns of CLOCK_MONOTONIC. `own_cpu_s` is the processor time of the runtime's own
    processes, `tools_cpu_s` that of its reaped tool children, `harness_cpu_s` that of the harness, and
    `sampler_cpu_s` the part of `harness_cpu_s` that the sampler used. `cgroup_peak_kib` is the peak memory of
    the run's control group, by `cgroup_method`, None without a group. `steal_share`, `throttled_s`,
    `thermal_throttles` and `swapped_pages` are None where the machine has no such counter (see
    `measure.machine`). `cores` is how many the run could use. `epoch_ns` is Unix time minus CLOCK_MONOTONIC
    when the run began, in ns, and None in runs of older versions. `events_changed` says what happened to the
    events besides growing. `survivors` counts processes that the runtime left behind, `left_by_attempts`
    those that the code under test did, out of the runtime's reach. `endpoint_problem` says how the endpoint
    failed: such a run says nothing of the runtime. `foreign_share` and `foreign_programs` are what ran beside
    the run (see `measure.foreign`), None and empty in runs of older versions. `agentdyno` is the version that
    made the run, None in runs of version 0.1.0. `peaks_reset` counts high-water marks that fell.
    `samples` is how many the sampler took, and `origin` what the run is of.
    """

    exit_code: int | None
    problem: str | None
    last_stderr_line: str | None
    t_executed: int | None
    own_cpu_s: Amount | None
    tools_cpu_s: Amount | None
    survivors: Count
    workspaces_left: Count
    harness_cpu_s: Amount
    sampler_cpu_s: Amount
    cgroup_peak_kib: Count | None
    cgroup_method: str | None
    steal_share: float | None
    throttled_s: float | None
    thermal_throttles: int | None
    swapped_pages: int | None
    endpoint_niceness: int | None
    cores: AtLeast1
    interrupted: bool
    epoch_ns: Count | None = None
    events_changed: Text | None = None
    left_by_attempts: Count = 0
    endpoint_problem: Text | None = None
    foreign_share: Annotated[float, Must("from 0 to 1", lambda share: 0 <= share <= 1)] | None = None
    foreign_programs: list[str] = field(default_factory=list)
    agentdyno: Text | None = None
    peaks_reset: Count = 0
    samples: Count | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class _Task:
    """What is read of a line of the run's tasks file."""

    task_id: Text
    start_after_ns: Count | None = None
    tests: str = ""


@dataclass(frozen=True, slots=True)
class _Verify:
    slots: AtLeast1
    argv: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RunFile:
    """What is read of `run.json`, which tells a runtime everything (CONTRACT.md, *The run file*)."""

    tasks_file: Text
    max_retries: Count
    base_url: Url
    model: Text
    request: dict[str, Json]
    prompts_file: Text | None = None
    verify: _Verify | None = None


class Sample(NamedTuple):
    """One line of `samples.jsonl`: what the sampler saw at `t`, in ns of CLOCK_MONOTONIC."""

    t: int
    rss_kib: Count
    peak_rss_kib: Count
    tree_pss_kib: Count | None
    tools_pss_kib: Count | None
    tree_processes: Count | None
    threads: Count
    cpu_s: Amount
    endpoint_cpu_s: Amount | None


@dataclass(frozen=True, slots=True)
class RawRun:
    """The raw data of one run.

    `starts` are the tasks' intended starts by task, in ns after the run's start, and empty where all agents
    start at once. `prompts_file`, `model` and `request` are what the requests are made of, and `tests_sha256`
    are the hashes of the tasks' tests, in the order of `task_ids`. At most `slots`
    verifications run at once. `receipts` are those of the verifications, None where none were to be sent.
    """

    cell: Cell
    block: int
    folder: Path
    tasks_file: Path
    task_ids: list[str]
    starts: dict[str, int]
    max_retries: int
    outcome: RunOutcome
    events: events.RunEvents
    journal: journal.Journal
    samples: Columns[Sample]
    model: str
    request: dict[str, Json]
    prompts_file: Path | None
    tests_sha256: list[str]
    slots: int | None
    receipts: Columns[Receipt] | None

    @property
    def is_of_0_1(self) -> bool:
        """Whether version 0.1.0 made the run, which did not write down all that is checked today."""
        return self.outcome.agentdyno is None


def has_ended(folder: Path) -> bool:
    """Whether the run in `folder` is complete: its outcome, written last, exists and says neither that it was
    interrupted nor that the endpoint failed.

    An outcome that cannot be read, as after a crash of the machine, is none.
    """
    try:
        outcome = _outcome(folder)
    except Unreadable:
        return False
    return not outcome.interrupted and outcome.endpoint_problem is None


def _outcome(folder: Path) -> RunOutcome:
    return read_json(folder / "outcome.json", RunOutcome, REMEDY)


def read_run_file(folder: Path) -> RunFile:
    """The run file of the run in `folder`."""
    return read_json(folder / "run.json", RunFile, REMEDY)


def read(folder: Path, cell: Cell, block: int) -> RawRun:
    """Read the run in `folder`; an Unreadable says which of its files is damaged, and where."""
    run_file = read_run_file(folder)
    tasks_file = _beside(folder, Path(run_file.tasks_file))
    task_ids, starts, tests_sha256 = _tasks(tasks_file)
    # A task's id stands in the line of each of its events and requests.
    pool: Pool = dict(zip(task_ids, task_ids, strict=True))
    run = RawRun(
        cell=cell,
        block=block,
        folder=folder,
        tasks_file=tasks_file,
        task_ids=task_ids,
        starts=starts,
        max_retries=run_file.max_retries,
        outcome=_outcome(folder),
        events=events.read(folder / "events.jsonl", run_file.max_retries + 1, pool),
        journal=journal.read(folder / "journal.jsonl", REMEDY, pool),
        samples=_samples(folder / "samples.jsonl"),
        model=run_file.model,
        request=run_file.request,
        prompts_file=_beside(folder, Path(run_file.prompts_file)) if run_file.prompts_file else None,
        tests_sha256=tests_sha256,
        slots=run_file.verify.slots if run_file.verify else None,
        receipts=read_receipts(folder / RECEIPTS, REMEDY) if _sends_receipts(run_file) else None,
    )
    pool.clear()
    return run


def _sends_receipts(run_file: RunFile) -> bool:
    """Whether the run file has the verifier run by the program that sends receipts."""
    argv = run_file.verify.argv if run_file.verify else []
    return bool(argv) and Path(argv[0]).name == RECEIPT_PROGRAM


def _tasks(path: Path) -> tuple[list[str], dict[str, int], list[str]]:
    """The ids of the tasks, the intended starts of those that have one, and the hashes of their tests."""
    ids: list[str] = []
    hashes: list[str] = []
    known: Pool = {}
    starts: dict[str, int] = {}
    for task in json_lines(path, partial(shaped, kind=_Task), REMEDY):
        ids.append(task.task_id)
        sha256 = hashlib.sha256(task.tests.encode("utf-8", "surrogatepass")).hexdigest()
        hashes.append(known.setdefault(sha256, sha256) or sha256)
        if task.start_after_ns is not None:
            starts[task.task_id] = task.start_after_ns
    if not ids:
        raise Unreadable(path, "holds no task", REMEDY)
    return ids, starts, hashes


def _samples(path: Path) -> Columns[Sample]:
    """The lines of the sampler; none where the run was not sampled."""
    try:
        return Columns(Sample, json_lines(path, partial(shaped, kind=Sample), REMEDY))
    except Missing:
        return Columns(Sample)


def _beside(folder: Path, path: Path) -> Path:
    """A file that the run in `folder` shares with other runs, also when the results were moved after it."""
    moved = folder.parent.parent / path.parent.name / path.name
    return moved if exists(moved) else path

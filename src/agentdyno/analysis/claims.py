"""The gates that check what a runtime reports against what the endpoint, the sampler and the tasks say.

None has a tolerance: an honest runtime's times come from the same clock as the endpoint's, in a fixed order.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, pairwise
from typing import Any

from agentdyno.analysis.gate import Evidence, Gate
from agentdyno.analysis.joins import DIGEST_BYTES, UNSERVED, UNWITNESSED, VERIFIED, digest
from agentdyno.analysis.metric import Kind
from agentdyno.analysis.metrics import NS_PER_S
from agentdyno.reading import json_lines
from agentdyno.rundata.cell import UNSAMPLED
from agentdyno.rundata.columns import Columns
from agentdyno.rundata.raw_run import REMEDY
from agentdyno.rundata.receipts import GONE, Receipt
from agentdyno.shape import shaped
from agentdyno.tasks.first_request import first_request_sha256, read_prompts
from agentdyno.tasks.task import Task

FIRST_REQUESTS = "first requests"

UNSAMPLED_LIMIT_S = 0.5
"""A runtime could take memory and give it back in a longer gap between two samples."""


def first_requests_as_laid_down(evidence: Evidence) -> list[str]:
    """The first request of each task is the one that the contract makes of the task, byte for byte."""
    run = evidence.run
    if run.prompts_file is None:
        return []
    prompts = read_prompts(run.prompts_file, REMEDY)
    unlike = []
    for task in json_lines(run.tasks_file, partial(shaped, kind=Task), REMEDY):
        asked = evidence.requests.get(task.task_id, b"")[:DIGEST_BYTES]
        if any(asked) and asked != digest(first_request_sha256(prompts, task, run.model, run.request)):
            unlike.append(task.task_id)
    if not unlike:
        return []
    return [f"{len(unlike)} first requests are not those of the contract, the first: {unlike[0]}"]


def replies_as_sent(evidence: Evidence) -> list[str]:
    """The runtime read what the endpoint sent: the hash of the reply, and the usage if the runtime has it."""
    requests = evidence.run.journal.requests
    sent, prompt, completion, t_gone = map(
        requests.column, ("completion_sha256", "prompt_tokens", "completion_tokens", "t_gone")
    )
    texts, usages = [], []
    for its, at in _served(evidence, "task", "attempt", "completion_sha256", "usage"):
        task, number, read, usage = its
        if sent[at] not in (None, read):
            texts.append(f"{task} attempt {number}")
        # Of a reply that the client left before its end, the endpoint may have sent what nobody read.
        if t_gone[at] is None and _differs(usage, prompt[at], completion[at]):
            usages.append(f"{task} attempt {number}")
    found = []
    if texts:
        found.append(
            f"completion_sha256 of {len(texts)} attempts is not that of the reply sent, the first: {texts[0]}"
        )
    if usages:
        found.append(f"usage of {len(usages)} attempts is not that of the reply sent, the first: {usages[0]}")
    return found


def _differs(usage: dict[str, object] | None, prompt: int | None, completion: int | None) -> bool:
    """Whether a number of tokens that both know is not the same."""
    known = {"prompt_tokens": prompt, "completion_tokens": completion}
    return any(
        usage is not None and sent is not None and usage.get(name, sent) != sent
        for name, sent in known.items()
    )


def finished_after_it_was_sent(evidence: Evidence) -> list[str]:
    """No runtime has the end of a reply before the endpoint began to write the finish reason."""
    t_finish = evidence.run.journal.requests.column("t_finish")
    early = [
        f"{task} attempt {number}"
        for (task, number, t_last), at in _served(evidence, "task", "attempt", "t_last")
        if t_last is not None and t_last < (t_finish[at] or 0)
    ]
    if not early:
        return []
    return [
        f"t_last of {len(early)} attempts is before the endpoint sent the finish reason, "
        f"the first: {early[0]}"
    ]


def pauses_after_failures(evidence: Evidence) -> list[str]:
    """Time for failed tries is claimed only where the endpoint had a try that failed."""
    run = evidence.run
    failed = {
        (task, attempt)
        for task, attempt, is_served in run.journal.requests.of("task", "attempt", "is_served")
        if not is_served
    }
    claimed = [
        f"{task} attempt {number}"
        for task, number, ns in run.events.attempts.of("task", "attempt", "transport_ns")
        if ns > 0 and (task, number) not in failed
    ]
    if not claimed:
        return []
    return [
        f"{len(claimed)} attempts claim time for failed tries where the endpoint had none, "
        f"the first: {claimed[0]}"
    ]


def verifications_witnessed(evidence: Evidence) -> list[str]:
    """Each verdict has a receipt of a verification in the attempt's time, of the code block of the reply that
    the endpoint sent and of the task's tests, which ended as the attempt says; and no receipt is left over.
    """
    run = evidence.run
    if run.receipts is None:
        return []
    attempts = run.events.attempts.of("task", "attempt", "verdict")
    without = [
        f"{task} attempt {number}, {verdict}"
        for (task, number, verdict), at in zip(attempts, evidence.joined.witnessed_by, strict=True)
        if verdict in VERIFIED and at == UNWITNESSED
    ]
    solutions = run.journal.requests.column("solution_sha256")
    skipped = [
        f"{task} attempt {number}"
        for (task, number, verdict), at in _served(evidence, "task", "attempt", "verdict")
        if verdict == "no_code" and solutions[at] is not None
    ]
    found = []
    if without:
        found.append(f"{len(without)} verdicts have no receipt of a verification, the first: {without[0]}")
    if skipped:
        found.append(f"{len(skipped)} verdicts are no_code where the reply has code, the first: {skipped[0]}")
    return found + list(_doubtful_receipts(evidence, run.receipts))


def _doubtful_receipts(evidence: Evidence, receipts: Columns[Receipt]) -> Iterator[str]:
    """What of the receipts no honest runtime does."""
    problems = [
        problem
        for problem, by_attempt in receipts.of("problem", "by_attempt")
        if problem not in (None, GONE) and not by_attempt
    ]
    if problems:
        yield f"{len(problems)} receipts are not to be believed, the first: {problems[0]}"
    beside = sum((others or 0) > 0 for others in receipts.column("others"))
    if beside:
        yield f"{beside} verifications had more files in their folder than solution and tests"
    claimed = bytearray(len(receipts))
    for position in evidence.joined.witnessed_by:
        if position != UNWITNESSED:
            claimed[position] = True
    spare = sum(
        problem is None and not by_attempt and not claimed[position]
        for position, (problem, by_attempt) in enumerate(receipts.of("problem", "by_attempt"))
    )
    cut_short = evidence.run.events.attempts.column("verdict")
    allowed = sum(verdict in ("interrupted", "error") for verdict in cut_short)
    if spare > allowed:
        yield f"{spare} verifications were made that no attempt reports as they were"


def sampled_throughout(evidence: Evidence) -> list[str]:
    """The sampler looked at the runtime all the time: nobody kept it from that."""
    run = evidence.run
    t_start, t_end = run.events.t_start, run.events.t_end
    if run.cell.control == UNSAMPLED or t_start is None or t_end is None or run.outcome.interrupted:
        return []
    looks = (t for t in run.samples.column("t") if t_start < t < t_end)
    gap_s = max(later - before for before, later in pairwise(chain((t_start,), looks, (t_end,)))) / NS_PER_S
    if gap_s <= UNSAMPLED_LIMIT_S:
        return []
    return [f"no sample was taken for {gap_s:.1f} s (limit {UNSAMPLED_LIMIT_S:g} s)"]


def high_water_marks_kept(evidence: Evidence) -> list[str]:
    """No process of the runtime had its high-water mark of memory reset (proc(5), /proc/PID/clear_refs)."""
    resets = evidence.run.outcome.peaks_reset
    return [f"the high-water mark of memory (VmHWM) of the runtime fell {resets} times"] if resets else []


def _served(evidence: Evidence, *fields: str) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Of the attempts that the endpoint served these fields, each with the position of its request."""
    attempts = evidence.run.events.attempts.of(*fields)
    for its, position in zip(attempts, evidence.joined.served_by, strict=True):
        if position != UNSERVED:
            yield its, position


AS_REQUESTED = Gate(
    FIRST_REQUESTS,
    first_requests_as_laid_down,
    "see *One task* in CONTRACT.md and messages.json of the contract's vectors",
    since="0.2.0",
)

CLAIMS: Sequence[Gate] = (
    Gate(
        "replies as sent",
        replies_as_sent,
        "report what the endpoint sent; compare the attempt's lines in events.jsonl and journal.jsonl",
        since="0.2.0",
    ),
    Gate(
        "finished after it was sent",
        finished_after_it_was_sent,
        "take t_last when the finish reason has been read, from CLOCK_MONOTONIC",
        kinds=(Kind.TIME,),
        since="0.2.0",
    ),
    Gate(
        "pauses after failures",
        pauses_after_failures,
        "transport_ns is the time of the tries that failed and of the pauses after them, and else 0",
        kinds=(Kind.TIME,),
        since="0.2.0",
    ),
    Gate(
        "verifications witnessed",
        verifications_witnessed,
        "run verify.argv as it is in the attempt's folder, with exactly the code block and the tests, and "
        "report how it ended; see receipts.jsonl and *Verification* in CONTRACT.md",
        since="0.2.0",
    ),
    Gate(
        "high-water marks kept",
        high_water_marks_kept,
        "do not write to /proc/PID/clear_refs during a run",
        kinds=(Kind.MEMORY,),
        since="0.2.0",
    ),
    Gate(
        "sampled throughout",
        sampled_throughout,
        "something stopped the harness, or the machine is too busy: measure again on a quiet machine",
        is_fault=False,
        kinds=(Kind.MEMORY, Kind.PROCESSOR_TIME),
        since="0.2.0",
    ),
)
"""The gates that check what a runtime reports."""

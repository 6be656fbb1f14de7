"""Judges an attempt by its exit code and by the summary that pytest printed.

Source: runtimes/contract/vectors/verdicts.json.
"""

import re

from agentloop.extraction import WHITE_SPACE

PASSED = "passed"
FAILED = "failed"
UNPROVEN = "unproven"
NO_SUMMARY = "no_summary"
TIMED_OUT = "timed_out"
NO_CODE = "no_code"
ERROR = "error"
INTERRUPTED = "interrupted"

_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_COUNT = r"[0-9]+ (?:passed|failed|errors?|skipped|xfailed|xpassed|warnings?|deselected|reruns?)"
_SUMMARY = re.compile(
    rf"(?:=+ )?({_COUNT}(?:, {_COUNT})*|no tests ran) in [0-9]+\.[0-9]+s(?: \([0-9a-z,: ]+\))?(?: =+)?"
)


def judge(exit_code: int | None, timed_out: bool, stdout: bytes) -> str:
    """Return `passed`, `failed`, `unproven`, `no_summary` or `timed_out`.

    `exit_code` is None when a signal ended the verifier. The exit code alone proves nothing: a solution that
    calls `os._exit(0)` exits with 0, and so does a test module that skips itself.
    """
    if timed_out:
        return TIMED_OUT
    counts = _summary_counts(stdout)
    if counts is None:
        return NO_SUMMARY
    if counts.get("failed") or counts.get("error"):
        return FAILED
    if not counts.get("passed") or counts.keys() - {"passed", "warning"}:
        return UNPROVEN
    return PASSED if exit_code == 0 else FAILED


def _summary_counts(stdout: bytes) -> dict[str, int] | None:
    """Return the counts of the last line that is a summary as a whole, by singular name; None without one."""
    for line in reversed(stdout.decode("utf-8", "replace").split("\n")):
        summary = _SUMMARY.fullmatch(_ESCAPE_SEQUENCE.sub("", line).rstrip(WHITE_SPACE))
        if summary is not None:
            counts = (count.split() for count in summary[1].split(", ") if count != "no tests ran")
            return {name.removesuffix("s"): int(number) for number, name in counts}
    return None

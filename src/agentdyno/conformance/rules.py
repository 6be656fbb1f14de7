"""The rules of CONTRACT.md that can be observed from outside, and what a case raises where one is broken.

Each rule is tried by at least one case.
"""

from dataclasses import dataclass


class RuleViolation(Exception):
    """The runtime did not do as the rule says; the message is the evidence, in one line."""


class NotPossible(Exception):
    """This machine or the manifest gives no occasion for the case; the message says what is missing."""


def require(holds: bool, evidence: str) -> None:
    """Raise RuleViolation with the evidence unless the condition holds."""
    if not holds:
        raise RuleViolation(evidence)


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise of the contract: its name, the section of CONTRACT.md it is in, and what it says."""

    name: str
    section: str
    says: str


RULES = (
    Rule(
        "run-file.json",
        "The run file",
        "a run file that cannot be read or is no JSON object: exit 2, one line",
    ),
    Rule(
        "run-file.fields",
        "The run file",
        "a field missing or of the wrong type: exit 2, one line that names it",
    ),
    Rule(
        "run-file.values", "The run file", "a value out of its bounds: exit 2, one line that names its field"
    ),
    Rule("run-file.others", "The run file", "other fields are passed over"),
    Rule(
        "run-file.tasks", "The run file", "a tasks file without tasks or with a broken one: exit 2, one line"
    ),
    Rule("run-file.prompts", "The run file", "prompts that cannot be used: exit 2, one line"),
    Rule("run-file.workspaces", "The run file", "a workspaces folder that cannot be used: exit 2, one line"),
    Rule(
        "run-file.events", "The run file", "an event file that is there or cannot be made: exit 2, one line"
    ),
    Rule("run-file.agents", "The run file", "all agents are at work at once, and each takes the next task"),
    Rule(
        "run-file.starts",
        "The run file",
        "a task begins start_after_ns after run_start, not before, and holds nobody up until then",
    ),
    Rule("key.header", "The run file", "the key is sent as a bearer token; not set or empty, nothing is"),
    Rule("key.secret", "The run file", "the key is in its header and in no file, log, event or child"),
    Rule("messages.vectors", "One task", "messages.json, on the wire"),
    Rule("messages.conversation", "One task", "replies and feedback are appended, and nothing else changes"),
    Rule("request.head", "One task", "POST {base_url}/chat/completions with JSON as Content-Type"),
    Rule("request.canonical", "One task", "every request body is canonical JSON"),
    Rule("stream.vectors", "One task", "sse.json, on the wire"),
    Rule(
        "stream.framing", "One task", "events end in LF, CRLF or CR, begin with a BOM, and are cut anywhere"
    ),
    Rule("stream.comments", "One task", "comments are passed over"),
    Rule("stream.chunks", "One task", "chunks that say nothing, or something unknown, are passed over"),
    Rule(
        "stream.finish",
        "One task",
        "a completion needs a finish_reason and no [DONE]; what follows cannot undo it",
    ),
    Rule(
        "stream.errors",
        "Transport",
        "an error object, malformed JSON, another type or a compressed body: failed try",
    ),
    Rule("stream.http", "One task", "whatever way HTTP/1.1 has to frame, interrupt or end a response"),
    Rule("extraction.vectors", "One task", "extraction.json, by the file that is verified"),
    Rule(
        "files.written",
        "One task",
        "solution.py and test_solution.py, whole, in a folder of the attempt's own",
    ),
    Rule("files.gone", "One task", "the folder is gone when the attempt ends, whatever was done to it"),
    Rule(
        "files.refused",
        "One task",
        "a file that the machine refuses: verdict and outcome error with a reason, and the run goes on",
    ),
    Rule("files.links", "One task", "nothing that a link leads to is touched"),
    Rule("feedback.vectors", "One task", "feedback.json, by the next request"),
    Rule("verdicts.vectors", "One task", "verdicts.json, by the attempt event"),
    Rule("attempts.bound", "One task", "1 + max_retries attempts at most, and no more after the tests pass"),
    Rule("transport.statuses", "Transport", "408, 429 and 5xx are tried again"),
    Rule("transport.final", "Transport", "any other status is final at once"),
    Rule("transport.connection", "Transport", "no connection, a reset or an end too early is tried again"),
    Rule(
        "transport.idle",
        "Transport",
        "no data event for event_idle_s after the request fails the try; comments are none",
    ),
    Rule("transport.fresh", "Transport", "a fresh request is made each time, and partial text is dropped"),
    Rule("transport.backoff", "Transport", "full jitter between tries, within base_s doubled and cap_s"),
    Rule("transport.retry-after", "Transport", "Retry-After, in seconds or as a date, is waited for"),
    Rule("transport.bound", "Transport", "given up after max_retries: outcome error with a reason"),
    Rule(
        "transport.total",
        "Transport",
        "total_s bounds a completion with all its tries, up to the finish_reason",
    ),
    Rule(
        "transport.reuse", "Transport", "a connection that was closed or has rubbish on it is not used again"
    ),
    Rule(
        "verify.child",
        "Verification",
        "argv, environment, folder, descriptors, process group and signals of the verifier, and its end",
    ),
    Rule("verify.output", "Verification", "the end of each output is kept, the rest drained, in flat memory"),
    Rule("verify.timeout", "Verification", "the group is killed at timeout_s"),
    Rule("verify.group", "Verification", "the group is killed when its leader has exited"),
    Rule("verify.descendants", "Verification", "a descendant that keeps a pipe open is not waited for"),
    Rule("verify.slots", "Verification", "at most `slots` at once, first come, first served"),
    Rule("verify.verdict", "Verification", "exit code 0 is not a pass"),
    Rule("tools.calls", "Tools", "a line for every call, in order, and exit 0 at the end"),
    Rule("tools.write_file", "Tools", "write_file writes whole files"),
    Rule("tools.read_file", "Tools", "read_file reads text"),
    Rule("tools.list_dir", "Tools", "list_dir lists a folder in order"),
    Rule("tools.search", "Tools", "search finds lines"),
    Rule("tools.bash", "Tools", "bash runs a command line under all rules of Verification"),
    Rule("tools.confined", "Tools", "absolute paths, `..` and symbolic links are refused"),
    Rule("events.format", "Events", "every event line has all fields, of their types, in order of time"),
    Rule("events.accounting", "Events", "exactly one task event per task, and attempts that lead to it"),
    Rule("events.digests", "Events", "request and completion digests are those of the bytes on the wire"),
    Rule("events.times", "Events", "times agree with what the endpoint and the verifier saw"),
    Rule(
        "events.values", "Events", "what the endpoint and the verifier said, and null where nothing happened"
    ),
    Rule("events.flushed", "Events", "every event is in the file as soon as it is over, kill -9 or not"),
    Rule("exit.status", "Exit", "0 when every task has its outcome from the work itself"),
    Rule("exit.signals", "Exit", "SIGINT and SIGTERM: in order, within 5 s, exit 130 or 143"),
    Rule("exit.inherited", "Exit", "whatever its parent ignored or blocked, and whoever reads its stderr"),
    Rule("exit.disk", "Exit", "an event file that cannot grow: exit 1, one line, nothing left behind"),
    Rule("exit.processes", "Exit", "no process outlives the runtime"),
    Rule("exit.zombies", "Exit", "every child is reaped"),
    Rule("exit.workspaces", "Exit", "no workspace outlives the runtime"),
)
"""In the order of the contract, and of the table."""


def group_of(rule: str) -> str:
    """The group of a rule or a case, which is the first word of its name: `stream` of `stream.framing`."""
    return rule.partition(".")[0]

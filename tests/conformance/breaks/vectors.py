"""Breaks of what the vectors define."""

import re
from typing import Any

from breaks.declare import Break
from breaks.stream_events import pieces_are_texts


def placeholders_in_turn() -> None:
    from agentloop import messages

    def fill(template: str, values: Any) -> str:
        for name, value in values.items():
            template = template.replace(f"{{{name}}}", value)
        return template

    messages._fill = fill


def tests_failed_for_all() -> None:
    from agentloop.messages import Conversation

    Conversation.timed_out = lambda self, reply: self.tests_failed(reply, "")  # type: ignore[method-assign]


def first_block() -> None:
    from agentloop import agent, extraction

    agent.extract = lambda reply: next((code for _, code in extraction._code_blocks(reply)), None)


def any_tag() -> None:
    from agentloop import extraction

    extraction._PYTHON_TAG = re.compile("|python|python3|py|py3|json|bash")


def no_tildes() -> None:
    from agentloop import extraction

    extraction._OPENING_FENCE = re.compile(r"( {0,3})(`{3,}(?=[^`]*$))[ \t]*([^ \t]*).*", re.DOTALL)


def workspace_as_pattern() -> None:
    from agentloop import agent, feedback

    unlike = "no folder is called this"
    agent.normalise = lambda stdout, stderr, workspace: feedback.normalise(
        re.sub(workspace.encode(), b".", re.sub(f"{workspace}/".encode(), b"", stdout)), stderr, unlike
    )


def durations_stay() -> None:
    from agentloop import feedback

    feedback._REPLACEMENTS = feedback._REPLACEMENTS[1:]


def limit_in_characters() -> None:
    from agentloop import agent, feedback

    limit, feedback.LIMIT_BYTES = feedback.LIMIT_BYTES, 10**9
    agent.normalise = lambda *output: feedback.normalise(*output)[-limit:]


def exit_code_alone() -> None:
    from agentloop import agent, verdict

    agent.judge = lambda exit_code, timed_out, stdout: (
        verdict.judge(exit_code, timed_out, stdout) if exit_code != 0 else "passed"
    )


def colours_stay() -> None:
    from agentloop import verdict

    verdict._ESCAPE_SEQUENCE = re.compile("(?!)")


def summary_of_what_was_stopped() -> None:
    from agentloop import agent, verdict

    agent.judge = lambda exit_code, timed_out, stdout: verdict.judge(exit_code, False, stdout)


def two_byte_order_marks() -> None:
    from agentloop.sse import EventStream

    take = EventStream._take
    EventStream._take = lambda self, line, completed: take(  # type: ignore[method-assign]
        self, line.removeprefix(b"\xef\xbb\xbf"), completed
    )


def pieces_are_lines() -> None:
    from agentloop.sse import EventStream

    feed = EventStream.feed

    def whole_lines_only(self: Any, chunk: bytes) -> list[str]:
        completed = feed(self, chunk)
        if self._unfinished_line:
            completed += feed(self, b"\n")
        return completed

    EventStream.feed = whole_lines_only  # type: ignore[method-assign]


BREAKS = [
    Break(
        "messages.vectors", "placeholders in turn", "messages.vectors/first requests", placeholders_in_turn
    ),
    Break(
        "messages.vectors",
        "one text for all failures",
        "messages.vectors/later requests",
        tests_failed_for_all,
    ),
    Break("extraction.vectors", "the first block", "extraction.vectors/all", first_block),
    Break("extraction.vectors", "any tag", "extraction.vectors/all", any_tag),
    Break("extraction.vectors", "no tildes", "extraction.vectors/all", no_tildes),
    Break(
        "feedback.vectors",
        "the workspace as a pattern",
        "feedback.vectors/odd folder",
        workspace_as_pattern,
    ),
    Break("feedback.vectors", "durations stay", "feedback.vectors/all", durations_stay),
    Break("feedback.vectors", "4,000 characters", "feedback.vectors/all", limit_in_characters),
    Break("verdicts.vectors", "exit code 0 passes", "verdicts.vectors/ended", exit_code_alone),
    Break("verdicts.vectors", "colours stay", "verdicts.vectors/ended", colours_stay),
    Break(
        "verdicts.vectors",
        "what was stopped is judged by its summary",
        "verdicts.vectors/stopped",
        summary_of_what_was_stopped,
    ),
    Break(
        "stream.vectors", "a byte order mark before every line", "stream.vectors/whole", two_byte_order_marks
    ),
    Break("stream.vectors", "pieces are lines", "stream.vectors/cut in two", pieces_are_lines),
    Break(
        "stream.vectors",
        "each piece is decoded",
        "stream.vectors/byte by byte",
        pieces_are_texts,
    ),
]

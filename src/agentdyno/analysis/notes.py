"""What a real server did that explains outcomes: replies that no runtime can use, and requests refused.

None of it makes a row invalid. It is said with the row, because the row alone would be read as the runtime's
or the model's.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agentdyno.format import printable
from agentdyno.rundata.cell import REAL
from agentdyno.rundata.raw_run import RawRun

MAX_TOKENS = "--request '{\"max_tokens\": …}'"

ODDITIES = {
    "only_reasoning": (
        "had text only in reasoning or reasoning_content, which is no answer",
        f"switch the model's thinking off (a chat template option in --request), or raise {MAX_TOKENS}",
    ),
    "cut": ("were cut at the limit of tokens (finish_reason length)", f"raise {MAX_TOKENS}"),
    "content_parts": (
        "had content as a list of parts, which is not read",
        "have the server send content as a text",
    ),
    "late_text": (
        "had text after their first finish_reason, which is not read",
        "the server sends finish_reason too early; update or replace it",
    ),
    "camel_case": (
        "had finishReason instead of finish_reason, which is not read",
        "set LLM_BASE_URL to the server's OpenAI-compatible address",
    ),
}
"""What the journal counts in replies, in words, and what to do."""

REFUSED = "refused"

_CONTEXT = re.compile(
    r"context.{0,20}(length|size|window)|context_length_exceeded|n_ctx|max_model_len|prompt is too long"
    r"|(longer|larger) than the model's|(inputs?|prompts?|tokens?)\b.{0,60}\b(exceed|too (long|many|large))"
    r"|max_(new_|completion_)?tokens.{0,40}(too large|exceed|must be)",
    re.IGNORECASE,
)
"""Messages that prompt and reply do not fit into the model's context, as servers in use put it."""

_REMEDIES = {
    400: "change the fields of every request with --request",
    401: "set LLM_API_KEY to a key that the server accepts",
    403: "set LLM_API_KEY to a key that may use this model",
    404: "set LLM_MODEL to a model that the server has, and LLM_BASE_URL with its /v1",
    422: "change the fields of every request with --request",
    429: "lower --agents, or raise the limits of the account",
}


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the server did in `count` of `of` replies or requests.

    `kind` is a name of ODDITIES or REFUSED; then `status` is the status of the response, and `said` are the
    server's first words.
    """

    kind: str
    count: int
    of: int
    status: int | None = None
    said: str | None = None

    def __post_init__(self) -> None:
        """What a server says must not drive the reader's terminal."""
        object.__setattr__(self, "said", None if self.said is None else printable(self.said))

    @property
    def line(self) -> str:
        """The note as one sentence with a remedy."""
        if self.kind == REFUSED:
            how = "an error in the stream" if self.status == 200 else f"status {self.status}"
            return (
                f"{self.count:,} of {self.of:,} requests got {how}, the first: “{self.said}”: {self._remedy}"
            )
        what, remedy = ODDITIES.get(self.kind, (f"were odd ({self.kind})", "see docs/endpoint.md"))
        return f"{self.count:,} of {self.of:,} replies {what}: {remedy}"

    @property
    def _remedy(self) -> str:
        if _CONTEXT.search(self.said or ""):
            return (
                f"prompt and max_tokens do not fit into the model's context; lower {MAX_TOKENS}, or start "
                "the server with a larger context"
            )
        return _REMEDIES.get(self.status or 0, "see the server's log")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the endpoint saw of one run: counts by oddity and by status, and the first words by status."""

    replies: int
    requests: int
    oddities: Counter[str]
    refused: Counter[int]
    said: dict[int, str]


def seen(run: RawRun) -> Seen:
    """What the endpoint saw of `run`; nothing of the simulated endpoint, which does what it should."""
    journal = run.journal
    if not run.cell.profile.startswith(REAL):
        return Seen(0, 0, Counter(), Counter(), {})
    return Seen(journal.replies, len(journal.requests), journal.oddities, journal.refused, dict(journal.said))


def notes(runs: Sequence[Seen]) -> list[Note]:
    """What is to be said of the runs of one row: of replies, then of refusals, the most frequent first."""
    replies, requests = sum(run.replies for run in runs), sum(run.requests for run in runs)
    oddities = sum((run.oddities for run in runs), Counter[str]())
    refused = sum((run.refused for run in runs), Counter[int]())
    said = {status: words for run in reversed(runs) for status, words in run.said.items()}
    return [
        *(Note(kind, count, replies) for kind, count in oddities.most_common()),
        *(Note(REFUSED, count, requests, status, said[status]) for status, count in refused.most_common()),
    ]

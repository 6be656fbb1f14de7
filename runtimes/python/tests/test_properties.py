"""What holds for any input, of the parts that others' output goes through."""

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from agentloop import EventStream, extract, judge, normalise
from agentloop.messages import canonical_json

PIECES_OF_STREAMS = st.sampled_from(
    [
        b"data: x\n",
        b"data:",
        b"\n",
        b"\r",
        b"\r\n",
        b"\xef\xbb\xbf",
        b": c",
        b"id: 1",
        "ü€😀".encode(),
        b"\xff",
        b" ",
        b"data",
    ]
)
PIECES_OF_REPLIES = st.sampled_from(
    ["```", "````", "~~~", "python", "py", "json", "\n", "\r\n", " ", "\t", "x = 1", "</think>", "ü", "`"]
)
PIECES_OF_OUTPUT = st.sampled_from(
    [
        b"/w/x",
        b"/w/x/",
        b" in 0.12s",
        b" (0:01:05)",
        b" at 0x7f",
        b"=",
        b" ",
        b"\n",
        b"\r\n",
        b"\xff",
        "😀".encode(),
        b"1 failed",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


unhurried = settings(deadline=None)


@unhurried
@given(st.lists(PIECES_OF_STREAMS | st.binary(max_size=3)), st.data())
def test_events_do_not_depend_on_how_the_stream_is_cut(pieces: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    whole, cut = EventStream(), EventStream()
    expected = whole.feed(stream)
    assert [
        event
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for event in cut.feed(stream[begin:end])
    ] == expected


def test_a_long_line_is_read_piece_by_piece_in_time() -> None:
    """Were the line copied for every piece of it, this would take an hour."""
    line, pieces = b"data: " + b"x" * 2**25, 2**16
    length = len(line) // pieces + 1
    events = EventStream()
    for begin in range(0, len(line), length):
        assert events.feed(line[begin : begin + length]) == []
    assert events.feed(b"\n\n") == [line.removeprefix(b"data: ").decode()]


def test_many_end_tokens_and_thoughts_are_dropped_in_time() -> None:
    """Were the reply searched for every one of them, this would take an hour."""
    many = 300_000
    reply = "<think></think>" * many + "```\na = 1\n```" + " </s>\n<|im_end|>" * many
    assert extract(reply) == "a = 1\n"


@unhurried
@given(st.lists(st.text(), max_size=5), st.sampled_from(["\n", "\r", "\r\n"]))
def test_what_was_sent_arrives(messages: list[str], line_end: str) -> None:
    lines = [re.split("\r\n|\r|\n", message) for message in messages]
    stream = "".join("".join(f"data: {line}{line_end}" for line in data) + line_end for data in lines)
    assert EventStream().feed(stream.encode()) == ["\n".join(data) for data in lines]


@unhurried
@given(st.lists(PIECES_OF_REPLIES | st.text(max_size=3)).map("".join))
def test_extracted_code_is_part_of_the_reply_and_ends_in_one_line_end(reply: str) -> None:
    code = extract(reply)
    if code is not None:
        assert code.strip()
        assert code.endswith("\n")
        assert not code.endswith("\n\n")
        assert "".join(code.split()) in "".join(reply.split())


@unhurried
@given(st.text().filter(lambda text: "```" not in text and "</think>" not in text and text.strip()))
def test_a_fenced_module_comes_out_as_it_went_in(module: str) -> None:
    module = module.replace("\r", "").rstrip("\n") + "\n"
    assert extract(f"Here:\n\n```python\n{module}```\nDone.") == (
        module if module.strip(" \t\n\r\v\f") else None
    )


@unhurried
@given(st.lists(PIECES_OF_OUTPUT | st.binary(max_size=9)).map(b"".join), st.binary(), st.integers(1, 800))
def test_feedback_is_short_and_free_of_what_varies(stdout: bytes, stderr: bytes, times: int) -> None:
    text = normalise(stdout * times, stderr, "/w/x")
    assert len(text.encode()) <= 4000
    assert not re.search("[ \t\n\r\v\f]$", text)


@unhurried
@given(st.lists(PIECES_OF_OUTPUT).map(b"".join))
def test_feedback_never_holds_the_workspace_path(stdout: bytes) -> None:
    assert "/w/x" not in normalise(stdout, b"", "/w/x")


@unhurried
@given(st.integers(0, 5) | st.none(), st.booleans(), st.binary())
def test_nothing_passes_without_a_summary(exit_code: int | None, timed_out: bool, stdout: bytes) -> None:
    assert judge(exit_code, timed_out, stdout) in ({"timed_out"} if timed_out else {"no_summary"})


@unhurried
@given(JSON)
def test_canonical_json_means_the_same_and_is_stable(value: object) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text

"""The endpoint reads streams as the runtimes do: by the vectors of the contract."""

import base64
import itertools
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.endpoint.stream import Completion, EventStream
from agentdyno.project import CONTRACT

VECTORS = json.loads((CONTRACT / "vectors" / "sse.json").read_text())


def stream_of(vector: dict[str, Any]) -> bytes:
    if "stream_base64" in vector:
        return base64.b64decode(vector["stream_base64"])
    return str(vector["stream"]).encode()


def read(pieces: Iterable[bytes]) -> tuple[list[str], dict[str, Any]]:
    events, completion = EventStream(), Completion()
    data = [found for piece in pieces for found in events.feed(piece)]
    for one in data:
        completion.add(one)
    completion.end()
    if completion.error is not None:
        return data, {"text": None, "finish_reason": None, "usage": None, "error": completion.error}
    found = {"text": completion.text, "finish_reason": completion.finish_reason, "usage": completion.usage}
    return data, {**found, "error": None}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    stream = stream_of(vector)
    bytewise = [stream[at : at + 1] for at in range(len(stream))]
    with_empty_pieces = [piece for byte in bytewise for piece in (byte, b"")]
    for pieces in ([stream], bytewise, with_empty_pieces):
        assert read(pieces) == (vector["data"], vector["completion"])


@given(st.sampled_from(VECTORS), st.lists(st.integers(0, 5000)))
def test_a_stream_may_be_cut_anywhere(vector: dict[str, Any], cuts: list[int]) -> None:
    stream = stream_of(vector)
    places = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    pieces = [stream[begin:end] for begin, end in itertools.pairwise(places)]
    assert read(pieces) == (vector["data"], vector["completion"])


@given(st.binary())
def test_any_bytes_are_read_to_their_end(stream: bytes) -> None:
    _, completion = read([stream])
    assert completion["error"] is not None or completion["finish_reason"]

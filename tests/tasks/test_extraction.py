"""The harness takes the same code from a reply as the contract's vectors do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.project import CONTRACT
from agentdyno.tasks.extraction import code_block

VECTORS = json.loads((CONTRACT / "vectors" / "extraction.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_every_vector(vector: dict[str, str]) -> None:
    assert code_block(vector["reply"], vector["entry_point"]) == vector["expected"], vector["why"]


PIECES = st.sampled_from(
    [
        "```",
        "~~~",
        "````",
        "python",
        "\n",
        "\r\n",
        " ",
        "def it():",
        "it = 1",
        "<think>",
        "</think>",
        "</s>",
        "x",
        "<|a|>",
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_reply_has_one_block_or_none(reply: str) -> None:
    code = code_block(reply, "it")
    assert code is None or (code.endswith("\n") and not code.endswith("\n\n") and code.strip())

"""What a real server did is said with the row: how often, of how many, and what to do."""

import json
from dataclasses import replace
from typing import Any

import pytest

from agentdyno.analysis.notes import ODDITIES, Note
from agentdyno.results.documents import table
from agentdyno.results.summary import Row, as_json, summarise
from analysis.conftest import Build
from analysis.synthetic import CELL, good_run, request, requests_of

REAL = replace(CELL, profile="real:m")
CONTEXT = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"


def odd_run(*oddities: str, count: int = 5) -> dict[str, Any]:
    """The good run, in which the first replies were odd."""
    run = good_run()
    for line in requests_of(run)[:count]:
        line["oddities"] = list(oddities)
    return run


def refused_run(*refusals: tuple[int, str]) -> dict[str, Any]:
    """The good run, with requests that the server refused besides."""
    run = good_run()
    run["journal"][-1:-1] = [
        request("a", status=status, said=said, served=False, finish="error", late_us=[])
        for status, said in refusals
    ]
    return run


def row_of(build: Build, *runs: dict[str, Any], profile: str = "real:m") -> Row:
    cell = replace(CELL, profile=profile)
    built = [build(run, cell, block) for block, run in enumerate(runs, start=1)]
    (found,) = summarise(built, [cell], simulated=False, baseline=None).rows
    return found


@pytest.mark.parametrize("kind", list(ODDITIES))
def test_odd_replies_are_counted_over_all_runs_of_the_row(build: Build, kind: str) -> None:
    row = row_of(build, odd_run(kind), good_run(), odd_run(kind, count=1))
    (note,) = row.notes
    assert (note.kind, note.count, note.of) == (kind, 6, 63)
    (remark,) = row.remarks
    assert remark.startswith("python, 20 agents, verifier cold: 6 of 63 replies ")
    assert "\n" not in remark


def test_a_reply_can_be_odd_in_two_ways_and_the_more_frequent_comes_first(build: Build) -> None:
    found = row_of(build, odd_run("cut", count=2), odd_run("only_reasoning", "cut")).notes
    assert [(note.kind, note.count) for note in found] == [("cut", 7), ("only_reasoning", 5)]


def test_refusals_are_counted_by_status_with_the_first_words(build: Build) -> None:
    run = refused_run((404, "no such model"), (400, "first"), (400, "second"))
    notes = row_of(build, run, refused_run((400, "third"))).notes
    assert [(note.status, note.count, note.of, note.said) for note in notes] == [
        (400, 3, 46, "first"),
        (404, 1, 46, "no such model"),
    ]


@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [
        (400, CONTEXT, "max_tokens"),
        (400, "the request exceeds the available context size, try increasing it", "max_tokens"),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000", "max_tokens"),
        (400, "The input (5000 tokens) is longer than the model's context length", "max_tokens"),
        (400, "prompt is too long: 5000 tokens > 4096 maximum", "max_tokens"),
        (400, "max_completion_tokens is too large: 99999", "max_tokens"),
        (500, "litellm.ContextWindowExceededError: context_length_exceeded", "max_tokens"),
        (200, CONTEXT, "max_tokens"),
        (400, "Unsupported parameter: temperature", "change the fields of every request with --request"),
        (401, "Incorrect API key", "LLM_API_KEY"),
        (404, "The model `m` does not exist", "LLM_MODEL"),
        (422, "Input should be a valid string", "--request"),
        (503, "overloaded", "the server's log"),
    ],
)
def test_a_refusal_names_the_option_to_change(status: int, said: str, remedy: str) -> None:
    line = Note("refused", 1, 2, status, said).line
    assert said in line
    assert remedy in line.partition("”")[2]
    assert ("max_tokens" in line.partition("”")[2]) == (remedy == "max_tokens")


def test_what_a_server_says_does_not_drive_a_terminal() -> None:
    assert "\x1b" not in Note("refused", 1, 2, 400, "\x1b[2J").line


def test_nothing_is_said_of_the_simulated_endpoint_and_of_journals_of_before(build: Build) -> None:
    assert row_of(build, odd_run("cut"), refused_run((400, "no")), profile="chat-7b").notes == []
    row = row_of(build, good_run())
    assert row.notes == []
    (line,) = as_json(summarise([build(good_run(), REAL, 2)], [REAL], simulated=False, baseline=None))["rows"]
    assert "notes" not in line


def test_notes_stand_in_the_summary_and_below_the_table(build: Build) -> None:
    row = row_of(build, odd_run("cut"))
    assert f"- {row.remarks[0]}" in table([row]).splitlines()
    built = build(odd_run("cut"), REAL, 2)
    (line,) = json.loads(json.dumps(as_json(summarise([built], [REAL], simulated=False, baseline=None))))[
        "rows"
    ]
    assert line["notes"] == [{"kind": "cut", "count": 5, "of": 21, "status": None, "said": None}]

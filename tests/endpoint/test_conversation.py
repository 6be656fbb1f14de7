import json
from pathlib import Path
from typing import Any

import pytest

from agentdyno.endpoint.api import Catalogue, attempt_of, opening_of
from agentdyno.errors import UserError
from agentdyno.project import PROMPTS
from agentdyno.tasks.first_request import read_prompts, render
from agentdyno.tasks.task import Task

ONE = Task("a/1", "def one():\n", "tests {prompt} {task_id}", "one", "")
OTHER = Task("a/1#2", ONE.prompt, ONE.tests, "one", "")
LONGER = Task("a/2", "import re\n\ndef one():\n", "", "one", "")
TEMPLATE = read_prompts(PROMPTS).user
CATALOGUE = Catalogue([ONE, OTHER, LONGER], TEMPLATE)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_placeholders_are_replaced_in_one_pass() -> None:
    assert render("{task_id}: {prompt}{tests} {x} {{output}}", ONE) == (
        "a/1: def one():\ntests {prompt} {task_id} {x} {{output}}"
    )


@pytest.mark.parametrize("task", [ONE, OTHER, LONGER], ids=lambda task: task.task_id)
def test_a_rendered_message_is_its_task(task: Task) -> None:
    assert CATALOGUE.find(render(TEMPLATE, task)) is task


def test_another_wording_is_the_task_with_the_longest_prompt_in_it() -> None:
    assert CATALOGUE.find(f"Please solve this:\n{LONGER.prompt}    ...") is LONGER
    assert CATALOGUE.find(f"Please solve this:\n{ONE.prompt}    ...") is ONE
    assert CATALOGUE.find("Please solve this.") is None


def test_attempts_are_counted_by_assistant_turns() -> None:
    messages = [{"role": "system", "content": "s"}, user("u")]
    assert attempt_of(messages) == 1
    assert attempt_of([*messages, {"role": "assistant", "content": None}, user("v")]) == 2


def test_the_opening_may_come_in_parts() -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "image_url"}, {"type": "text", "text": "two"}]
    assert opening_of([{"role": "system", "content": "s"}, user(parts), user("later")]) == "one two"
    assert opening_of([{"role": "system", "content": "s"}]) == "s"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        (
            json.dumps({"system": "s"}),
            "user: is missing",
        ),
        (
            "{",
            "not JSON at column 2 (Expecting property name enclosed in double quotes)",
        ),
    ],
)
def test_refused_prompts(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "prompts.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError) as refusal:
        read_prompts(path)
    remedy = "name one with --prompts FILE; runtimes/contract/prompts.json shows the form"
    assert str(refusal.value) == f"{path}: {message}; {remedy}"

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.endpoint.completion import tokenize
from agentdyno.endpoint.script import Script
from agentdyno.errors import UserError
from agentdyno.tasks.load import load
from agentdyno.tasks.plan import Failure, plan
from agentdyno.tasks.task import Task


def ids(count: int) -> list[str]:
    return [f"task/{number}" for number in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_the_plan_over_a_hundred_tasks(seed: int) -> None:
    plans = plan(ids(100), seed).values()
    assert sum(not planned.failures for planned in plans) == 87
    recovered = Counter(len(planned.failures) for planned in plans if planned.failures and planned.passes)
    assert recovered == {1: 5, 2: 2, 3: 2}
    assert sum(not planned.passes for planned in plans) == 4
    retries = sum(min(len(planned.failures), 3) for planned in plans)
    assert retries == 27
    kinds = Counter(failure for planned in plans for failure in planned.failures)
    assert kinds[Failure.ENDLESS_LOOP] == 1
    assert kinds[Failure.WRONG_ANSWER] == 18
    assert kinds.total() == 31
    assert set(kinds) == set(Failure)


@pytest.mark.parametrize(
    ("tasks", "first", "recover", "never"),
    [(1, 1, 0, 0), (8, 7, 1, 0), (20, 17, 2, 1), (50, 44, 4, 2), (200, 174, 18, 8), (1000, 870, 90, 40)],
)
def test_the_plan_in_proportion(tasks: int, first: int, recover: int, never: int) -> None:
    plans = plan(ids(tasks), 0).values()
    assert sum(not planned.failures for planned in plans) == first
    assert sum(bool(planned.failures) and planned.passes for planned in plans) == recover
    assert sum(not planned.passes for planned in plans) == never


@given(st.integers(0, 400), st.integers())
def test_every_task_has_a_plan(tasks: int, seed: int) -> None:
    plans = plan(ids(tasks), seed)
    assert set(plans) == set(ids(tasks))
    for planned in plans.values():
        assert planned.failure(1 + len(planned.failures)) is (
            None if planned.passes else Failure.WRONG_ANSWER
        )


def test_the_plan_depends_on_seed_and_ids_alone() -> None:
    assert plan(ids(100), 1) == plan(ids(100)[::-1], 1)
    assert plan(ids(100), 1) != plan(ids(100), 2)


def test_replies_hold_what_the_plan_says() -> None:
    tasks = load("builtin", 100)
    script = Script(tasks, seed=3)
    plans = plan([task.task_id for task in tasks], 3)
    for task in tasks:
        assert task.reference is not None
        assert (
            list(script.attempts(task))[-1] == len(plans[task.task_id].failures) + plans[task.task_id].passes
        )
        for attempt in script.attempts(task):
            reply = script.reply(task, attempt)
            failure = plans[task.task_id].failure(attempt)
            assert (f"{task.reference.rstrip()}\n```" in reply) is (failure is None)
            assert ("```" in reply) is (failure is not Failure.NO_CODE)


def test_instances_of_a_problem_get_replies_of_their_own() -> None:
    tasks = load("builtin", None)
    twice = load("builtin", 2 * len(tasks))
    script = Script(twice, seed=0)
    pairs = zip(twice[: len(tasks)], twice[len(tasks) :], strict=True)
    assert any(script.reply(one, 1) != script.reply(other, 1) for one, other in pairs)


def test_a_fence_is_longer_than_any_in_the_module() -> None:
    task = Task("t", "", "", "f", 'def f():\n    """\n```\nan example\n```\n"""\n')
    reply = Script([task], 0).reply(task, 1)
    assert reply.count("````") == 2


def test_a_task_without_reference_is_refused() -> None:
    with pytest.raises(UserError) as refusal:
        Script([Task("t", "", "", "f")], 0)
    assert str(refusal.value) == (
        "task t has no reference solution, which the simulated endpoint needs: "
        "give tasks with the field `reference`, or relay to a real model with --upstream URL"
    )


@given(st.text())
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(tokenize(text)) == text
    assert all(tokenize(text)) or not text


def test_tokens_are_about_four_characters() -> None:
    text = "".join(task.reference or "" for task in load("builtin", None))
    assert 3.0 < len(text) / len(tokenize(text)) < 5.0

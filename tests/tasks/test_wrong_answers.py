import ast
import signal

import pytest

from agentdyno.errors import UserError
from agentdyno.tasks.load import load
from agentdyno.tasks.strength import trial
from agentdyno.tasks.task import Task
from agentdyno.tasks.wrong_answers import endless_loop, raising, syntax_error, wrong_answer, wrong_name


def test_references_pass_under_the_verifier(tasks, failing):
    assert failing([(task.reference, task.tests) for task in tasks]) == set()


def test_every_wrong_version_fails_under_the_verifier(tasks, failing):
    pairs = []
    for task in tasks:
        versions = [wrong_answer(task, draw) for draw in range(4)]
        versions += [raising(task), wrong_name(task), syntax_error(task)]
        pairs += [(version, task.tests) for version in versions]
    assert failing(pairs) == set(range(len(pairs)))


@pytest.mark.usefixtures("starts_processes")
def test_endless_loops_do_not_end(tasks):
    for task in tasks:
        assert trial(endless_loop(task), task.tests, cpu_limit_s=0.04).exit_code == -signal.SIGVTALRM


def test_wrong_answers_are_deterministic_and_differ_from_one_draw_to_the_next():
    for task in load("builtin", None):
        answers = [wrong_answer(task, draw) for draw in range(4)]
        assert answers == [wrong_answer(task, draw) for draw in range(4)]
        in_place = ") -> None:" in task.prompt
        assert in_place or answers[0] != answers[1]


def test_only_a_syntax_error_does_not_compile(tasks):
    for task in tasks:
        with pytest.raises(SyntaxError):
            ast.parse(syntax_error(task))
        for version in (raising(task), wrong_name(task), endless_loop(task)):
            ast.parse(version)


def test_nothing_gives_a_wrong_version_away(tasks):
    for task in tasks:
        for draw in range(4):
            answer = wrong_answer(task, draw)
            assert "agentdyno" not in answer
            assert f"def {task.entry_point}(" in answer


def answers(reference, arguments, entry_point="f"):
    """What the wrong answers for `reference` return, over all draws."""
    task = Task("t/0", "", "", entry_point, reference)
    found = []
    for draw in range(12):
        names = {}
        exec(wrong_answer(task, draw), names)
        found.append(names[entry_point](*arguments))
    return found


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("bool", True),
        ("bool", False),
        ("int", 0),
        ("int", -7),
        ("float", 0.0),
        ("float", -1.5),
        ("str", ""),
        ("str", "abc"),
        ("list[int]", [1]),
        ("list", [3, 4]),
        ("tuple[int, ...]", (5,)),
        ("dict[str, int]", {}),
        ("dict[str, int]", {"a": 1}),
        ("set[int]", set()),
        ("set[int]", {1, 2}),
        ("int | None", 3),
    ],
)
@pytest.mark.parametrize("annotated", [True, False])
def test_no_kind_of_value_comes_out_right(annotation, value, annotated):
    arrow = f" -> {annotation}" if annotated else ""
    for answer in answers(f"def f(x){arrow}:\n    return x\n", [value]):
        assert answer != value or type(answer) is not type(value)


def test_a_recursive_function_is_perturbed_once():
    reference = "def f(n) -> bool:\n    return n == 0 or not f(n - 1)\n"
    for n in range(5):
        assert (n % 2 == 0) not in answers(reference, [n])


def test_a_function_that_works_in_place_works_on_a_copy_instead():
    reference = "def f(rows):\n    for row in rows:\n        row.sort()\n    rows.reverse()\n"
    rows = [[2, 1], [4, 3]]
    assert set(answers(reference, [rows])) == {None}
    assert rows == [[2, 1], [4, 3]]


def test_functions_within_the_entry_point_are_left_alone():
    reference = "def f(items) -> int:\n    def key(x):\n        return -x\n    return min(items, key=key)\n"
    assert all("return -x\n" in wrong_answer(Task("t", "", "", "f", reference), draw) for draw in range(4))
    assert 3 not in answers(reference, [[1, 2, 3]])


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (None, "task t/1 has no reference to derive wrong answers from; add one to the dataset"),
        ("def f(:", "task t/1: its reference is not Python (line 1: invalid syntax); correct it"),
        ("def g(): pass", "task t/1: its reference does not define 'f'; correct one of the two"),
    ],
)
def test_unusable_references_are_refused(reference, message):
    task = Task("t/1", "p", "t", "f", reference)
    for derive in (raising, wrong_name, syntax_error, endless_loop):
        with pytest.raises(UserError) as refusal:
            derive(task)
        assert str(refusal.value) == message
    with pytest.raises(UserError):
        wrong_answer(task, 0)

import ast
import doctest
import pickle
import subprocess
import sys
from importlib.resources import files

import pytest

from agentdyno.tasks import builtin
from agentdyno.tasks.builtin import problems
from agentdyno.tasks.mutants import mutants
from agentdyno.tasks.strength import trial

ALL = problems()


def test_there_are_enough_and_their_ids_are_stable():
    assert len(ALL) >= 45
    assert [task.task_id for task in ALL] == [f"builtin/{number}" for number in range(len(ALL))]
    assert ALL[0].entry_point == "column_words"
    assert problems() == ALL


def test_every_file_belongs_to_a_listed_problem():
    folder = files(builtin)
    there = {entry.name for entry in folder.iterdir() if entry.name.endswith(".py")}
    listed = {f"{name}{end}" for name in builtin.ORDER for end in (".py", "_tests.py")}
    assert there == listed | {"__init__.py"}
    assert len(set(builtin.ORDER)) == len(builtin.ORDER)


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.entry_point)
def test_prompt_is_the_head_of_the_reference(task):
    assert task.reference.startswith(task.prompt)
    assert len(task.reference) > len(task.prompt)
    prompt, reference = ast.parse(task.prompt), ast.parse(task.reference)
    head = reference.body[: len(prompt.body)]
    assert [ast.dump(node) for node in prompt.body[:-1]] == [ast.dump(node) for node in head[:-1]]
    assert prompt.body[-1].name == head[-1].name == task.entry_point
    assert ast.dump(prompt.body[-1].args) == ast.dump(head[-1].args)
    assert len(prompt.body[-1].body) == 1
    docstring = ast.get_docstring(prompt.body[-1])
    assert docstring == ast.get_docstring(head[-1])
    assert ">>> " in docstring
    assert "```" not in task.prompt
    assert task.tests.splitlines().count("from solution import *") == 1
    assert "import pytest" not in task.tests


def test_some_prompts_have_helper_functions_that_the_tests_use():
    with_helpers = 0
    for task in ALL:
        functions = [node.name for node in ast.parse(task.prompt).body if isinstance(node, ast.FunctionDef)]
        with_helpers += any(f"{name}(" in task.tests for name in functions[:-1])
    assert with_helpers >= 6


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.entry_point)
def test_examples_in_the_prompt_are_right(task):
    names = {}
    exec(task.reference, names)
    runner = doctest.DocTestRunner(verbose=False)
    for node in ast.parse(task.reference).body:
        if isinstance(node, ast.FunctionDef):
            docstring = ast.get_docstring(node) or ""
            examples = doctest.DocTestParser().get_doctest(docstring, names, node.name, None, None)
            runner.run(examples, out=lambda text: None)
    results = runner.summarize(verbose=False)
    assert results.attempted >= 1
    assert results.failed == 0


STRENGTHS = """
import pickle, sys
from agentdyno.tasks.builtin import problems
from agentdyno.tasks.strength import strength
pickle.dump([strength(task) for task in problems()], sys.stdout.buffer)
"""


@pytest.fixture(scope="module")
def strengths(starts_processes):
    """Measured by a process of its own: a fork of pytest, with all that it has loaded, takes long."""
    done = subprocess.run([sys.executable, "-c", STRENGTHS], stdout=subprocess.PIPE, check=True)
    return {strength.task_id: strength for strength in pickle.loads(done.stdout)}


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.entry_point)
def test_tests_notice_at_least_80_percent_of_the_mutants(task, strengths):
    result = strengths[task.task_id]
    assert result.mutants - len(result.survivors) >= 3
    assert result.share >= 0.8, result.survivors


OTHER_ANSWERS = {
    "build_order": "return first(dict(reversed(arguments[0].items())))",
    "two_camps": "return found and found[::-1]",
    "no_twins": "return found and found[::-1]",
    "unit_fractions": "return [*found[:-1], found[-1] + 1, found[-1] * (found[-1] + 1)]",
    "fill_crate": "w, limit = arguments; return [len(w) - 1 - i for i in first(w[::-1], limit)][::-1]",
    "stroll": "return found and found[::-1]",
    "share_rooms": "return [max(found) - room for room in found]",
}


@pytest.mark.usefixtures("starts_processes")
@pytest.mark.parametrize("name", OTHER_ANSWERS)
def test_any_right_answer_will_do_where_several_are_right(name):
    task = next(task for task in ALL if task.entry_point == name)
    other = f"""
first = {name}


def {name}(*arguments):
    found = first(*arguments)
    {OTHER_ANSWERS[name]}
"""
    assert trial(task.reference + other, task.tests, cpu_limit_s=10).exit_code == 0


def test_mutants_come_in_one_order_and_are_different_programs():
    for task in ALL[:10]:
        texts = list(mutants(task.reference, task.entry_point))
        assert texts == list(mutants(task.reference, task.entry_point))
        assert len(set(texts)) == len(texts)
        assert ast.unparse(ast.parse(task.reference)) + "\n" not in texts
        for text in texts:
            ast.parse(text)


def test_mutants_of_the_entry_point_come_first_and_leave_docstrings_alone():
    reference = 'def helper(x):\n    """One 1."""\n    return x - 1\n\n\ndef f(x: int=3):\n    return x < 2\n'
    assert list(mutants(reference, "f")) == [
        reference.replace("\n\n\n", "\n\n").replace(before, after)
        for before, after in [
            ("return x < 2", "return None"),
            ("x < 2", "x <= 2"),
            ("x < 2", "x >= 2"),
            ("x < 2", "x < 3"),
            ("x < 2", "x < 1"),
            ("return x - 1", "return None"),
            ("x - 1", "x + 1"),
            ("x - 1", "x - 2"),
            ("x - 1", "x - 0"),
        ]
    ]

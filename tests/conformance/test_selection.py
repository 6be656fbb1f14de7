"""Which cases are played against which runtime."""

import dataclasses
from pathlib import Path

import pytest

from agentdyno.conformance import suite
from agentdyno.conformance.suite import for_each, rules_in
from agentdyno.errors import UserError
from agentdyno.runtimes.manifest import Manifest, read_all

WHOLE = Manifest(
    name="whole",
    language="Python",
    description="of the tests",
    path=Path("/code/runtime.toml"),
    folder=Path("/code"),
    run=("true",),
    build=None,
    requires=(),
)
SILENT = dataclasses.replace(WHOLE, name="silent", path=Path("/code/runtime.silent.toml"))
TOUCHED = dataclasses.replace(
    WHOLE,
    name="touched",
    path=Path("/code/runtime.touched.toml"),
    differs_in=("messages.vectors", "extraction"),
)
ELSEWHERE = dataclasses.replace(TOUCHED, name="elsewhere", folder=Path("/other"))


def cases(*manifests: Manifest, touched: bool = True) -> dict[str, list[str]]:
    plans = for_each(manifests, list(suite.load()), touched=touched)
    return {manifest.name: names for manifest, names in plans}


def test_a_further_runtime_of_a_folder_plays_what_its_difference_touches() -> None:
    every = list(suite.load())
    found = cases(WHOLE, TOUCHED, SILENT, ELSEWHERE)
    assert found["whole"] == found["silent"] == found["elsewhere"] == every
    assert found["touched"] == [
        name for name in every if name.startswith(("messages.vectors/", "extraction.vectors/"))
    ]


def test_the_first_runtime_of_a_folder_plays_all_whatever_it_differs_in() -> None:
    found = cases(TOUCHED, WHOLE)
    assert found["touched"] == found["whole"] == list(suite.load())


def test_every_runtime_plays_all_without_the_option() -> None:
    found = cases(WHOLE, TOUCHED, touched=False)
    assert found["touched"] == list(suite.load())


def test_a_difference_in_no_rule_is_refused() -> None:
    wrong = dataclasses.replace(TOUCHED, differs_in=("manners",))
    with pytest.raises(UserError, match=r"runtime\.touched\.toml: `differs_in` names 'manners'"):
        cases(WHOLE, wrong)


def test_the_variants_here_differ_in_rules_that_exist() -> None:
    told = [found for found in read_all().values() if found.differs_in is not None]
    assert {found.name for found in told} >= {"python-uvloop", "go-tuned", "cpp-threads", "typescript-tuned"}
    for found in told:
        assert rules_in(found)


def test_the_quick_sample_names_cases_that_exist() -> None:
    assert set(suite.QUICK) <= set(suite.load())

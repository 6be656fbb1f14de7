"""What a manifest says of a variant."""

from pathlib import Path

import pytest

from agentdyno.errors import UserError
from agentdyno.runtimes.manifest import read

REST = 'name = "one"\nlanguage = "Python"\ndescription = "of the tests"\nrun = ["true"]\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runtime.toml"


def test_a_variant_says_what_it_differs_in(path: Path) -> None:
    path.write_text(f'{REST}differs_in = ["stream", "exit.signals"]\n')
    assert read(path).differs_in == ("stream", "exit.signals")


def test_a_manifest_need_not_say_what_it_differs_in(path: Path) -> None:
    path.write_text(REST)
    assert read(path).differs_in is None


@pytest.mark.parametrize("value", ['"stream"', "[]", "[1]", '[""]'])
def test_a_difference_that_is_no_list_of_words_is_refused(value: str, path: Path) -> None:
    path.write_text(f"{REST}differs_in = {value}\n")
    with pytest.raises(
        UserError, match=r"runtime\.toml: differs_in.*: must be .*; see runtimes/CONTRACT\.md"
    ):
        read(path)

"""Numbers that `agentdyno serve` refuses before it starts: one line, and exit status 2."""

import pytest

from agentdyno import cli

NOT_WHOLE = ["", " ", "ten", "1.5", "1e3", "-1", "nan", "inf", "1e400", "\u0663"]
HUGE = str(10**30)


def refused(capsys: pytest.CaptureFixture[str], word: str) -> str:
    """The one line on stderr."""
    assert cli.main(["serve", word]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


@pytest.mark.parametrize("value", [*NOT_WHOLE, "0", "1000001", HUGE])
def test_limit(capsys: pytest.CaptureFixture[str], value: str) -> None:
    assert refused(capsys, f"--limit={value}") == (
        f"agentdyno: --limit must be a whole number from 1 to 1000000, not {value!r}\n"
    )


@pytest.mark.parametrize("value", [*NOT_WHOLE, "65536", HUGE])
def test_port(capsys: pytest.CaptureFixture[str], value: str) -> None:
    assert refused(capsys, f"--port={value}") == (
        f"agentdyno: --port must be a whole number from 0 to 65535, not {value!r}\n"
    )


@pytest.mark.parametrize("value", NOT_WHOLE)
def test_seed(capsys: pytest.CaptureFixture[str], value: str) -> None:
    assert refused(capsys, f"--seed={value}") == (
        f"agentdyno: --seed must be a whole number of at least 0, not {value!r}\n"
    )


@pytest.mark.parametrize("value", [HUGE, "9" * 5_000])
def test_a_seed_of_too_many_digits(capsys: pytest.CaptureFixture[str], value: str) -> None:
    assert refused(capsys, f"--seed={value}") == (
        f"agentdyno: --seed must be a whole number of at most 18 digits, not {value!r}\n"
    )

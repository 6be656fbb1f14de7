"""Numbers that `agentdyno calibrate` refuses before it starts anything: one line, and exit status 2."""

import pytest

from agentdyno import cli

NO_NUMBERS = ["", "many", "0", "-1", "nan", "inf", "-inf", "1e400", str(10**30)]


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line on stderr."""
    assert cli.main(["calibrate", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


@pytest.mark.parametrize("value", [*NO_NUMBERS, "1.5", "1000001"])
def test_streams(capsys: pytest.CaptureFixture[str], value: str) -> None:
    assert refused(capsys, f"--streams={value}") == (
        f"agentdyno: --streams must be a whole number from 1 to 1000000, not {value!r}\n"
    )


@pytest.mark.parametrize("value", [*NO_NUMBERS, "0.0009", "1000001"])
def test_rate(capsys: pytest.CaptureFixture[str], value: str) -> None:
    assert refused(capsys, f"--rate={value}") == (
        f"agentdyno: --rate must be a number from 0.001 to 1000000, not {value!r}\n"
    )


@pytest.mark.parametrize("value", [*NO_NUMBERS, "0.0009", "86401"])
def test_seconds(capsys: pytest.CaptureFixture[str], value: str) -> None:
    assert refused(capsys, f"--seconds={value}") == (
        f"agentdyno: --seconds must be a number of seconds from 0.001 to 86400, not {value!r}\n"
    )


@pytest.mark.parametrize(
    ("words", "events"),
    [
        (("--streams", "1", "--rate", "1000", "--seconds", "20"), 20_000),
        (("--streams", "1000000", "--rate", "1000000", "--seconds", "86400"), 86_900_000_000),
    ],
)
def test_replies_that_are_too_long(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], events: int
) -> None:
    assert refused(capsys, *words) == (
        f"agentdyno: calibrate: each stream would have {events} events, and the endpoint's longest reply has "
        "16384: lower --rate or --seconds\n"
    )

"""The two real servers that are installed quickest; `real.run` tries all of them."""

import pytest

from real.run import tried
from real.servers import SERVERS


@pytest.mark.usefixtures("starts_processes")
@pytest.mark.parametrize("name", ["aimock", "llmock"])
def test_a_run_against_a_real_server_is_valid(name: str) -> None:
    found = tried(SERVERS[name], "python", limit=24, agents=4, verifier="null", busy=True)
    assert found.wrong == []
    (row,) = found.rows
    assert row["metrics"]["first_attempt_pass"]["values"] == [24]

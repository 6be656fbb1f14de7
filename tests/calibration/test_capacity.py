"""What is kept of a calibration, and what is said when more is asked."""

import json
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdyno.calibration.capacity import EndpointCapacity, asked_events_per_s, keep, known_capacity, warning
from agentdyno.endpoint.profile import PROFILES, Interval, Profile, parse_profile
from agentdyno.tasks.plan import keyed

LIMIT = EndpointCapacity(events_per_s=38_400, streams=1_536, client="floor", date="2026-01-02T03:04:05+00:00")


@pytest.mark.usefixtures("starts_processes")
def test_what_was_kept_is_known(tmp_path: Path) -> None:
    kept = tmp_path / "calibration.json"
    assert known_capacity(kept) is None
    assert keep(LIMIT, tmp_path) == kept
    assert known_capacity(kept) == LIMIT
    document = json.loads(kept.read_text())
    assert document.keys() == {"machine", "endpoint", "client", "events_per_s", "streams", "date"}
    assert document["machine"].keys() == {"cpu", "cpus", "kernel"}
    assert document["endpoint"].keys() == {"agentdyno", "python", "uvloop"}


@pytest.mark.usefixtures("starts_processes")
@pytest.mark.parametrize(
    ("part", "fact"),
    [("machine", "cpu"), ("machine", "cpus"), ("machine", "kernel"), ("endpoint", "agentdyno")],
)
def test_another_machine_or_version_says_nothing_of_this_one(tmp_path: Path, part: str, fact: str) -> None:
    kept = keep(LIMIT, tmp_path)
    document = json.loads(kept.read_text())
    document[part][fact] = "another"
    kept.write_text(json.dumps(document))
    assert known_capacity(kept) is None


@pytest.mark.usefixtures("starts_processes")
@pytest.mark.parametrize("text", ["", "[]", "{", "{}", "null", "\xff"])
def test_a_file_that_is_no_calibration_says_nothing(tmp_path: Path, text: str) -> None:
    kept = tmp_path / "calibration.json"
    kept.write_text(text, encoding="latin-1")
    assert known_capacity(kept) is None


@pytest.mark.usefixtures("starts_processes")
def test_a_calibration_without_its_figure_says_nothing(tmp_path: Path) -> None:
    kept = keep(LIMIT, tmp_path)
    document = json.loads(kept.read_text())
    del document["events_per_s"]
    kept.write_text(json.dumps(document))
    assert known_capacity(kept) is None


def test_what_is_asked_is_one_event_in_the_mean_time_between_tokens() -> None:
    assert asked_events_per_s(PROFILES["instant"], 1_000) is None
    assert asked_events_per_s(PROFILES["steady"], 1_000) == pytest.approx(50_000)
    assert asked_events_per_s(PROFILES["crowd"], 10_000) == pytest.approx(10_000)
    spread = Profile("spread", Interval(0.0), Interval(0.02, 0.5))
    offsets = spread.offsets_ns(100_000, keyed(0, "mean"))
    drawn_mean_s = fmean(later - earlier for earlier, later in pairwise(offsets)) / 1e9
    assert asked_events_per_s(spread, 1) == pytest.approx(1 / drawn_mean_s, rel=0.01)


@pytest.mark.usefixtures("starts_processes")
def test_the_warning_names_both_figures_and_what_to_do(tmp_path: Path) -> None:
    kept = keep(LIMIT, tmp_path)
    assert warning(PROFILES["chat-7b"], 1_000, kept) == (
        "1,000 agents at profile chat-7b ask the endpoint for up to 49,000 events a second, and calibrate "
        "found that it can serve 38,000 here: use --profile chat-7b:itl=26ms~0.2, or --agents 783"
    )


@pytest.mark.usefixtures("starts_processes")
def test_there_is_no_warning_within_the_limit_or_without_one(tmp_path: Path) -> None:
    kept = tmp_path / "calibration.json"
    assert warning(PROFILES["steady"], 1_000_000, kept) is None
    keep(LIMIT, tmp_path)
    assert warning(PROFILES["steady"], 768, kept) is None
    assert warning(PROFILES["steady"], 769, kept) is not None
    assert warning(PROFILES["instant"], 1_000_000, kept) is None


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return keep(LIMIT, tmp_path_factory.mktemp("results"))


@pytest.mark.usefixtures("starts_processes")
@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from([*PROFILES, "mine", "mine.toml"]),
    st.integers(0, 5_000),
    st.integers(1, 2_000),
    st.sampled_from(["", "~0.2", "~1"]),
    st.integers(1, 1_000_000),
)
def test_what_the_warning_advises_is_within_the_limit(
    kept: Path, name: str, ttft_ms: int, itl_ms: int, spread: str, agents: int
) -> None:
    def fits(profile: Profile, agents: int) -> bool:
        asked = asked_events_per_s(profile, agents)
        return asked is not None and asked <= LIMIT.events_per_s

    profile = parse_profile(f"{name}:ttft={ttft_ms}ms,itl={itl_ms}ms{spread}")
    said = warning(profile, agents, kept)
    assert (said is None) == fits(profile, agents)
    if said is not None:
        slower, _, fewer = said.partition("use --profile ")[2].partition(", or --agents ")
        advised = parse_profile(slower)
        assert (advised.ttft, advised.itl.sigma) == (profile.ttft, profile.itl.sigma)
        assert fits(advised, agents)
        assert not fewer or fits(profile, int(fewer))

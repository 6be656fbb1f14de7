from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from agentdyno.endpoint.profile import PROFILES, Interval, Profile, parse_profile
from agentdyno.errors import UserError
from agentdyno.tasks.plan import keyed

INTERVALS = st.builds(
    Interval,
    st.integers(0, 3_600_000_000).map(lambda us: us / 1e6),
    st.integers(0, 300).map(lambda hundredths: hundredths / 100),
)


@given(INTERVALS)
def test_an_interval_is_read_as_it_is_written(interval: Interval) -> None:
    again = Interval.parse(str(interval))
    assert again.sigma == interval.sigma
    assert again.median_s == pytest.approx(interval.median_s, rel=1e-8)


@given(st.integers(0, 3_600_000))
@example(1876)
def test_whole_milliseconds_stay_exactly_what_they_are(ms: int) -> None:
    """1876 × 0.001 is not 1.876, and what is advised in seconds would be another profile."""
    assert Interval.parse(f"{ms}ms").median_s == ms / 1000
    assert Interval.parse(str(Interval(ms / 1000))).median_s == ms / 1000


@given(st.sampled_from(sorted(PROFILES)), INTERVALS, INTERVALS)
def test_any_profile_can_be_changed_in_a_word(name: str, ttft: Interval, itl: Interval) -> None:
    text = f"{name}:ttft={ttft},itl={itl}"
    assert parse_profile(text) == Profile(text, Interval.parse(str(ttft)), Interval.parse(str(itl)))


@given(st.text(max_size=40))
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    assume(text.partition(":")[0] not in PROFILES)
    with pytest.raises(UserError, match=r"\Aprofile.*\Z"):
        parse_profile(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "chat-70b",
            "profile: 'chat-70b' is not known; choose instant, steady, chat-7b, crowd, "
            "NAME:ttft=300ms,itl=40ms, or a .toml file",
        ),
        (
            "mine:ttft=1s",
            "profile: 'mine' is not known; choose instant, steady, chat-7b, crowd, "
            "NAME:ttft=300ms,itl=40ms, or a .toml file",
        ),
        (
            "steady:ttft=fast",
            "profile: ttft='fast' is not a time: a time is a number and us, ms or s, with ~SIGMA for a "
            "log-normal spread, as in 300ms or 0.4s~0.25",
        ),
        (
            "steady:itl=2h",
            "profile: itl='2h' is not a time: a time is a number and us, ms or s, with ~SIGMA for a "
            "log-normal spread, as in 300ms or 0.4s~0.25",
        ),
        (
            "steady:itl=4000s",
            "profile: itl='4000s' is out of range: at most 3600 s, and a sigma of at most 3",
        ),
        (
            "steady:",
            "profile: '' cannot be set; only ttft and itl can, as in steady:ttft=300ms,itl=40ms",
        ),
        (
            "steady:slots=4",
            "profile: 'slots' cannot be set; only ttft and itl can, as in steady:ttft=300ms,itl=40ms",
        ),
        (
            "nowhere.toml",
            "nowhere.toml: no such file; "
            "give a TOML file with ttft and itl, or one of instant, steady, chat-7b, crowd",
        ),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse_profile(text)
    assert str(refusal.value) == message


def test_a_profile_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('base = "steady"\nitl = "5ms~0.5"\n')
    assert parse_profile(str(file)) == Profile(str(file), Interval(0.2), Interval(0.005, 0.5))
    file.write_text("itl = [")
    with pytest.raises(UserError, match=r"mine\.toml: not TOML: "):
        parse_profile(str(file))
    file.write_text("itl = 5")
    with pytest.raises(UserError, match=r"mine\.toml: itl='5' is not a time: "):
        parse_profile(str(file))


def test_steady_is_exact() -> None:
    offsets = PROFILES["steady"].offsets_ns(4, keyed(0))
    assert offsets.tolist() == [200_000_000, 220_000_000, 240_000_000, 260_000_000]


@given(INTERVALS, INTERVALS, st.integers(1, 50), st.integers())
def test_deadlines_never_go_back(ttft: Interval, itl: Interval, tokens: int, seed: int) -> None:
    offsets = Profile("", ttft, itl).offsets_ns(tokens, keyed(seed))
    assert len(offsets) == tokens
    assert offsets[0] >= 0
    assert all(earlier <= later for earlier, later in pairwise(offsets))


def test_a_spread_keeps_its_median() -> None:
    chat = PROFILES["chat-7b"]
    ttft = sorted(chat.offsets_ns(1, keyed(draw))[0] for draw in range(2001))[1000]
    assert ttft == pytest.approx(400e6, rel=0.05)
    offsets = chat.offsets_ns(2001, keyed(0))
    itl = sorted(later - earlier for earlier, later in pairwise(offsets))[1000]
    assert itl == pytest.approx(20e6, rel=0.05)


def test_a_name_of_ones_own_needs_both_times() -> None:
    profile = parse_profile("mine:ttft=300ms,itl=40ms~0.2")
    assert (profile.name, str(profile.ttft), str(profile.itl)) == (
        "mine:ttft=300ms,itl=40ms~0.2",
        "300ms",
        "40ms~0.2",
    )

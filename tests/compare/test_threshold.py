"""What `--fail-if` takes, and when a limit is exceeded."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentdyno.analysis.registry import METRICS, Better
from agentdyno.compare.change import Bound, Change, paired, parse, unpaired
from agentdyno.errors import UserError

MEMORY = "peak_rss_mib"
RATE = "steady_tasks_per_s"
sizes = st.decimals(0, 10**9, places=3)
blanks = st.sampled_from(["", " ", "  ", "\t"])
positive = st.floats(0.001, 1e6)
runs = st.lists(positive, min_size=1, max_size=7)


def of(base: list[float], new: list[float], metric: str = MEMORY) -> Change:
    return unpaired(metric, base, new, [])


@given(
    st.sampled_from(sorted(METRICS)), st.data(), sizes, st.sampled_from(["", "+", "-"]), st.booleans(), blanks
)
def test_what_is_written_is_what_is_meant(
    metric: str, data: st.DataObject, size: object, sign: str, percent: bool, blank: str
) -> None:
    relation = {Better.LESS: ">", Better.MORE: "<"}.get(METRICS[metric].better) or data.draw(
        st.sampled_from("<>")
    )
    sign = sign or ("+" if percent else "")
    text = f"{blank}{metric}{blank}{relation}{blank}{sign}{size}{'%' if percent else ''}{blank}"
    limit = parse(text)
    assert (limit.metric, limit.above, limit.text) == (metric, relation == ">", text.strip())
    assert limit.kind is (Bound.SHARE if percent else Bound.DIFFERENCE if sign else Bound.FIGURE)
    assert limit.amount == pytest.approx(float(f"{sign}{size}") / (100 if percent else 1))


@given(st.text())
@example("peak_rss_mib > +5% > +5%")
@example("peak_rss_mib > +٥%")
@example("peak_rss_mib > nan")
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse(text)
    assert str(refusal.value).startswith(f"--fail-if {text!r}: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "peak_rss_mib",
            "give a metric, > or <, and a number with its sign, as in 'peak_rss_mib > +5%' (a change), "
            "'wall_s > +0.5' (in its unit) or 'errors > 0' (NEW's own figure)",
        ),
        ("peak_rss > +5%", "no metric is called peak_rss; did you mean peak_rss_mib or peak_rss_x_floor?"),
        ("speed > +5%", "no metric is called speed; docs/measuring.md names them"),
        (
            "peak_rss_mib > 5%",
            "a percentage is a change and takes a sign; write 'peak_rss_mib > +5%'",
        ),
        ("tasks_per_s < 5%", "a percentage is a change and takes a sign; write 'tasks_per_s < -5%'"),
        ("tasks_per_s > +5%", "more tasks_per_s is better; write 'tasks_per_s < …'"),
        ("errors < 1", "less errors is better; write 'errors > …'"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse(text)
    assert str(refusal.value) == f"--fail-if {text!r}: {message}"


@pytest.mark.parametrize("metric", ["max_in_flight", "model_ms_p50", "recovered"])
def test_a_metric_that_is_better_neither_way_takes_both(metric: str) -> None:
    assert METRICS[metric].better == Better.NEITHER
    assert parse(f"{metric} > +5%").above
    assert not parse(f"{metric} < -5%").above


@pytest.mark.parametrize(
    ("text", "base", "new", "exceeded"),
    [
        ("peak_rss_mib > +5%", [100, 101, 102], [120, 121, 122], True),
        ("peak_rss_mib > +5%", [100, 100, 100], [105, 105, 105], False),
        ("peak_rss_mib > +5%", [100, 101, 102], [100, 101, 102], False),
        # Beyond it by the medians, and no more than chance would do.
        ("peak_rss_mib > +5%", [90, 100, 130], [95, 110, 120], False),
        ("peak_rss_mib > +5%", [100], [110], True),
        ("peak_rss_mib > +5%", [100], [104], False),
        ("peak_rss_mib > +5", [20, 20.1, 20.2], [26, 26.1, 26.2], True),
        ("peak_rss_mib > +7", [20, 20.1, 20.2], [26, 26.1, 26.2], False),
        ("peak_rss_mib > +0%", [100, 100, 100], [100, 100, 100], False),
        ("peak_rss_mib > 25", [20, 20, 20], [26, 26, 26], True),
        ("peak_rss_mib > 26", [20, 20, 20], [26, 26, 26], False),
        # A demand: it must have become better by a tenth.
        ("peak_rss_mib > -10%", [100, 100, 100], [95, 95, 95], True),
        ("peak_rss_mib > -10%", [100, 100, 100], [100, 100, 100], True),
        ("peak_rss_mib > -10%", [100, 100, 100], [89, 89, 89], False),
        ("errors > +5%", [0, 0, 0], [0, 0, 0], False),
        ("errors > +5%", [0, 0, 0], [1, 2, 3], True),
        ("errors > +5%", [0, 0, 2], [1, 2, 3], False),
        ("errors > +1", [0, 0, 0], [1, 1, 1], False),
        ("errors > +1", [0, 0, 0], [2, 2, 2], True),
        ("errors > 0", [0], [1], True),
        ("steady_tasks_per_s < -5%", [100, 101, 102], [80, 81, 82], True),
        ("steady_tasks_per_s < -5%", [100, 101, 102], [120, 121, 122], False),
        ("steady_tasks_per_s < -5", [100, 101, 102], [90, 91, 92], True),
        ("steady_tasks_per_s < 50", [100, 100, 100], [49, 49, 49], True),
        ("steady_tasks_per_s < +5%", [100, 100, 100], [104, 104, 104], True),
    ],
)
def test_when_a_limit_is_exceeded(text: str, base: list[float], new: list[float], exceeded: bool) -> None:
    limit = parse(text)
    assert limit.is_exceeded_by(of(base, new, limit.metric)) is exceeded


def test_blocks_in_which_base_has_nothing_are_not_passed_over() -> None:
    limit = parse("errors > +5%")

    def found(new: list[float]) -> Change:
        return paired("errors", dict(enumerate([0.0, 0.0, 1.0])), dict(enumerate(new)), None)

    assert limit.is_exceeded_by(found([5.0, 5.0, 5.0]))
    assert limit.is_passed_by(found([5.0, 5.0, 1.0]))
    assert not limit.is_passed_by(found([0.0, 0.0, 1.0]))


@given(runs, runs, st.integers(0, 300))
def test_a_limit_on_getting_worse_is_exceeded_by_nothing_that_got_better(
    base: list[float], new: list[float], percent: int
) -> None:
    found = of(base, new)
    assert found.new is not None
    assert found.base is not None
    exceeded = parse(f"{MEMORY} > +{percent}%").is_exceeded_by(found)
    assert not (exceeded and found.new <= found.base)
    assert not (exceeded and found.direction in (-1, 0))


@given(runs, st.integers(0, 300))
def test_the_same_runs_exceed_no_limit_on_getting_worse(values: list[float], percent: int) -> None:
    assert not parse(f"{MEMORY} > +{percent}%").is_exceeded_by(of(values, values))
    assert not parse(f"{RATE} < -{percent}%").is_exceeded_by(of(values, values, RATE))


@given(runs, runs)
def test_what_is_better_is_worse_the_other_way_round(base: list[float], new: list[float]) -> None:
    other = {"better": "worse", "worse": "better"}
    forth, back = of(base, new).verdict, of(new, base).verdict
    assert forth is not None
    assert back == other.get(forth, forth)
    assert of(base, new, RATE).verdict == other.get(forth, forth)

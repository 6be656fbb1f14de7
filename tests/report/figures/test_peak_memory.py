from agentdyno.report.figures import Figure, figures
from report.figures.drawn import data, descriptions, texts
from report.synthetic import SPOILT, experiment, row

ROWS = [
    row("go", peak_rss_mib=(11.04, 10.81, 11.36)),
    row("floor", peak_rss_mib=0.464),
    row("rust", SPOILT, peak_rss_mib=(6.06, 6.02, 6.13)),
    row("crashed", peak_rss_mib=None),
]


def drawn() -> Figure:
    (figure,) = figures(experiment(ROWS, runtimes={}))
    return figure


def test_bars_and_intervals_are_those_of_the_summary_least_first() -> None:
    bars = data(drawn(), "peak")
    assert [(bar["runtime"], bar["peak"], bar["low"], bar["high"]) for bar in bars] == [
        ("floor", 0.464, 0.464, 0.464),
        ("rust", 6.06, 6.02, 6.13),
        ("go", 11.04, 10.81, 11.36),
    ]


def test_the_table_says_the_same() -> None:
    assert drawn().lines == [
        ["floor", "0.46", "–", "1", "yes"],
        ["rust", "6.06", "6.02 to 6.13", "3", "no"],
        ["go", "11.0", "10.8 to 11.4", "3", "yes"],
    ]


def test_bars_say_what_they_are_and_which_are_not_valid() -> None:
    assert "rust, 100 agents: peak memory 6.06 MiB (6.02 to 6.13); not valid" in descriptions(drawn())
    assert "go, 100 agents: peak memory 11.0 MiB (10.8 to 11.4)" in descriptions(drawn())
    assert "6.06 MiB (6.02 to 6.13), INVALID" in texts(drawn())
    assert {bar["runtime"]: bar["filled"] for bar in data(drawn(), "peak")} == {
        "floor": 1,
        "rust": 0.2,
        "go": 1,
    }
    assert drawn().caption.endswith(
        "Outlined and pale: the figure is not valid; the table of results says why. "
        "Left out, as nothing is known of it: crashed."
    )


def test_without_intervals_the_caption_says_what_they_take() -> None:
    (figure,) = figures(experiment([row("go", peak_rss_mib=11.0)], runtimes={}))
    assert figure.caption.endswith("There is no 95% CI: it takes 3 runs of each row.")


def test_a_figure_for_each_verifier_and_number_of_agents() -> None:
    made = experiment(
        [
            row("go", agents=agents, verifier=verifier, peak_rss_mib=11.0)
            for verifier in ("null", "cold")
            for agents in (1, 100)
        ],
        runtimes={},
    )
    of_one = [figure.name for figure in figures(made) if figure.name.startswith("peak")]
    assert of_one == [
        "peak-memory-null-100",
        "peak-memory-null-1",
        "peak-memory-cold-100",
        "peak-memory-cold-1",
    ]


def test_of_many_numbers_of_agents_the_largest_that_all_runtimes_have() -> None:
    rows = [row("go", agents=agents, peak_rss_mib=11.0) for agents in (1, 10, 100, 1000, 1778)]
    rows += [row("rust", agents=agents, peak_rss_mib=6.0) for agents in (1, 10, 100, 1000)]
    made = experiment(rows, runtimes={})
    assert [figure.name for figure in figures(made) if figure.name.startswith("peak")] == [
        "peak-memory-cold-1000"
    ]

"""What `agentdyno compare` compares, what it refuses, and what it exits with."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentdyno.analysis.controls import Comparison
from agentdyno.analysis.ratio import of_pairs
from agentdyno.cli import main
from agentdyno.compare.change import Verdict
from compare.synthetic import BUSY, FAULT, METHODS, experiment, row
from report.synthetic_summary import COMMIT

LESS = row(peak_rss_mib=[20.0, 20.1, 20.2])
MUCH = row(peak_rss_mib=[30.0, 30.1, 30.2])
LIMIT = ("--fail-if", "peak_rss_mib > +5%")


class Said:
    """One command: its exit status and what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *words: object) -> None:
        self.status = main(["compare", *map(str, words)])
        self.out, self.err = capsys.readouterr()

    @property
    def lines(self) -> list[str]:
        """What it printed, without the spaces that make columns."""
        return [" ".join(line.split()) for line in self.out.splitlines()]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def test_the_table_and_a_limit_that_is_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, new = experiment(tmp_path / "base", LESS), experiment(tmp_path / "new", MUCH)
    said = Said(capsys, base, new, *LIMIT)
    assert (said.status, said.err) == (1, "")
    assert said.lines[:2] == [
        f"BASE {base}, measured 2026-01-02T03:04:05+00:00 at commit 01234567",
        f"NEW {new}, measured 2026-01-02T03:04:05+00:00 at commit 01234567",
    ]
    assert said.lines[3] == "python, 100 agents, verifier null, 3 against 3 runs"
    assert said.lines[5].startswith("peak_rss_mib 20.1 30.1 MiB ×1.50 ")
    assert said.lines[5].endswith("worse")
    assert said.lines[-1].startswith(
        "FAILED peak_rss_mib > +5%: python, 100 agents, verifier null: 20.1 → 30.1 MiB, +49.8% "
    )
    assert all(len(line) <= 100 for line in said.out.splitlines()[3:6])


def test_a_limit_that_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, new = experiment(tmp_path / "base", MUCH), experiment(tmp_path / "new", LESS)
    said = Said(capsys, base, new, *LIMIT)
    assert said.status == 0
    (memory,) = (line for line in said.lines if line.startswith("peak_rss_mib"))
    assert memory.endswith("better")
    assert said.lines[-1].startswith("kept peak_rss_mib > +5%: python")


def test_without_limits_nothing_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, new = experiment(tmp_path / "base", LESS), experiment(tmp_path / "new", MUCH)
    assert Said(capsys, base, new).status == 0


def test_one_limit_that_is_not_kept_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, new = experiment(tmp_path / "base", LESS), experiment(tmp_path / "new", MUCH)
    said = Said(capsys, base, new, "--fail-if", "peak_rss_mib > +60%", *LIMIT)
    assert said.status == 1
    assert [line.split()[0] for line in said.lines[-2:]] == ["kept", "FAILED"]


@pytest.mark.parametrize(
    ("base", "new", "says"),
    [
        (MUCH, None, "the row is gone from NEW"),
        (LESS, row(cpu_s_per_task=[1.0, 1.0, 1.0]), "NEW has no peak_rss_mib"),
        (row(cpu_s_per_task=[1.0, 1.0, 1.0]), LESS, "BASE has no peak_rss_mib"),
        (LESS, replace(LESS, failures=[BUSY, FAULT]), "NEW has a fault: run 2: it crashed: mend it"),
        (replace(LESS, failures=[FAULT]), LESS, "BASE has a fault: run 2: it crashed: mend it"),
        (
            LESS,
            replace(LESS, methods=METHODS | {"peak_rss_mib": "another"}),
            "BASE and NEW were measured by different methods",
        ),
    ],
)
def test_what_cannot_be_judged_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], base: Any, new: Any, says: str
) -> None:
    other = row("rust", peak_rss_mib=[5.0, 5.0, 5.0])
    experiment(tmp_path / "base", base, other)
    experiment(tmp_path / "new", *([new] if new else []), other)
    said = Said(capsys, tmp_path / "base", tmp_path / "new", *LIMIT)
    assert said.status == 1
    failed = [line for line in said.lines if line.startswith("FAILED")]
    assert failed == [
        f"FAILED peak_rss_mib > +5%: python, 100 agents, verifier null: cannot be judged: {says}"
    ]


def test_a_limit_on_a_figure_asks_nothing_of_base(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = experiment(tmp_path / "base", replace(LESS, failures=[FAULT]))
    new = experiment(tmp_path / "new", MUCH)
    said = Said(capsys, base, new, "--fail-if", "peak_rss_mib > 40")
    assert said.status == 0
    assert said.lines[-1].startswith(
        "kept peak_rss_mib > 40: python, 100 agents, verifier null: 30.1 MiB (29."
    )


def test_what_a_busy_machine_did_is_said_and_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, new = (
        experiment(tmp_path / "base", LESS),
        experiment(tmp_path / "new", replace(LESS, failures=[BUSY])),
    )
    said = Said(capsys, base, new, *LIMIT)
    assert said.status == 0
    assert (
        "INVALID NEW, python, 100 agents, verifier null, run 1: 3 pages were swapped: free memory"
        in said.lines
    )


def test_what_stands_against_all_rows_of_an_experiment_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drift = replace(BUSY, run=None)
    rows = [row(name, failures=[drift], wall_s=[1.0, 1.0, 1.0]) for name in ("python", "rust", "go")]
    folder = experiment(tmp_path, *rows)
    said = Said(capsys, "--in", folder, "python", "rust")
    complaint = "all rows, 3 pages were swapped: free memory"
    assert [line for line in said.lines if line.startswith("INVALID")] == [f"INVALID {complaint}"]
    said = Said(capsys, folder, folder)
    assert [line for line in said.lines if line.startswith("INVALID")] == [
        f"INVALID BASE, {complaint}",
        f"INVALID NEW, {complaint}",
    ]


def test_one_run_is_judged_by_itself_and_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = experiment(tmp_path / "base", row(peak_rss_mib=[20.0]))
    new = experiment(tmp_path / "new", row(peak_rss_mib=[22.0, 22.0, 22.0]))
    said = Said(capsys, base, new, *LIMIT)
    assert said.status == 1
    (memory,) = (line for line in said.lines if line.startswith("peak_rss_mib"))
    assert memory.endswith("– cannot tell")
    assert "by the medians alone, 1 against 3 runs" in said.lines[-1]


def test_what_cannot_be_told_from_noise_does_not_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = experiment(tmp_path / "base", row(wall_s=[10.0, 11.0, 15.0]))
    new = experiment(tmp_path / "new", row(wall_s=[10.5, 13.0, 14.0]))
    said = Said(capsys, base, new, "--fail-if", "wall_s > +5%")
    assert said.status == 0
    assert "beyond the threshold" in said.lines[-1]
    assert "noise" in said.lines[-1]


def test_rows_of_one_experiment_alone_are_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = experiment(tmp_path / "base", LESS, row("rust", peak_rss_mib=[5.0]))
    new = experiment(tmp_path / "new", LESS, row("go", agents=10, peak_rss_mib=[5.0]))
    said = Said(capsys, base, new)
    assert "left out: rust, 100 agents, verifier null: only in BASE" in said.lines
    assert "left out: go, 10 agents, verifier null: only in NEW" in said.lines
    assert Said(capsys, base, new, *LIMIT).status == 1
    assert Said(capsys, base, new, *LIMIT, "--runtimes", "python").status == 0


def test_the_only_runtimes_of_two_experiments_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = experiment(tmp_path / "base", LESS)
    new = experiment(tmp_path / "new", row("slower", peak_rss_mib=[30.0, 30.1, 30.2]))
    said = Said(capsys, base, new, *LIMIT)
    assert said.status == 1
    assert "python → slower, 100 agents, verifier null, 3 against 3 runs" in said.lines
    assert "slower is compared with python: each experiment has one runtime" in said.lines


def test_nothing_in_common_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = experiment(tmp_path / "base", LESS)
    new = experiment(tmp_path / "new", row("python", agents=10, peak_rss_mib=[20.0]))
    said = Said(capsys, base, new)
    assert (said.status, said.out) == (2, "")
    assert said.err == (
        "agentdyno: BASE and NEW have no row in common: BASE has python, 100 agents, verifier null; NEW has "
        "python, 10 agents, verifier null; measure the same runtimes with the same --agents and --verifier\n"
    )


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (
            {"tasks_sha256": "b" * 64, "limit": 50},
            "tasks of 100 agents: was builtin, 100 a run (sha256 aaaaaaaa), is builtin, 50 a run "
            "(sha256 bbbbbbbb); give both the same --tasks and --limit",
        ),
        (
            {"profile": "instant", "times": {"ttft": "0s", "itl": "0s"}},
            "profile: was steady, is instant; give both the same --profile",
        ),
        (
            {"times": {"ttft": "300ms", "itl": "20ms"}},  # the same file, which says something else now
            'profile: was {"itl": "20ms", "ttft": "200ms"}, is {"itl": "20ms", "ttft": "300ms"}; '
            "give both the same --profile",
        ),
        (
            {"profile": "real:m", "times": None},
            "profile: was steady, is real:m; give both the same --profile",
        ),
        (
            {"references_sha256": "d" * 64},
            "references: was sha256 cccccccc, is dddddddd; give both the same reference solutions in --tasks",
        ),
        (
            {"arrivals": "poisson:5"},
            "arrivals: was at-once, is poisson:5; give both the same --arrivals",
        ),
        ({"seed": 1}, "seed: was 0, is 1; give both the same --seed"),
        (
            {"endpoint": "http://model/v1"},
            "endpoint: was simulated, is http://model/v1; measure both against the same endpoint",
        ),
        ({"model": "qwen"}, "model: was agentdyno-sim, is qwen; measure both with the same model"),
        (
            {"request": {"temperature": 1}},
            'request: was {"temperature": 0}, is {"temperature": 1}; give both the same --request',
        ),
        ({"verify_slots": 4}, "verify_slots: was 2, is 4; give both the same --verify-slots"),
        (
            {"verify_timeout_s": 5.0},
            "verify_timeout_s: was 10.0, is 5.0; give both the same --verify-timeout",
        ),
        ({"max_retries": 0}, "max_retries: was 3, is 0; give both the same --max-retries"),
        (
            {"timeouts": {"connect_s": 5}},
            'timeouts: was {"connect_s": 10}, is {"connect_s": 5}; give both the same --connect-timeout, '
            "--idle-timeout and --total-timeout",
        ),
        (
            {"transport": {"max_retries": 1}},
            'transport: was {"max_retries": 5}, is {"max_retries": 1}; measure both with the same version of '
            "agentdyno",
        ),
        (
            {"environment": {"cpu": "Slow"}},
            "cpu: was Fast, is Slow; measure both on one machine",
        ),
        ({"environment": {"cpus": 4}}, "cpus: was 2, is 4; measure both on one machine"),
        (
            {"environment": {"architecture": "aarch64"}},
            "architecture: was x86_64, is aarch64; measure both on one machine",
        ),
        (
            {"environment": {"memory_mib": 23000}},
            "memory_mib: was 24000, is 23000; measure both on one machine",
        ),
        ({"environment": {"kernel": "6.2"}}, "kernel: was 6.1, is 6.2; measure both on one machine"),
        (
            {"environment": {"system": "Ubuntu"}},
            "system: was Debian, is Ubuntu; measure both on one machine",
        ),
        (
            {"environment": {"transparent_huge_pages": "never"}},
            "transparent_huge_pages: was always, is never; write the same to "
            "/sys/kernel/mm/transparent_hugepage/enabled for both",
        ),
        (
            {"environment": {"verifiers": [{"name": "null", "python": "3.12.1"}]}},
            'verifier null: was {}, is {"python": "3.12.1"}; install the same versions for both',
        ),
    ],
)
def test_what_is_not_comparable_is_refused_unless_forced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: dict[str, Any], reason: str
) -> None:
    base, new = experiment(tmp_path / "base", LESS), experiment(tmp_path / "new", LESS, **asked)
    said = Said(capsys, base, new, *LIMIT, "--markdown", tmp_path / "comment.md")
    assert (said.status, said.out) == (2, "")
    assert said.err == (
        f"agentdyno: BASE and NEW are not comparable; mend this, or give --force:\n  {reason}\n"
    )
    assert not (tmp_path / "comment.md").exists()
    forced = Said(capsys, base, new, *LIMIT, "--force")
    assert forced.status == 0
    assert f"NOT COMPARABLE {reason}" in forced.lines
    what = reason.partition(":")[0]
    assert f"NOT COMPARABLE ({what}) python, 100 agents, verifier null, 3 against 3 runs" in forced.lines


@pytest.mark.parametrize(
    "asked",
    [
        {"profile": "steady.toml"},  # the same times under another name
        {"references_sha256": None, "times": None},  # as an earlier version wrote it
        {"environment": {"transparent_huge_pages": None}},  # an earlier version, or a kernel without them
    ],
)
def test_what_is_alike_is_comparable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: dict[str, Any]
) -> None:
    base, new = experiment(tmp_path / "base", LESS), experiment(tmp_path / "new", LESS, **asked)
    assert Said(capsys, base, new).status == 0


def test_every_reason_has_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = experiment(tmp_path / "base", LESS)
    new = experiment(tmp_path / "new", LESS, seed=1, environment={"kernel": "6.2"})
    assert [line.split(":")[0].strip() for line in Said(capsys, base, new).err.splitlines()[1:]] == [
        "seed",
        "kernel",
    ]


def test_versions_of_a_verifier_that_no_common_row_has_do_not_matter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verifiers = [{"name": "null"}, {"name": "cold", "python": "3.12.1", "pytest": "9.0"}]
    base = experiment(tmp_path / "base", LESS)
    new = experiment(tmp_path / "new", LESS, environment={"verifiers": verifiers, "memory_mib": 24001})
    assert Said(capsys, base, new).status == 0


def test_what_does_not_stand_against_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = experiment(tmp_path / "base", LESS)
    new = experiment(
        tmp_path / "new",
        LESS,
        complete=False,
        environment={
            "git_commit": COMMIT[::-1],
            "git_dirty": True,
            "agentdyno": "0.2.0",
            "libraries": {"aiohttp": "4.0"},
        },
    )
    said = Said(capsys, base, new)
    assert said.status == 0
    assert said.lines[-5:] == [
        "agentdyno: was 0.1.0, is 0.2.0",
        "git_commit: was 01234567, is 76543210",
        "aiohttp: was 3.14.5, is 4.0",
        "NEW was measured from a work tree with changes that are in no commit",
        "NEW is not complete: it still runs, or was interrupted",
    ]


def test_two_runtimes_of_one_experiment_are_paired_by_block(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Each block is slower than the one before it, for both.
    folder = experiment(
        tmp_path,
        row("python", wall_s=[10.0, 20.0, 30.0]),
        row("rust", wall_s=[5.0, 10.0, 15.0]),
        row("rust", agents=10, wall_s=[1.0, 1.0, 1.0]),
    )
    said = Said(capsys, "--in", folder, "python", "rust")
    assert said.status == 0
    assert said.lines[:2] == [
        "BASE python",
        f"NEW rust, both in {folder}, measured 2026-01-02T03:04:05+00:00 at commit 01234567",
    ]
    assert "python → rust, 100 agents, verifier null, 3 against 3 runs, paired by block" in said.lines
    (wall,) = (line for line in said.lines if line.startswith("wall_s"))
    assert wall.startswith("wall_s 20.0 10.0 s ×0.50 ")
    assert wall.endswith("better")
    assert "left out: rust, 10 agents, verifier null: only in NEW" in said.lines


def test_runtimes_of_one_experiment_with_nothing_in_common(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = experiment(tmp_path, row("python", wall_s=[1.0]), row("rust", agents=10, wall_s=[1.0]))
    said = Said(capsys, "--in", folder, "python", "rust")
    assert said.status == 2
    assert said.err.startswith("agentdyno: BASE and NEW have no row in common: BASE has python, 100 agents, ")


def test_an_a_a_control_that_differed_widens_the_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    control = Comparison("twin", "python", 100, "null", {"wall_s": of_pairs([1.3, 1.3, 1.31])})
    base, noisy = row(wall_s=[10.0, 10.0, 10.1]), tmp_path / "noisy"
    new = experiment(tmp_path / "new", row(wall_s=[12.0, 12.0, 12.1]))
    quiet = experiment(tmp_path / "quiet", base)
    threshold = ("--fail-if", "wall_s > +5%")
    assert Said(capsys, quiet, new, *threshold).status == 1
    said = Said(capsys, experiment(noisy, base, controls=[control]), new, *threshold)
    assert said.status == 0
    assert "noise" in said.lines[-1]
    more = experiment(tmp_path / "more", row(wall_s=[15.0, 15.0, 15.1]))
    assert Said(capsys, noisy, more, *threshold).status == 1


def test_within_one_experiment_the_interval_holds_what_a_runtime_has_from_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = Comparison("twin", "python", 100, "null", {"wall_s": of_pairs([0.8, 1.1])})
    rows = row("python", wall_s=[10.0, 10.0, 10.1]), row("worse", wall_s=[12.0, 12.0, 12.1])
    folder = experiment(tmp_path, *rows, controls=[twin])
    said = Said(capsys, "--in", folder, "python", "worse", "--fail-if", "wall_s > +5%")
    assert said.status == 1


def test_a_metric_of_a_limit_is_shown_and_with_all_every_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"peak_rss_mib": [20.0] * 3, "start_ms": [3.0] * 3, "max_in_flight": [100.0] * 3}
    base, new = experiment(tmp_path / "base", row(**values)), experiment(tmp_path / "new", row(**values))

    def shown(*words: str) -> set[str]:
        return {line.split()[0] for line in Said(capsys, base, new, *words).lines if " ×1.00 " in line}

    assert shown() == {"peak_rss_mib"}
    assert shown("--fail-if", "start_ms > +5%") == {"peak_rss_mib", "start_ms"}
    assert shown("--all") == set(values)
    # Neither way is better.
    (gauge,) = (line for line in Said(capsys, base, new, "--all").lines if line.startswith("max_in_flight"))
    assert not any(verdict in gauge for verdict in Verdict)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--in", "DIR", "python", "java"],
            "DIR/summary.json: no runtime java in it; there are python, rust",
        ),
        (["--in", "DIR", "rust", "rust"], "rust is both BASE and NEW; name two runtimes of python, rust"),
        (
            ["--in", "DIR", "python", "rust", "--runtimes", "rust"],
            "--runtimes chooses rows of two experiments; with --in, BASE and NEW are the runtimes",
        ),
        (
            ["DIR", "DIR", "--runtimes", "java"],
            "--runtimes java: no such runtime in DIR/summary.json or DIR/summary.json",
        ),
        (
            ["DIR", "DIR", "--junit", "-"],
            "--junit has a test case for each limit; give --fail-if, as in 'peak_rss_mib > +5%'",
        ),
        (
            ["DIR", "DIR", "--bencher", "-", "--json"],
            "--bencher and --json would both be printed; give all but one a file",
        ),
        (
            ["DIR", "DIR", "--markdown", "DIR/none/comment.md"],
            "DIR/none/comment.md: folder DIR/none does not exist; create it or choose another path",
        ),
        (
            ["DIR", "DIR/none"],
            "DIR/none/summary.json: no such file; name the folder of an experiment, as results/raw/TIME",
        ),
        (
            ["DIR", "DIR", "--fail-if", "peak > +5%"],
            "--fail-if 'peak > +5%': no metric is called peak; docs/measuring.md names them",
        ),
    ],
)
def test_unusable_requests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    experiment(tmp_path, LESS, row("rust", peak_rss_mib=[5.0, 5.0, 5.0]))
    said = Said(capsys, *(word.replace("DIR", str(tmp_path)) for word in words))
    assert (said.status, said.out) == (2, "")
    assert said.err == f"agentdyno: {message.replace('DIR', str(tmp_path))}\n"


@pytest.mark.usefixtures("starts_processes")
def test_from_the_command_line(tmp_path: Path) -> None:
    """The summaries alone are enough, wherever they are; JSON is for programs and what failed is for logs."""
    experiment(tmp_path, LESS)
    (tmp_path / "summary.json").rename(tmp_path / "base.json")
    experiment(tmp_path, MUCH)
    words = [sys.executable, "-m", "agentdyno", "compare", "base.json", "summary.json", *LIMIT, "--json"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("FAILED peak_rss_mib > +5%: python")
    assert json.loads(done.stdout)["kept"] is False

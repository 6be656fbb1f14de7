import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agentdyno.measure import cgroup
from agentdyno.measure.machine import Baseline, Disturbances, machine
from agentdyno.process.child import Child
from measure import synthetic

PERIOD_US, QUOTA_US = 20_000, 2_000
IS_THROTTLED = """
import dataclasses, json
from agentdyno.measure.machine import Baseline
baseline = Baseline()
while not (now := baseline.disturbances()).throttled_s:
    pass
print(json.dumps(dataclasses.asdict(now)))
"""


def stat(*ticks: int) -> str:
    """The lines of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, guest, guest nice."""
    return f"cpu  {' '.join(map(str, ticks))}\ncpu0 1 1 1 1 1 1 1 1 1 1\nctxt 5\n"


def vmstat(read: int, written: int) -> str:
    return f"nr_free_pages 7\npswpin {read}\npswpout {written}\npgsteal_kswapd 3\n"


def throttle_counts(sys: Path, *counts: int) -> None:
    for cpu, count in enumerate(counts):
        folder = sys / f"devices/system/cpu/cpu{cpu}/thermal_throttle"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "core_throttle_count").write_text(f"{count}\n")


def test_only_what_came_after_the_baseline_counts(tmp_path: Path) -> None:
    proc = synthetic.proc(
        tmp_path / "proc", "", stat=stat(100, 10, 50, 900, 30, 5, 5, 40, 90, 9), vmstat=vmstat(1000, 2000)
    )
    throttle_counts(tmp_path / "sys", 4, 5)
    baseline = Baseline(proc, tmp_path / "sys")
    (proc / "stat").write_text(stat(130, 15, 60, 925, 35, 8, 7, 60, 110, 14))  # busy 50, idle 30, steal 20
    (proc / "vmstat").write_text(vmstat(1003, 2004))
    throttle_counts(tmp_path / "sys", 4, 7)
    assert baseline.disturbances() == Disturbances(
        steal_share=0.2, throttled_s=None, swapped_pages=7, thermal_throttles=2
    )


def test_what_the_machine_does_not_tell_is_none(tmp_path: Path) -> None:
    proc = synthetic.proc(tmp_path / "proc", "", vmstat="nr_free_pages 7\n")
    assert Baseline(proc, tmp_path / "sys").disturbances() == Disturbances(None, None, None, None)


def test_shares_of_no_time_at_all_are_none(tmp_path: Path) -> None:
    proc = synthetic.proc(tmp_path / "proc", "", stat=stat(*range(10)))
    assert Baseline(proc, tmp_path).disturbances().steal_share is None


def test_counters_that_run_backwards_count_as_still(tmp_path: Path) -> None:
    proc = synthetic.proc(tmp_path / "proc", "", stat=stat(100, 0, 0, 900, 0, 0, 0, 40, 0, 0))
    baseline = Baseline(proc, tmp_path)
    (proc / "stat").write_text(stat(100, 0, 0, 899, 0, 0, 0, 50, 0, 0))
    assert baseline.disturbances().steal_share == 1.0


@pytest.mark.parametrize(
    ("membership", "kind", "options", "field", "one_s"),
    [
        ("1:cpu:/jobs/one\n0::/\n", "cgroup", "rw,cpu", "throttled_time", 1_000_000_000),
        ("0::/jobs/one\n", "cgroup2", "rw", "throttled_usec", 1_000_000),
    ],
)
def test_throttling_of_the_own_group_and_of_those_above_adds_up(
    tmp_path: Path, membership: str, kind: str, options: str, field: str, one_s: int
) -> None:
    top = tmp_path / "cgroup"
    own = top / "jobs/one"
    (top / "jobs/two").mkdir(parents=True)
    own.mkdir()
    proc = synthetic.proc(tmp_path / "proc", membership, synthetic.mount(top, kind, options))

    def throttled(folder: Path, seconds: float) -> None:
        (folder / "cpu.stat").write_text(
            f"nr_periods 9\nnr_throttled 3\n{field} {round(seconds * one_s)}\nnr_bursts 0\n"
        )

    (top / "cpu.stat").write_text("usage_usec 5\nuser_usec 3\nsystem_usec 2\n")  # the root has no quota
    for folder, seconds in ((top / "jobs", 1.0), (own, 2.0), (top / "jobs/two", 4.0)):
        throttled(folder, seconds)
    baseline = Baseline(proc, tmp_path)
    assert baseline.disturbances().throttled_s == 0.0
    for folder, seconds in ((top / "jobs", 1.5), (own, 2.25), (top / "jobs/two", 8.0)):
        throttled(folder, seconds)
    assert baseline.disturbances().throttled_s == 0.75


def test_this_machine_tells_of_its_processors_and_of_swap() -> None:
    baseline = Baseline()
    while (now := baseline.disturbances()).steal_share is None:
        pass
    assert 0 <= now.steal_share <= 1
    assert now.swapped_pages is not None


@pytest.mark.usefixtures("starts_processes")
def test_a_quota_above_the_own_group_throttles_for_real(tmp_path: Path) -> None:
    own = cgroup.place("cpu")
    if own is None or own.version != 1:
        pytest.skip("a quota for a child group needs the cpu hierarchy of version 1")
    try:
        limited = Path(tempfile.mkdtemp(prefix="agentdyno-test-", dir=own.group))
    except OSError as error:
        pytest.skip(f"no group can be made: {error}")
    try:
        (limited / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (limited / "cpu.cfs_quota_us").write_text(str(QUOTA_US))
        inner = limited / "inner"
        inner.mkdir()
        try:
            with Child(
                [sys.executable, "-c", IS_THROTTLED],
                cwd=tmp_path,
                environment=os.environ,
                stdout=subprocess.PIPE,
                join=[inner / "cgroup.procs"],
            ) as child:
                assert child.stdout is not None
                said = json.loads(child.stdout.readline())
        finally:
            inner.rmdir()
        fields = dict(line.split() for line in (limited / "cpu.stat").read_text().splitlines())
        assert 0 < said["throttled_s"] <= int(fields["throttled_time"]) / 1e9
    finally:
        limited.rmdir()


@pytest.mark.parametrize(
    ("says", "chosen"),
    [
        ("always [madvise] never\n", "madvise"),
        ("[always] madvise never\n", "always"),
        ("", None),
        (None, None),
    ],
)
def test_when_programs_get_huge_pages_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str | None, chosen: str | None
) -> None:
    enabled = tmp_path / "kernel/mm/transparent_hugepage/enabled"
    if says is not None:
        enabled.parent.mkdir(parents=True)
        enabled.write_text(says)
    monkeypatch.setattr("agentdyno.measure.machine.SYS", tmp_path)
    assert machine()["transparent_huge_pages"] == chosen

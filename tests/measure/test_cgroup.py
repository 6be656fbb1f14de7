import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.measure import cgroup
from agentdyno.measure.cgroup import Group, Place, accounted, place
from agentdyno.process.child import Child
from measure import synthetic

ALLOWED = "AGENTDYNO_TEST_MEMORY_GROUPS"
HELD_MIB = 48
HOLDS = f"""
import os, signal
held = b"x" * ({HELD_MIB} << 20)
reading, writing = os.pipe()
tool = os.fork()
if tool == 0:
    os.setsid()
    held_too = b"y" * ({HELD_MIB} << 20)
    os.write(writing, b"held")
    signal.pause()
os.read(reading, 4)
print(tool, flush=True)
signal.pause()
"""

MEMORY_V1 = "8:pids:/\n4:memory:/jobs/one\n0::/unified\n"


def test_in_version_1_the_hierarchy_is_the_one_that_was_mounted_with_the_controller(tmp_path: Path) -> None:
    mounts = synthetic.mount(tmp_path / "pids", "cgroup", "rw,pids")
    mounts += synthetic.mount(tmp_path / "memory", "cgroup", "rw,hugetlb,memory")
    mounts += synthetic.mount(tmp_path / "unified", "cgroup2")
    proc = synthetic.proc(tmp_path / "proc", MEMORY_V1, mounts)
    assert place("memory", proc) == Place(1, tmp_path / "memory", tmp_path / "memory/jobs/one")


def test_a_controller_that_no_hierarchy_of_version_1_has_is_in_version_2(tmp_path: Path) -> None:
    mounts = synthetic.mount(tmp_path / "pids", "cgroup", "rw,pids")
    mounts += synthetic.mount(tmp_path / "unified", "cgroup2", "rw,nsdelegate")
    proc = synthetic.proc(tmp_path / "proc", MEMORY_V1, mounts)
    assert place("cpu", proc) == Place(2, tmp_path / "unified", tmp_path / "unified/unified")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "150000 100000\n"}, 1),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "99900000 100000\n"}, None),
        ({"cpu.max": "nonsense\n"}, None),
        ({"../cpu.max": "100000 100000\n"}, 1),
    ],
)
def test_cores_are_those_that_affinity_and_quotas_leave(
    tmp_path: Path, files: dict[str, str], expected: int | None
) -> None:
    group = tmp_path / "unified/jobs"
    group.mkdir(parents=True)
    for name, text in files.items():
        (group / name).write_text(text)
    proc = synthetic.proc(tmp_path / "proc", "0::/jobs\n", synthetic.mount(tmp_path / "unified", "cgroup2"))
    assert cgroup.cores(proc) == (expected or len(os.sched_getaffinity(0)))


def test_cores_by_the_quota_of_version_1(tmp_path: Path) -> None:
    group = tmp_path / "cpu/jobs"
    group.mkdir(parents=True)
    proc = synthetic.proc(
        tmp_path / "proc", "4:cpu:/jobs\n", synthetic.mount(tmp_path / "cpu", "cgroup", "rw,cpu")
    )
    (group / "cpu.cfs_period_us").write_text("100000\n")
    for quota, expected in ((-1, len(os.sched_getaffinity(0))), (100_000, 1)):
        (group / "cpu.cfs_quota_us").write_text(f"{quota}\n")
        assert cgroup.cores(proc) == expected


@pytest.mark.parametrize(("limit", "free"), [("max\n", None), (f"{512 << 20}\n", 412), (f"{50 << 20}\n", 0)])
def test_memory_that_a_limit_leaves(tmp_path: Path, limit: str, free: int | None) -> None:
    group = tmp_path / "unified/jobs"
    group.mkdir(parents=True)
    (group / "memory.max").write_text(limit)
    (group / "memory.current").write_text(f"{100 << 20}\n")
    proc = synthetic.proc(tmp_path / "proc", "0::/jobs\n", synthetic.mount(tmp_path / "unified", "cgroup2"))
    assert cgroup.free_mib(proc) == free


def test_in_a_container_the_mount_is_a_part_of_the_hierarchy(tmp_path: Path) -> None:
    mounts = synthetic.mount(tmp_path / "memory", "cgroup", "rw,memory", root="/jobs")
    proc = synthetic.proc(tmp_path / "proc", MEMORY_V1, mounts)
    own = place("memory", proc)
    assert own == Place(1, tmp_path / "memory", tmp_path / "memory/one")
    assert own.lineage == [tmp_path / "memory/one", tmp_path / "memory"]


@pytest.mark.parametrize(
    ("membership", "mounts"),
    [
        pytest.param(MEMORY_V1, "", id="not mounted"),
        pytest.param("", synthetic.mount(Path("/nowhere"), "cgroup2"), id="no groups"),
        pytest.param(
            MEMORY_V1, synthetic.mount(Path("/nowhere"), "cgroup", "rw,memory", "/other"), id="another part"
        ),
        pytest.param(
            "0::/../jobs\n", synthetic.mount(Path("/nowhere"), "cgroup2"), id="outside the namespace"
        ),
    ],
)
def test_without_a_hierarchy_that_can_be_seen_there_is_no_group(
    tmp_path: Path, membership: str, mounts: str
) -> None:
    proc = synthetic.proc(tmp_path / "proc", membership, mounts)
    assert place("memory", proc) is None
    with accounted(proc) as group:
        assert group is None


def test_without_proc_there_is_no_group(tmp_path: Path) -> None:
    assert place("memory", tmp_path) is None


@given(st.text(st.characters(codec="ascii", exclude_characters="/\0"), min_size=1))
def test_names_of_mount_points_are_read_as_the_kernel_writes_them(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        point = Path("/mnt", f"-{name}-")
        proc = synthetic.proc(Path(folder), "0::/\n", synthetic.mount(point, "cgroup2"))
        assert place("memory", proc) == Place(2, point, point)


def test_a_group_that_gets_no_peak_is_not_used_and_not_left(tmp_path: Path) -> None:
    """As in version 2 without the controller, or before kernel 5.19."""
    unified = tmp_path / "unified"
    unified.mkdir()
    proc = synthetic.proc(tmp_path / "proc", "0::/\n", synthetic.mount(unified, "cgroup2"))
    with accounted(proc) as group:
        assert group is None
        assert list(unified.iterdir()) == []


def test_where_no_group_can_be_made_there_is_none(tmp_path: Path) -> None:
    point = Path("/sys/kernel")  # sysfs lets nobody make folders, root included
    proc = synthetic.proc(tmp_path / "proc", "4:memory:/\n", synthetic.mount(point, "cgroup", "rw,memory"))
    with accounted(proc) as group:
        assert group is None


@pytest.mark.parametrize(
    ("version", "file", "method"),
    [
        (1, "memory.max_usage_in_bytes", "cgroup v1 memory.max_usage_in_bytes"),
        (2, "memory.peak", "cgroup v2 memory.peak"),
    ],
)
def test_the_peak_is_in_kib_and_its_method_has_a_name(
    tmp_path: Path, version: int, file: str, method: str
) -> None:
    (tmp_path / file).write_text(f"{7 * 1024}\n")
    group = Group(tmp_path, version)
    assert (group.peak_kib(), group.method) == (7, method)


@pytest.fixture
def group_of_processors() -> Iterator[Group]:
    """A group in the cpu hierarchy, which counts no memory but has members like any other."""
    own = place("cpu")
    if own is None:
        pytest.skip("no cpu hierarchy is mounted")
    try:
        group = Group(Path(tempfile.mkdtemp(prefix="agentdyno-test-", dir=own.group)), own.version)
    except OSError as error:
        pytest.skip(f"no group can be made: {error}")
    yield group
    if group.members.exists():
        group.remove()


@pytest.mark.usefixtures("starts_processes")
def test_a_child_is_in_its_group_from_the_first_instruction_on(
    group_of_processors: Group, tmp_path: Path
) -> None:
    with Child(
        ["cat", "/proc/self/cgroup"],
        cwd=tmp_path,
        environment=os.environ,
        stdout=subprocess.PIPE,
        join=[group_of_processors.members],
    ) as child:
        assert child.stdout is not None
        said = child.stdout.read().decode()
    assert f"/{group_of_processors.members.parent.name}\n" in said


@pytest.mark.usefixtures("starts_processes")
def test_a_group_with_a_live_member_cannot_be_removed_and_with_a_dead_one_can(
    group_of_processors: Group, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = group_of_processors.members.parent
    with Child(
        ["sleep", "600"], cwd=tmp_path, environment=os.environ, join=[group_of_processors.members]
    ) as child:
        assert group_of_processors.members.read_text() == f"{child.pid}\n"
        with monkeypatch.context() as patch:
            patch.setattr(cgroup, "PATIENCE_S", 0.0)
            with pytest.raises(OSError, match="busy") as refused:
                group_of_processors.remove()
        assert refused.value.errno == errno.EBUSY
    group_of_processors.remove()
    assert not folder.exists()


@pytest.mark.skipif(
    ALLOWED not in os.environ,
    reason=f"makes groups below the memory group that the tests are in; {ALLOWED}=1 allows it",
)
def test_the_memory_of_a_tree_is_charged_to_its_group(tmp_path: Path) -> None:
    with accounted() as group:
        if group is None:
            pytest.skip("no memory group can be made on this machine")
        own = place("memory")
        assert own is not None
        assert group.method == f"cgroup v{own.version} {cgroup.PEAK_FILES[own.version]}"
        with Child(
            [sys.executable, "-c", HOLDS],
            cwd=tmp_path,
            environment=os.environ,
            stdout=subprocess.PIPE,
            join=[group.members],
        ) as child:
            assert child.stdout is not None
            tool = int(child.stdout.readline())
            try:
                assert {int(pid) for pid in group.members.read_text().split()} == {child.pid, tool}
            finally:
                os.kill(tool, signal.SIGKILL)
        # What the interpreters need comes on top; it is less than a third of what they hold.
        assert 2 * HELD_MIB * 1024 <= group.peak_kib() < 3 * HELD_MIB * 1024
        folder = group.members.parent
        assert folder.parent == own.group
    assert not folder.exists()


@pytest.mark.skipif(
    ALLOWED not in os.environ,
    reason=f"makes groups below the memory group that the tests are in; {ALLOWED}=1 allows it",
)
def test_the_group_goes_when_the_block_is_left_by_an_error() -> None:
    folder: Path | None = None

    def fail() -> None:
        nonlocal folder
        with accounted() as group:
            if group is None:
                pytest.skip("no memory group can be made on this machine")
            folder = group.members.parent
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert folder is not None
    assert not folder.exists()

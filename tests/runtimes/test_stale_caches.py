"""A copied checkout of the C++ runtime builds anew: CMake's caches name the folder of before."""

import shutil
import subprocess
from pathlib import Path

import pytest

from agentdyno.project import RUNTIMES

pytestmark = pytest.mark.usefixtures("starts_processes")


def test_only_caches_that_were_made_elsewhere_are_removed(tmp_path: Path) -> None:
    here = tmp_path / "cpp"
    here.mkdir()
    shutil.copy(RUNTIMES / "cpp" / "stale_caches.sh", here)
    (tmp_path / "linked").symlink_to(here)
    homes = {"here": here, "linked": tmp_path / "linked", "gone": tmp_path / "gone", "elsewhere": tmp_path}
    for name, home in homes.items():
        (here / "build" / name).mkdir(parents=True)
        (here / "build" / name / "CMakeCache.txt").write_text(
            f"A:INTERNAL=1\nCMAKE_HOME_DIRECTORY:INTERNAL={home}\n"
        )
    (here / "build" / "without-a-cache").mkdir()
    subprocess.run(["bash", "-euo", "pipefail", "-c", "source ./stale_caches.sh"], cwd=here, check=True)
    assert {path.name for path in (here / "build").iterdir()} == {"here", "linked", "without-a-cache"}


def test_build_and_tests_begin_with_that() -> None:
    for script in ("build.sh", "test.sh"):
        assert "source ./stale_caches.sh\n" in (RUNTIMES / "cpp" / script).read_text()

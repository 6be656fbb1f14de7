"""A sealed folder: whatever is done to it afterwards is found, by file and remedy."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agentdyno.errors import UserError
from agentdyno.sealed import FILE, Seal, seal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sealed folder, whose files this process may write all the same."""
    its = tmp_path / "sealed"
    (its / "lib" / "package").mkdir(parents=True)
    (its / "lib" / "package" / "module.py").write_text("VALUE = 1\n")
    (its / "python").symlink_to("/usr/bin/python3")
    seal(its)
    for path in (its, its / "lib", its / "lib" / "package", its / "lib" / "package" / "module.py"):
        path.chmod(path.stat().st_mode | 0o200)
    return its


def rewrite(folder: Path) -> None:
    """Other bytes, as many as before, with the time of before."""
    module = folder / "lib" / "package" / "module.py"
    before = module.stat()
    module.write_text("VALUE = 2\n")
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))


def lead_elsewhere(folder: Path) -> None:
    (folder / "python").unlink()
    (folder / "python").symlink_to("/tmp/python3")


CHANGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a .pth file": (lambda its: (its / "lib" / "x.pth").write_text("import os\n"), "lib/x.pth", "added"),
    "a pipe": (lambda its: os.mkfifo(its / "lib" / "pipe"), "lib/pipe", "added"),
    "a folder with a module": (
        lambda its: ((its / "new").mkdir(), (its / "new" / "m.py").touch()),
        "new/m.py",
        "added",
    ),
    "other bytes": (rewrite, "lib/package/module.py", "changed"),
    "another link": (lead_elsewhere, "python", "changed"),
    "a file less": (lambda its: (its / "lib/package/module.py").unlink(), "lib/package/module.py", "removed"),
    "no record": (lambda its: (its / FILE).unlink(), FILE, "missing"),
    "an empty record": (lambda its: (its / FILE).write_text(""), FILE, "cannot be read"),
    "a list as the record": (lambda its: (its / FILE).write_text("[]"), FILE, "cannot be read"),
}


@pytest.mark.parametrize("checked_before", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found(folder: Path, change: str, checked_before: bool) -> None:
    its = Seal(folder)
    if checked_before:
        its.check()
        its.check()
    if change.endswith("record"):
        (folder / FILE).chmod(0o600)
    do, path, what = CHANGES[change]
    do(folder)
    with pytest.raises(UserError) as found:
        its.check()
    line = str(found.value)
    assert line.startswith(f"{folder / path} ")
    assert what in line.partition(":")[0]
    assert f"rm -r {folder}" in line
    assert "\n" not in line


def test_nobody_has_the_right_to_write(tmp_path: Path) -> None:
    (tmp_path / "its" / "lib").mkdir(parents=True)
    (tmp_path / "its" / "lib" / "module.py").touch()
    seal(tmp_path / "its")
    everything = [tmp_path / "its", *(tmp_path / "its").rglob("*")]
    assert len(everything) == 4
    assert [path for path in everything if path.stat().st_mode & 0o222] == []
    Seal(tmp_path / "its").check()

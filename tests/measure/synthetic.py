"""Synthetic trees of files in place of /proc."""

from pathlib import Path


def proc(folder: Path, membership: str, mounts: str = "", **files: str) -> Path:
    """A /proc in `folder` with the lines of self/cgroup and self/mountinfo, and with further files."""
    (folder / "self").mkdir(parents=True)
    (folder / "self/cgroup").write_text(membership)
    (folder / "self/mountinfo").write_bytes(mounts.encode())
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def mount(point: Path, kind: str, options: str = "rw", root: str = "/") -> str:
    """A line of mountinfo."""
    return f"35 31 0:32 {root} {escaped(str(point))} rw,relatime shared:9 - {kind} {kind} {options}\n"


def escaped(name: str) -> str:
    """As the kernel writes names in mountinfo: white space and backslashes in octal."""
    return "".join(f"\\{ord(letter):03o}" if letter in " \t\n\\" else letter for letter in name)

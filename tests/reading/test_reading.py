"""Whatever a file is, reading it succeeds or names the file, what is wrong with it, and what to do."""

import os
from pathlib import Path

import pytest

from agentdyno import reading
from agentdyno.errors import UserError
from agentdyno.files import write_bytes, write_json
from agentdyno.reading import Missing, Unreadable, json_lines, read_json, read_text, read_toml
from agentdyno.shape import Json

REMEDY = "do this"


def refused(path: Path) -> str:
    """The line about a file, without its name and the remedy, which are checked."""
    with pytest.raises(Unreadable) as refusal:
        read_json(path, dict[str, Json], REMEDY)
    said = str(refusal.value)
    assert "\n" not in said
    assert said.startswith(f"{path}: ")
    assert said.endswith(f"; {REMEDY}")
    return said.removeprefix(f"{path}: ").removesuffix(f"; {REMEDY}")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"a": ', "not JSON at column 7"),
        (b'{"a": 1,\n"b"}', "not JSON at line 2, column 4"),
        (b"[]", "must be an object, and is a list of 0"),
        (b'{"a": NaN}', "a: must be a finite number, and is NaN"),
        (b'{"a": [1, ' + b"9" * 6000 + b"]}", "a[1]: must be a finite number"),
        (b"[" * 100_000, "too many lists and objects within each other"),
        (b'{"a": "\\ud800"}', "a: holds half a surrogate pair"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        (b"\xef\xbb\xbf{}", "begins with a byte order mark"),
        (b"\x1f\x8b\x08", "is compressed with gzip"),
        (b"PAR1", "is a Parquet file"),
        (b"\0" * 100, "not JSON at column 1"),
    ],
)
def test_damaged_documents(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "document.json"
    path.write_bytes(content)
    assert reason in refused(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path) == "cannot be read (Is a directory)"
    assert refused(tmp_path / "none") == "no such file"
    (tmp_path / "loop").symlink_to("loop")
    assert "Too many levels of symbolic links" in refused(tmp_path / "loop")
    assert "File name too long" in refused(tmp_path / ("x" * 300))
    (tmp_path / "file").touch()
    with pytest.raises(Missing):
        read_text(tmp_path / "file" / "none", REMEDY)
    with pytest.raises(Unreadable, match="is not the name of a file; do this"):
        read_text(Path("a\0b"), REMEDY)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(mode=0)
    assert refused(path) == "cannot be read (Permission denied)"


def test_a_huge_file_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is larger than 256 MiB" in refused(Path("/dev/zero"))
    monkeypatch.setattr(reading, "LONGEST_LINE", 1 << 20)
    path = tmp_path / "lines.jsonl"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(Unreadable, match="has a line of more than 1 MiB"):
        list(json_lines(path, lambda value: value, REMEDY))


def test_lines_are_named_by_their_numbers_and_a_cut_one_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('1\n2\n{"cut": ')
    assert list(json_lines(path, lambda value: value, REMEDY)) == [1, 2]
    path.write_text("1\n2]\n")
    with pytest.raises(Unreadable, match=r"lines\.jsonl:2: not JSON at column 2 .*; do this"):
        list(json_lines(path, lambda value: value, REMEDY))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a = [", "not TOML"),
        (f"a = {'9' * 6000}", "not TOML"),
        (f"a = {'[' * 5000}", "not TOML"),
        ("a = nan", "a: must be a finite number, and is NaN"),
        ("a = 1979-05-27", "a: must be a value of JSON"),
    ],
)
def test_damaged_toml(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(Unreadable) as refusal:
        read_toml(path, dict[str, Json], REMEDY)
    assert str(refusal.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("path", [Path(), Path("a\0b")])
def test_what_names_no_file_is_not_written(path: Path) -> None:
    with pytest.raises(UserError, match="is not the name of a file; choose another path"):
        write_bytes(path, b"")


def test_a_name_that_is_not_utf8_is_not_written_into_a_document(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not UTF-8, near .*TMPDIR") as refusal:
        write_json(tmp_path / "run.json", {"workspaces": os.fsdecode(b"/tmp/\xff")})
    assert str(refusal.value).startswith(f"{tmp_path}/run.json: ")
    assert not (tmp_path / "run.json").exists()

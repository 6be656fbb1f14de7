"""Texts that are pinned as a whole, one a renderer, in tests/snapshots.

Tests pin structure and figures; a snapshot shows a change of wording in the diff of one file. To take the new
text, run the tests with AGENTDYNO_UPDATE_SNAPSHOTS=1 and read that diff.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "snapshots"
UPDATE = "AGENTDYNO_UPDATE_SNAPSHOTS"


def is_as_it_was(name: str, text: str) -> bool:
    """Whether the text is that of the snapshot; with UPDATE set it is made so."""
    return is_file(FOLDER / f"{name}.txt", text)


def is_file(path: Path, text: str) -> bool:
    """The same of any file that is generated."""
    if os.environ.get(UPDATE) == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    held = path.read_text(encoding="utf-8") if path.exists() else ""
    # An assertion here shows where the two differ.
    assert text == held, f"{path.name} is not what is written now; {UPDATE}=1 takes the new text"
    return True

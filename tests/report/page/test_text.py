"""What the page says, as text."""

import re
from html import unescape
from pathlib import Path

from agentdyno.report.page.document import document
from agentdyno.rundata.cell import AA_CONTROL
from report.page.synthetic import control, experiment, row
from snapshot import is_as_it_was


def text_of(page: str) -> str:
    """The text of the body, a line for each of its lines that has any."""
    body = re.sub(r"(?s)<(style|script|svg).*?</\1>", "", page.partition("<body>")[2])
    lines = [" ".join(unescape(re.sub(r"<[^>]+>", " ", line)).split()) for line in body.splitlines()]
    return "\n".join(filter(None, lines)) + "\n"


def test_the_page(tmp_path: Path) -> None:
    made = experiment(
        tmp_path / "ten-runs",
        row("rust", 15.9, 16.0, 16.1, peak_rss_x_baseline=[0.4, 0.4, 0.4]),
        row("python", 39.9, 40.0, 40.1, pass_rate=[0.96, 0.96, 0.96], max_in_flight=[100, 100, 100]),
        compared=[control(AA_CONTROL, "rust")],
        baseline="python",
    )
    text = text_of(document(made, []))
    assert is_as_it_was("page", text)
    assert "Peak memory ×python" in text

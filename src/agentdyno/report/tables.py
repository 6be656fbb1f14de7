"""How tables of figures are laid out, on a terminal and in Markdown."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

MISSING = "–"
"""What stands where there is no figure."""

WIDEST = 1000


def table(title: str, headings: Sequence[str]) -> Table:
    """An empty table for a terminal: the first column holds names, the others figures."""
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for number, heading in enumerate(headings):
        made.add_column(heading, justify="right" if number else "left", no_wrap=True)
    return made


def show(console: Console, made: Table) -> None:
    """Print a table behind an empty line, never narrower than its figures."""
    console.print()
    # A line that the terminal wraps can be read; a figure that is cut to its width cannot.
    made.width = console.measure(made, options=console.options.update(max_width=WIDEST)).maximum
    console.print(made, crop=False)


def github(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a GitHub table: verifier, agents and runtime, and a column for each of `headings`."""
    rule = ["---", "---:", "---", *["---:"] * len(headings)]
    every = [["verifier", "agents", "runtime", *headings], rule, *lines]
    return [f"| {' | '.join(line)} |" for line in every]

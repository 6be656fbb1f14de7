"""How tables of figures are laid out, on a terminal, in a pipe and in Markdown."""

import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agentdyno.format import INVALID

BEST = "*"
"""The mark of the best, which is there in a pipe and without colours as well."""

IN_A_PIPE = 100
"""So many columns has what is no terminal, unless COLUMNS says otherwise."""

NARROWEST = 40
"""Nothing is laid out for fewer columns."""

WIDEST = 1000


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; where it had to be left out, it is spoken of by its name."""

    name: str
    heading: str
    cells: list[str]

    @property
    def width(self) -> int:
        """In characters, of its widest line."""
        return max(len(line) for cell in (self.heading, *self.cells) for line in cell.split("\n"))


def console(*, stderr: bool = False) -> Console:
    """Where people read: on a terminal as wide as it is, and styled as far as NO_COLOR allows."""
    made = Console(markup=False, highlight=False, stderr=stderr)
    if not made.is_terminal and not os.environ.get("COLUMNS", "").isdigit():
        made.width = IN_A_PIPE
    return made


def room(console: Console) -> int:
    """How many characters a line has."""
    return max(console.width, NARROWEST)


def say(console: Console, line: str, style: str | None = None) -> None:
    """Print a sentence: wrapped on a terminal, in one line elsewhere, so that grep finds it whole."""
    _print(console, _wrapped(console, line) if console.is_terminal else line, style)


def _wrapped(console: Console, line: str) -> str:
    return textwrap.fill(line, room(console), subsequent_indent="  ", break_on_hyphens=False)


def _print(console: Console, text: str, style: str | None) -> None:
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def table(title: str, headings: Sequence[str]) -> Table:
    """An empty table: the first column holds names, the others figures."""
    made = Table(title=title, box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for number, heading in enumerate(headings):
        made.add_column(heading, justify="right" if number else "left", no_wrap=True)
    return made


def show(console: Console, made: Table) -> None:
    """Print a table behind an empty line, never narrower than its figures."""
    console.print()
    _print(console, _wrapped(console, str(made.title)), "bold")
    made.title = None
    # A line that the terminal wraps can be read; a figure that is cut to its width cannot.
    made.width = console.measure(made, options=console.options.update(max_width=WIDEST)).maximum
    console.print(made, crop=False)


def show_columns(
    console: Console, title: str, columns: Sequence[Column], goes_first: Sequence[str]
) -> list[Column]:
    """Print a table of those columns that there is room for, and which there is none for; returns those
    that are shown.

    Cells with INVALID are struck, and cells with BEST stand out.
    """
    width = room(console)
    shown = fitting(columns, goes_first, width)
    made = table(title, [column.heading for column in shown])
    for cells in zip(*(column.cells for column in shown), strict=True):
        made.add_row(*map(_styled, cells))
    show(console, made)
    names = [column.name for column in shown]
    if left_out := [column.name for column in columns if column.name not in names]:
        say(console, f"no room in {width} columns for {', '.join(left_out)}: --json has them")
    return shown


def _styled(cell: str) -> Text:
    if cell.endswith(INVALID):
        return Text.assemble((cell.removesuffix(INVALID), "strike"), INVALID)
    return Text(cell, style="bold green" if cell.endswith(BEST) else "")


def marked(cells: Sequence[str], marks: Sequence[str]) -> list[str]:
    """Each cell with its mark, or with room for one where another cell of the column has one."""
    if not any(marks):
        return list(cells)
    return [f"{cell}{mark or ' '}" for cell, mark in zip(cells, marks, strict=True)]


def fitting(columns: Sequence[Column], goes_first: Sequence[str], width: int) -> list[Column]:
    """Those that fit into a line of `width` characters.

    The columns that `goes_first` names are left out one after the other until the line fits. Where it does
    not even then, the names in the first column go on in a second line.
    """
    shown = list(columns)
    for name in goes_first:
        if _width(shown) <= width:
            break
        shown = [column for column in shown if column.name != name]
    names, *figures = shown
    spare = max(1, width - _width(figures) - 1)
    if names.width <= spare:
        return shown
    return [replace(names, cells=["\n".join(textwrap.wrap(cell, spare)) for cell in names.cells]), *figures]


def _width(columns: Sequence[Column]) -> int:
    return sum(column.width + 1 for column in columns) - 1

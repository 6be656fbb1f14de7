"""`agentdyno cost`: how many machines, and how much money, the tasks of each row would take."""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from agentdyno.analysis.cost import USED, Machine, Needs, Price, needs, price
from agentdyno.errors import UserError
from agentdyno.format import MISSING, figure
from agentdyno.options import above_0, add_folder
from agentdyno.report.tables import console, say, show, table
from agentdyno.results.experiment import open_experiment
from agentdyno.results.summary import Row

NEEDS = (
    "agents\nper GiB",
    "with\ntests",
    "CPU-s per\n1,000 tasks",
    "with\ntools",
    "tasks\nper hour",
    "hours per\n1M tasks",
)
PRICES = ("agents\nthat fit", "tasks/s by\nmemory", "tasks/s by\nCPU", "\nbinds", "$ per\n1M tasks")

MEASURED = (
    "Memory is taken as linear in agents, which holds best near the number that was measured. Tasks per "
    "hour and hours are those of the machine and the profile that were measured."
)
PRICED = (
    "The model is elsewhere and not paid here. Memory is taken with the test processes, and all of the "
    "machine's can be used. Processor time per task is as measured, and 100% of the processors can be used. "
    "A task takes as long as it took when measured, without its wait for a verification slot."
)


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of the summary with what it comes to; `missing` names the metrics it would have taken."""

    runtime: str
    agents: int
    verifier: str
    profile: str
    valid: bool
    needs: Needs
    price: Price | None
    missing: list[str]

    @property
    def name(self) -> str:
        return f"{self.runtime}, {self.agents} agents, verifier {self.verifier}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cost`."""
    add_folder(parser)
    for option, metavar, meaning in (
        ("--price-per-hour", "X", "dollars that an hour of a machine costs; needs --vcpus and --gib"),
        ("--vcpus", "N", "processors of that machine"),
        ("--gib", "N", "its memory"),
    ):
        parser.add_argument(option, type=above_0(option), metavar=metavar, help=meaning)
    parser.add_argument("--json", action="store_true", help="print JSON rather than tables")


def run(arguments: argparse.Namespace) -> int:
    """Print what the rows come to, and return 0."""
    machine = _machine(arguments)
    lines = _lines(arguments.folder, machine)
    if arguments.json:
        document = {"machine": machine and asdict(machine), "rows": [asdict(line) for line in lines]}
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return 0
    printed = console()
    for verifier in dict.fromkeys(line.verifier for line in lines):
        its = [line for line in lines if line.verifier == verifier]
        show(printed, _table(f"what tasks take, verifier {verifier}", NEEDS, its, _needs_cells))
        if machine is not None:
            title = (
                f"on {machine.vcpus:g} vCPUs and {machine.gib:g} GiB at ${machine.price_per_hour:g} an hour"
            )
            show(printed, _table(f"{title}, verifier {verifier}", PRICES, its, _price_cells))
    for assumption in (MEASURED,) if machine is None else (MEASURED, PRICED):
        printed.print(f"\n{assumption}")
    printed.print()
    for complaint in _complaints(lines):
        say(printed, complaint)
    return 0


def _machine(arguments: argparse.Namespace) -> Machine | None:
    given = (arguments.price_per_hour, arguments.vcpus, arguments.gib)
    if all(value is None for value in given):
        return None
    if any(value is None for value in given):
        raise UserError(
            "cost: a price takes --price-per-hour, --vcpus and --gib together, as in "
            "--price-per-hour 0.17 --vcpus 4 --gib 8"
        )
    return Machine(*given)


def _lines(folder: Path, machine: Machine | None) -> list[_Line]:
    return [_line(row, machine) for row in open_experiment(folder).rows]


def _line(row: Row, machine: Machine | None) -> _Line:
    figures = {name: row.metrics[name].median for name in USED}
    agents = row.cell.agents
    return _Line(
        runtime=row.cell.runtime,
        agents=agents,
        verifier=row.cell.verifier,
        profile=row.cell.profile,
        valid=all(row.has_valid(name) for name in USED),
        needs=needs(agents, figures),
        price=None if machine is None else price(agents, figures, machine),
        missing=[name for name, value in figures.items() if value is None],
    )


def _table(
    title: str, headings: Sequence[str], lines: Sequence[_Line], cells: Callable[[_Line], list[str]]
) -> Table:
    made = table(title, ["runtime\n", "agents\n", *headings])
    for line in lines:
        made.add_row(line.runtime, f"{line.agents:,}", *cells(line), style=None if line.valid else "strike")
    return made


def _needs_cells(line: _Line) -> list[str]:
    return [figure(value) for value in asdict(line.needs).values()]


def _price_cells(line: _Line) -> list[str]:
    assert line.price is not None
    return [value if isinstance(value, str) else figure(value) for value in asdict(line.price).values()]


def _complaints(lines: Sequence[_Line]) -> list[str]:
    """What stands against rows, and why figures are missing."""
    return [
        *(f"INVALID {line.name}: agentdyno run said why" for line in lines if not line.valid),
        *(
            f"{MISSING} {line.name}: its runs have no {', '.join(line.missing)}"
            for line in lines
            if line.missing
        ),
        *(
            f"{MISSING} {line.name}: not one agent fits"
            for line in lines
            if line.price is not None and line.price.agents_that_fit == 0
        ),
    ]

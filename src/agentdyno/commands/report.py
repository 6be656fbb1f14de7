"""`agentdyno report`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.files import write_bytes, write_text
from agentdyno.options import add_folder
from agentdyno.report.figures import Figure, Theme, figures, png, svg
from agentdyno.report.page.document import document
from agentdyno.results.experiment import open_experiment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `report`."""
    add_folder(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="where the page goes (default: report.html in DIR)",
    )
    parser.add_argument(
        "--figures",
        type=Path,
        metavar="FOLDER",
        help="write each figure as SVG and PNG there as well, for a paper or a slide",
    )
    parser.add_argument(
        "--run",
        metavar="NAME",
        help="the run whose agents are shown over time, by its folder's name below DIR/runs (default: a "
        "median one)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the page, say where it is, and return 0."""
    experiment = open_experiment(arguments.folder)
    drawn = list(figures(experiment, arguments.run))
    if arguments.figures is not None:
        _export(drawn, arguments.figures)
    output: Path = arguments.output or experiment.folder / "report.html"
    write_text(output, document(experiment, drawn))
    print(output)
    return 0


def _export(drawn: Sequence[Figure], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"--figures {folder}: no folder can be made there ({error.strerror}); choose another"
        ) from None
    for figure in drawn:
        write_text(folder / f"{figure.name}.svg", svg(figure, Theme.PAPER))
        write_bytes(folder / f"{figure.name}.png", png(figure))

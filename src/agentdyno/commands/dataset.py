"""`agentdyno dataset`: task files made, and tests tried."""

import argparse
from pathlib import Path

from agentdyno.errors import UserError
from agentdyno.options import whole
from agentdyno.tasks import humaneval
from agentdyno.tasks.load import load
from agentdyno.tasks.strength import Strength, difference, strength


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `agentdyno dataset`."""
    what = parser.add_subparsers(dest="dataset", required=True, metavar="humaneval | strength")

    make = what.add_parser("humaneval", help="make a task file from the official HumanEval file")
    make.add_argument(
        "--limit",
        type=whole("--limit", 1),
        default=100,
        metavar="N",
        help="take the first N problems (default: 100)",
    )
    make.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PATH",
        help="the task file to write (default: dataset/humaneval_N.json; runs look for N = 100)",
    )
    make.add_argument(
        "--file",
        type=Path,
        metavar="PATH",
        help="read this HumanEval.jsonl or HumanEval.jsonl.gz instead of downloading the official one",
    )

    try_out = what.add_parser("strength", help="how many mutants of the references the tests notice")
    try_out.add_argument(
        "source", nargs="?", default="builtin", help="builtin (default), humaneval or the path of a dataset"
    )
    try_out.add_argument(
        "--task", metavar="NAME", help="only this task id or entry point; also show survivors"
    )


def run(args: argparse.Namespace) -> int:
    """Do what `agentdyno dataset` was asked to; returns the exit status, or raises UserError."""
    if args.dataset == "humaneval":
        make_humaneval(args.limit, args.output, args.file)
    else:
        show_strength(args.source, args.task)
    return 0


def make_humaneval(limit: int, output: Path | None, file: Path | None) -> None:
    """Write the first `limit` HumanEval problems of `file`, or else of the official file, to `output`."""
    source = humaneval.fetch() if file is None else file
    output = output or Path("dataset", f"humaneval_{limit}.json")
    tasks = humaneval.convert(source, limit)
    humaneval.write(output, tasks, source, humaneval.URL if file is None else None)
    print(f"{output}: {limit} tasks")


def show_strength(source: str, name: str | None) -> None:
    """Print for each task of `source`, or the one called `name`, the share of mutants its tests notice."""
    tasks = load(source, None)
    if name is not None:
        tasks = [task for task in tasks if name in (task.task_id, task.entry_point)]
        if not tasks:
            raise UserError(f"{source}: has no task {name!r}; give a task id or an entry point")
    measured: list[Strength] = []
    for task in tasks:
        result = strength(task)
        measured.append(result)
        killed = result.mutants - len(result.survivors)
        print(f"{result.share:6.1%}  {killed:4} of {result.mutants:4}  {task.task_id}  {task.entry_point}")
        if name is not None and task.reference is not None:
            for survivor in result.survivors:
                print(f"        survives: {difference(task.reference, survivor)}")
    if len(measured) == 1:
        return
    survivors = tuple(survivor for result in measured for survivor in result.survivors)
    total = Strength(source, "", sum(result.mutants for result in measured), survivors)
    lowest = min(measured, key=lambda result: result.share)
    print(f"{total.share:6.1%}  {total.mutants - len(survivors)} of {total.mutants} mutants noticed")
    print(f"{lowest.share:6.1%}  is the lowest share: {lowest.task_id}")

"""The results of a suite as people read them: a line for every rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agentdyno.conformance.rules import RULES, Rule
from agentdyno.conformance.suite import BROKEN, KEPT, NOT_TRIED, Played, Result

SHOWN = 3
"""How many broken cases of one rule are shown; all are in the JSON output."""

SLOWEST = 10
"""How many cases are shown with the time they took."""

STYLES = {KEPT: "green", BROKEN: "bold red", NOT_TRIED: "yellow"}


@dataclass(frozen=True, slots=True)
class Runtime:
    """All cases that were played against one runtime, and how many seconds they took side by side."""

    played: Sequence[Played]
    seconds: float

    @property
    def results(self) -> list[Result]:
        """What the cases say of the rules."""
        return [result for case in self.played for result in case.results]


@dataclass(frozen=True, slots=True)
class Line:
    """What all cases together say of one rule."""

    rule: Rule
    result: str
    kept: int
    tried: int
    evidence: list[str]


def lines(results: Sequence[Result]) -> list[Line]:
    """One line for every rule that anything is known of, in the order of the contract."""
    known: dict[str, list[Result]] = {}
    for result in results:
        known.setdefault(result.rule, []).append(result)
    return [_line(rule, known[rule.name]) for rule in RULES if rule.name in known]


def _line(rule: Rule, results: Sequence[Result]) -> Line:
    tried = [result for result in results if result.result != NOT_TRIED]
    broken = [result for result in tried if result.result == BROKEN]
    if broken:
        evidence = [f"{result.case}: {result.evidence}" for result in broken]
        return Line(rule, BROKEN, len(tried) - len(broken), len(tried), evidence)
    if not tried:
        return Line(rule, NOT_TRIED, 0, 0, sorted({result.evidence for result in results}))
    return Line(rule, KEPT, len(tried), len(tried), [_sample(rule, tried)])


def _sample(rule: Rule, results: Sequence[Result]) -> str:
    """The evidence of the rule's own first case, else of any."""
    own = next((result for result in results if result.case.startswith(f"{rule.name}/")), results[0])
    return own.evidence


def show(console: Console, name: str, runtime: Runtime) -> None:
    """Print the table and its last line, the count."""
    table = Table(title=f"{name}: CONTRACT.md, rule by rule", title_justify="left", box=None, pad_edge=False)
    table.add_column("rule", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("cases", justify="right", no_wrap=True)
    table.add_column("evidence", overflow="fold")
    found = lines(runtime.results)
    for line in found:
        more = len(line.evidence) - SHOWN
        shown = "\n".join(line.evidence[:SHOWN] + [f"and {more} more"] * (more > 0))
        table.add_row(
            line.rule.name,
            Text(line.result, style=STYLES[line.result]),
            f"{line.kept}/{line.tried}",
            Text(shown),
        )
    console.print(table)
    counts = {result: sum(line.result == result for line in found) for result in STYLES}
    console.print(
        f"{name}: {counts[KEPT]} rules kept, {counts[BROKEN]} broken, {counts[NOT_TRIED]} not tried; "
        f"{len(runtime.played)} cases in {runtime.seconds:.0f} s",
        highlight=False,
    )


def show_together(console: Console, played: Mapping[str, Runtime]) -> None:
    """Print how many rules of each section of the contract each runtime keeps, of those that were tried, and
    how long its cases took.
    """
    found = {name: lines(runtime.results) for name, runtime in played.items()}
    tried = {line.rule.section for some in found.values() for line in some}
    sections = [section for section in dict.fromkeys(rule.section for rule in RULES) if section in tried]
    table = Table(title="rules kept, by section", title_justify="left", box=None, pad_edge=False)
    table.add_column("runtime", vertical="bottom", no_wrap=True)
    for heading in (*sections, "all", "s"):
        # A word a line: ten runtimes and all sections then fit 80 columns.
        table.add_column("\n".join(heading.split()), justify="right", vertical="bottom", no_wrap=True)
    for name, some in found.items():
        of_sections = [[line for line in some if line.rule.section == section] for section in sections]
        table.add_row(name, *map(_kept, of_sections), _kept(some), f"{played[name].seconds:.0f}")
    console.print(table)
    _show_broken(console, found)


def show_durations(console: Console, played: Mapping[str, Runtime]) -> None:
    """Print the slowest cases, each with its time, in which others were played beside it."""
    every = [case for runtime in played.values() for case in runtime.played]
    table = Table(title="slowest cases", title_justify="left", box=None, pad_edge=False)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("runtime", no_wrap=True)
    table.add_column("case", overflow="fold")
    for case in sorted(every, key=lambda case: -case.seconds)[:SLOWEST]:
        table.add_row(f"{case.seconds:.1f}", case.runtime, case.case)
    console.print(table)


def _show_broken(console: Console, found: Mapping[str, Sequence[Line]]) -> None:
    """Print once more what was broken, last of all: with ten tables it is a long way up to any of them."""
    for runtime, some in found.items():
        for line in some:
            if line.result == BROKEN:
                console.print(Text(f"{runtime} breaks {line.rule.name}: {line.evidence[0]}", STYLES[BROKEN]))


def _kept(some: Sequence[Line]) -> Text:
    tried = [line for line in some if line.result != NOT_TRIED]
    kept = sum(line.result == KEPT for line in tried)
    return Text(f"{kept}/{len(tried)}", style=STYLES[KEPT if kept == len(tried) else BROKEN])

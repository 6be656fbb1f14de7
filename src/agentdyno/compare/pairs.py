"""Which row of NEW is to be compared with which of BASE, and what changed between them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import comb

from agentdyno.compare.change import Change, paired, unpaired
from agentdyno.errors import UserError
from agentdyno.results.experiment import Experiment
from agentdyno.results.groups import controls, group
from agentdyno.results.summary import Row
from agentdyno.rundata.cell import Cell


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of BASE, the row of NEW that was measured alike, and the change of each metric."""

    base: Row
    new: Row
    changes: dict[str, Change]

    @property
    def name(self) -> str:
        """Both runtimes where they are two, and what they have in common."""
        base, new = self.base.cell, self.new.cell
        return described(new) if base.runtime == new.runtime else f"{base.runtime} → {described(new)}"

    @property
    def of_new(self) -> str:
        """What NEW's figures are kept under from one commit to the next."""
        return f"{described(self.new.cell)}, profile {self.new.cell.profile}"

    def unlike(self, metric: str) -> bool:
        """Whether the two rows were measured by different methods, whose figures are not to be mixed."""
        return self.base.methods.get(metric) != self.new.methods.get(metric)


@dataclass(frozen=True, slots=True)
class Pairing:
    """All pairs, and the rows that have no other: `gone` are only in BASE, `added` only in NEW."""

    pairs: list[Pair]
    gone: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def described(cell: Cell) -> str:
    """A row as it is named in a line."""
    return f"{cell.runtime}, {cell.agents} agents, verifier {cell.verifier}"


def within(experiment: Experiment, base: str, new: str) -> Pairing:
    """Two runtimes of one experiment, paired by block."""
    rows = experiment.summary.rows
    names = list(dict.fromkeys(row.cell.runtime for row in rows))
    for name in (base, new):
        if name not in names:
            raise UserError(f"{experiment.path}: no runtime {name} in it; there are {', '.join(names)}")
    if base == new:
        raise UserError(f"{base} is both BASE and NEW; name two runtimes of {', '.join(names)}")

    def changes(of: Row, to: Row) -> dict[str, Change]:
        return {
            metric: paired(
                metric,
                experiment.by_block(of.cell, metric),
                experiment.by_block(to.cell, metric),
                (its := group(experiment, to.cell, metric, of.cell, to.cell)).differences.get(
                    (to.cell, of.cell)
                ),
                comparisons=comb(max(len(its.rows), 2), 2),
            )
            for metric in to.metrics
        }

    base_rows, new_rows = ([row for row in rows if row.cell.runtime == name] for name in (base, new))
    found = _pairing(base_rows, new_rows, _conditions, changes)
    if found.pairs:
        return found
    raise _nothing_in_common(base_rows, new_rows)


def across(base: Experiment, new: Experiment, runtimes: Sequence[str]) -> Pairing:
    """Rows of two experiments, only those of `runtimes` where any are named."""
    base_rows, new_rows = _chosen(base, runtimes), _chosen(new, runtimes)
    for name in runtimes:
        if name not in _runtimes([*base_rows, *new_rows]):
            raise UserError(f"--runtimes {name}: no such runtime in {base.path} or {new.path}")
    compared = max(len(new_rows), 1)

    def changes(of: Row, to: Row) -> dict[str, Change]:
        return {
            metric: unpaired(
                metric,
                of.metrics[metric].values,
                its.values,
                [*controls(base, of.cell, metric), *controls(new, to.cell, metric)],
                comparisons=compared,
            )
            for metric, its in to.metrics.items()
        }

    found = _pairing(base_rows, new_rows, _whole, changes)
    if found.pairs:
        return found
    base_names, new_names = _runtimes(base_rows), _runtimes(new_rows)
    if len(base_names) == len(new_names) == 1 and base_names != new_names:
        found = _pairing(base_rows, new_rows, _conditions, changes)
        if found.pairs:
            remark = f"{new_names[0]} is compared with {base_names[0]}: each experiment has one runtime"
            return Pairing(found.pairs, found.gone, found.added, [remark])
    raise _nothing_in_common(base_rows, new_rows)


def _nothing_in_common(base: Sequence[Row], new: Sequence[Row]) -> UserError:
    return UserError(
        f"BASE and NEW have no row in common: BASE has {_list(base)}; NEW has {_list(new)}; measure the same "
        "runtimes with the same --agents and --verifier"
    )


def _pairing(
    base: Sequence[Row],
    new: Sequence[Row],
    key: Callable[[Cell], tuple[object, ...]],
    changes: Callable[[Row, Row], dict[str, Change]],
) -> Pairing:
    of = {key(row.cell): row for row in base}
    to = {key(row.cell): row for row in new}
    return Pairing(
        [Pair(of[at], row, changes(of[at], row)) for at, row in to.items() if at in of],
        gone=[described(row.cell) for at, row in of.items() if at not in to],
        added=[described(row.cell) for at, row in to.items() if at not in of],
    )


# One experiment has one profile, which `comparable` looks at.
def _conditions(cell: Cell) -> tuple[object, ...]:
    return cell.agents, cell.verifier


def _whole(cell: Cell) -> tuple[object, ...]:
    return cell.runtime, *_conditions(cell)


def _chosen(experiment: Experiment, runtimes: Sequence[str]) -> list[Row]:
    return [row for row in experiment.summary.rows if not runtimes or row.cell.runtime in runtimes]


def _runtimes(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row.cell.runtime for row in rows))


def _list(rows: Sequence[Row]) -> str:
    return " and ".join(described(row.cell) for row in rows) or "none"

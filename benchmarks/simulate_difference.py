"""How often does the rule of difference claim what is not so, and how often does it find what is?

Run as `.venv/bin/python benchmarks/simulate_difference.py` (some minutes). Rows have known noise, that of
published results: memory 0.1 to 4% from row to row, processor time 8%, overhead 25%.
Whole blocks differ by 8%, and 5% of runs are slowed 1.5 to 3 times. Printed is the share of experiments in
which some equal row is called different, and in which a true ratio is found. The test of the rule
(tests/analysis/test_difference.py) holds it to the first.
"""

import math

import numpy

from agentdyno.analysis.difference import Answer, Control, Group, compare_rows

ROWS = 10
BLOCK_EFFECT = 0.08
SLOWED_SHARE = 0.05
NOISE = {"memory": (0.001, 0.04), "processor time": (0.08, 0.08), "overhead": (0.25, 0.25)}
"""Standard deviations of the logarithm, between which each row's own is drawn."""

TRUE_RATIO = {"memory": 1.05, "processor time": 1.3, "overhead": 2.0}
BLOCKS = (3, 5, 10)
EXPERIMENTS = 1000

Figures = dict[int, float | None]


def simulated(
    draw: numpy.random.Generator, metric: str, blocks: int, ratio: float = 1.0, rows: int = ROWS
) -> tuple[dict[int, Figures], Control]:
    """Equal rows, of which the second is `ratio` times the others, and an A/A control of the first."""
    low, high = NOISE[metric]
    effect = draw.normal(0, BLOCK_EFFECT, blocks)
    found: list[Figures] = []
    for row in range(rows + 1):
        own = math.exp(draw.uniform(math.log(low), math.log(high)))
        logs = effect + draw.normal(0, own, blocks) + (math.log(ratio) if row == 1 else 0)
        if metric != "memory":
            slowed = draw.random(blocks) < SLOWED_SHARE
            logs += numpy.where(slowed, numpy.log(draw.uniform(1.5, 3, blocks)), 0)
        found.append({block: float(math.exp(value)) for block, value in enumerate(logs, start=1)})
    return dict(enumerate(found[:rows])), Control(found[0], found[rows])


def claims(found: Group[int]) -> bool:
    """Whether any row is called different from another."""
    return any(each.answer in (Answer.LESS, Answer.MORE) for each in found.differences.values())


def wrong_share(metric: str, blocks: int, rows: int, experiments: int, seed: int) -> float:
    """In what share of experiments with equal rows a difference is claimed."""
    draw = numpy.random.default_rng(seed)
    made = (compare_rows(*simulated(draw, metric, blocks, rows=rows)) for _ in range(experiments))
    return sum(map(claims, made)) / experiments


def found_share(metric: str, blocks: int, experiments: int, seed: int) -> float:
    """In what share of experiments the row that differs is told from an equal one."""
    draw = numpy.random.default_rng(seed)
    made = (compare_rows(*simulated(draw, metric, blocks, TRUE_RATIO[metric])) for _ in range(experiments))
    return sum(group.differences[1, 0].answer is Answer.MORE for group in made) / experiments


def main() -> None:
    """Print a line for each metric."""
    print(f"{'':24}" + "".join(f"{blocks:>4} blocks" for blocks in BLOCKS))
    for metric in NOISE:
        for rows in (ROWS, 25):
            shares = (wrong_share(metric, blocks, rows, EXPERIMENTS, seed=blocks) for blocks in BLOCKS)
            print(f"{f'{metric}, {rows} equal rows':26}" + "".join(f"{share:>9.1%} " for share in shares))
        shares = (found_share(metric, blocks, EXPERIMENTS, seed=blocks) for blocks in BLOCKS)
        print(
            f"{f'{metric}, ×{TRUE_RATIO[metric]:.2f} found':26}"
            + "".join(f"{share:>9.1%} " for share in shares)
        )


if __name__ == "__main__":
    main()

"""How often does a threshold fail a build? Run as `.venv/bin/python benchmarks/threshold_errors.py`.

Runs are drawn whose noise is known: a factor with a log-normal distribution, by 5% or 10% in two cases of
three. BASE and NEW differ by nothing, by 10% or by 20%, and the threshold is +5%. Printed is in how many of a
hundred cases it is exceeded, for runs of two experiments and for pairs within one.
"""

import random

from agentdyno.analysis.difference import compare_rows
from agentdyno.compare.change import Change, paired, parse, unpaired

METRIC = "cpu_s_per_task"
THRESHOLD = parse(f"{METRIC} > +5%")
TIMES = 1000


def main() -> None:
    """Print a line for each noise and change."""
    counts = (1, 3, 5, 10)
    print("noise change " + " ".join(f"{count:>9}" for count in counts) + "  runs (two experiments, one)")
    for noise in (0.05, 0.1):
        for change in (1.0, 1.1, 1.2):
            shares = (
                f"{exceeded(n, noise, change, False):4.0%} {exceeded(n, noise, change, True):4.0%}"
                for n in counts
            )
            print(f"{noise:>5.0%} {change - 1:>6.0%} " + " ".join(shares))


def exceeded(runs: int, noise: float, change: float, in_pairs: bool) -> float:
    """In what share of the cases so many runs exceed the threshold."""
    draw = random.Random(0)

    def measured(middle: float) -> dict[int, float | None]:
        return {block: middle * draw.lognormvariate(0, noise) for block in range(runs)}

    def compared() -> Change:
        base, new = measured(1), measured(change)
        if in_pairs:
            found = compare_rows({"base": base, "new": new}).differences["new", "base"]
            return paired(METRIC, base, new, found)
        return unpaired(METRIC, list(base.values()), list(new.values()), [])

    return sum(THRESHOLD.is_exceeded_by(compared()) for _ in range(TIMES)) / TIMES


if __name__ == "__main__":
    main()

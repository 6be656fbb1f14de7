"""A distribution over several runs."""

from collections.abc import Sequence

import numpy

STEPS = 200
"""From the least to the most; the percentiles of the summary are each a multiple of one step."""


def quantiles(runs: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Values, and the share of samples that are no larger, from 0 to 1.

    A value is the median over the runs of each run's own quantile (Hyndman and Fan's type 7), as the
    percentiles of the summary are, which therefore lie on this curve: the run is the replicate, not the
    sample. Each run must have samples.
    """
    shares = numpy.linspace(0, 1, STEPS + 1)
    values = numpy.median([numpy.quantile(samples, shares) for samples in runs], axis=0)
    return list(zip(values.tolist(), shares.tolist(), strict=True))

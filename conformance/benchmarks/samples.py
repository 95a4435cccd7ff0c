"""What is made of samples: median and quartiles, never a mean; ratios of medians, with intervals by bootstrap."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Samples = Sequence[float]
Interval = tuple[float, float]

#: Times that rounds are drawn anew for an interval.
RESAMPLES = 1_000
#: The share of the drawn values that lies in an interval.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Summary:
    """The middle of some samples, and its half.

    Args:
        median: Half of them are below.
        q1: A quarter is below.
        q3: A quarter is above.
    """

    median: float
    q1: float
    q3: float


def summary(samples: Samples) -> Summary:
    """Return median and quartiles; a quartile is the median of the half on its side (Tukey's hinges).

    Raises:
        ValueError: There are no samples.
    """
    if not samples:
        raise ValueError("there are no samples to summarise")
    ordered = sorted(samples)
    half = (len(ordered) + 1) // 2  # with the middle one, where there is one
    return Summary(median(ordered), median(ordered[:half]), median(ordered[-half:]))


def ratio(samples: Samples, others: Samples) -> float:
    """Return by how much the median of `samples` is greater than that of `others`; infinity where that is zero."""
    below = median(others)
    return median(samples) / below if below else float("inf")


def interval(statistic: Callable[..., float], *columns: Samples, seed: int, resamples: int = RESAMPLES) -> Interval:
    """Return the percentile bootstrap interval of a statistic of rounds (Efron, 1979).

    Whole rounds are drawn, with the samples of all who took part in each: what slowed one round down did so for all of
    them, and stays together.

    Args:
        statistic: Called with as many lists of samples as there are columns.
        *columns: The samples of each who took part, round by round, all of the same length.
        seed: The same seed draws the same rounds.
        resamples: How often rounds are drawn.

    Raises:
        ValueError: There are no rounds, or the columns are of different length.
    """
    rounds = list(zip(*columns, strict=True))
    if not rounds:
        raise ValueError("there are no rounds to draw from")
    drawn = random.Random(seed)
    values = sorted(
        statistic(*(list(column) for column in zip(*drawn.choices(rounds, k=len(rounds)), strict=True)))
        for _ in range(resamples)
    )
    outside = round(resamples * (1 - CONFIDENCE) / 2)
    return values[outside], values[-1 - outside]

"""How a time grows with a length: its slope, and whether it is a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import linear_regression, median

from conformance.benchmarks.samples import Interval, Samples, interval

#: What the second half of the lengths may add, as a multiple of what the first half adds, and still be a line. A time
#: that grows with the square adds twice as much over lengths of one to five fifths.
LINE: Interval = (0.67, 1.5)


#: What a time may add over the lengths, as a share of it, and still be called flat.
FLAT = 0.25


@dataclass(frozen=True)
class Growth:
    """How the time of an operation grows.

    Args:
        lengths: At which it was measured.
        medians: Seconds at each.
        slope: Seconds for each more record: least squares through the medians.
        slope_interval: Of the slope, by bootstrap of the rounds.
        halves: What the second half of the lengths adds, as a multiple of what the first half adds.
        halves_interval: Of that, by bootstrap of the rounds.
        word: `linear`, `faster than linear`, `slower than linear`, `flat`, `shrinking`, or `unsettled`.
    """

    lengths: tuple[int, ...]
    medians: tuple[float, ...]
    slope: float
    slope_interval: Interval
    halves: float
    halves_interval: Interval
    word: str


def growth(samples: Mapping[int, Samples], seed: int) -> Growth:
    """Return how a time grows with a length.

    It is flat where the interval of the slope has a zero in it and what it may add is less than `FLAT` of the time, and
    shrinks where all of that interval is below zero. It is a line where the second half of the lengths adds as much as
    the first, by `LINE`, with certainty; where the interval lies outside, it is none; else the rounds do not settle it.

    Args:
        samples: The times at each length, round by round; an odd number of lengths, evenly spaced.
        seed: Of the bootstrap.

    Raises:
        ValueError: There are fewer than three lengths, an even number, or they are not evenly spaced.
    """
    lengths = tuple(sorted(samples))
    steps = {after - before for before, after in pairwise(lengths)}
    if len(lengths) < 3 or len(lengths) % 2 == 0 or len(steps) != 1:
        raise ValueError(f"growth needs an odd number of evenly spaced lengths, three or more, not {lengths}")

    def slope(*columns: Samples) -> float:
        return linear_regression(lengths, [median(column) for column in columns]).slope

    columns = [samples[length] for length in lengths]
    medians = tuple(median(column) for column in columns)
    around = interval(slope, *columns, seed=seed)
    halves = interval(_halves, *columns, seed=seed)
    word = _word(halves) if around[1] >= 0 else "shrinking"
    if around[0] <= 0 <= around[1]:
        adds = max(-around[0], around[1]) * (lengths[-1] - lengths[0])
        word = "flat" if adds <= FLAT * median(medians) else "unsettled"
    return Growth(lengths, medians, slope(*columns), around, _halves(*columns), halves, word)


def _halves(*columns: Sequence[float]) -> float:
    times = [median(column) for column in columns]
    middle = len(times) // 2
    first, second = times[middle] - times[0], times[-1] - times[middle]
    # A time that falls has halves as well; one that rises after it fell, or did not move, does so faster than any line.
    return second / first if first > 0 or first < 0 > second else float("inf")


def _word(halves: Interval) -> str:
    low, high = halves
    if low >= LINE[0] and high <= LINE[1]:
        return "linear"
    if low > LINE[1]:
        return "faster than linear"
    return "slower than linear" if high < LINE[0] else "unsettled"

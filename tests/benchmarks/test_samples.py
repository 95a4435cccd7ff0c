"""Medians, quartiles, ratios and their intervals."""

from __future__ import annotations

from statistics import median

import pytest

from conformance.benchmarks.samples import Summary, interval, ratio, summary


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([5.0], Summary(5, 5, 5)),
        ([4.0, 1.0], Summary(2.5, 1, 4)),
        ([3.0, 1.0, 2.0], Summary(2, 1.5, 2.5)),
        ([7.0, 1.0, 5.0, 3.0], Summary(4, 2, 6)),
        ([1.0, 2.0, 3.0, 4.0, 1000.0], Summary(3, 2, 4)),
    ],
)
def test_the_middle_of_samples(samples: list[float], expected: Summary) -> None:
    """Median and hinges are those of the ordered samples; one that is far out moves none of them."""
    assert summary(samples) == expected


def test_nothing_has_no_middle() -> None:
    """Without samples there is no summary, and no interval."""
    with pytest.raises(ValueError, match="no samples"):
        summary([])
    with pytest.raises(ValueError, match="no rounds"):
        interval(ratio, [], [], seed=0)


def test_a_ratio_is_that_of_medians() -> None:
    """The median of one divided by the median of the other; by zero it is infinite."""
    assert ratio([1.0, 6.0, 100.0], [1.0, 2.0, 3.0]) == 3.0
    assert ratio([1.0], [0.0]) == float("inf")


def test_an_interval_is_that_of_its_seed() -> None:
    """The same seed draws the same rounds, another one others; the statistic of all rounds lies inside."""
    samples = [float(n * n % 37) for n in range(31)]
    first = interval(lambda one: median(one), samples, seed=1)
    assert first == interval(lambda one: median(one), samples, seed=1)
    assert first != interval(lambda one: sum(one), samples, seed=2)
    assert first[0] <= median(samples) <= first[1]
    assert first[0] < first[1]


def test_drift_that_hits_all_widens_no_ratio() -> None:
    """Rounds are drawn whole: where one is always twice the other, so is every draw, however the rounds differ."""
    slow = [2.0 * n for n in range(1, 20)]
    fast = [1.0 * n for n in range(1, 20)]
    assert interval(ratio, slow, fast, seed=0) == (2.0, 2.0)


def test_columns_of_other_lengths_are_refused() -> None:
    """Samples that are not of the same rounds can't be drawn together."""
    with pytest.raises(ValueError, match="shorter"):
        interval(ratio, [1.0, 2.0], [1.0], seed=0)

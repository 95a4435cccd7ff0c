"""How a time grows with a length."""

from __future__ import annotations

import random

import pytest

from conformance.benchmarks.growth import growth

LENGTHS = (200, 400, 600, 800, 1_000)


def noisy(times: dict[int, float], noise: float, rounds: int = 15) -> dict[int, list[float]]:
    """Return samples around times, by so much of each."""
    drawn = random.Random(1)
    return {n: [time * (1 + drawn.uniform(-noise, noise)) for _ in range(rounds)] for n, time in times.items()}


@pytest.mark.parametrize(
    ("grows", "word"),
    [
        (lambda n: 1e-3 + 2e-6 * n, "linear"),
        (lambda n: 1e-3 + 2e-9 * n * n, "faster than linear"),
        (lambda n: 1e-3 + 2e-4 * (n - 199) ** 0.5, "slower than linear"),
        (lambda n: 1e-3, "flat"),
        (lambda n: 5e-3 - 4e-6 * n, "shrinking"),
        (lambda n: 5e-3 - 4e-9 * n * n, "shrinking"),
        (lambda n: 5e-3 - 1e-4 * (n - 199) ** 0.5, "shrinking"),
        (lambda n: 5e-3 - 3e-6 * n + 1e-3 * (n == 1_000), "shrinking"),
    ],
)
def test_how_a_time_grows(grows: object, word: str) -> None:
    """Times that are known functions of the length are called what they are, within a little noise."""
    assert callable(grows)
    found = growth(noisy({n: grows(n) for n in LENGTHS}, 0.004), seed=0)
    assert found.word == word


def test_the_slope_is_that_of_the_line() -> None:
    """The slope is in seconds for each record, and its interval is around it."""
    found = growth(noisy({n: 1e-3 + 2e-6 * n for n in LENGTHS}, 0.01), seed=0)
    assert found.slope == pytest.approx(2e-6, rel=0.05)
    assert found.slope_interval[0] < found.slope < found.slope_interval[1]
    assert found.lengths == LENGTHS


@pytest.mark.parametrize(
    ("times", "halves"),
    [((5, 4, 3, 2, 1), 1.0), ((9, 8, 7, 5, 3), 2.0), ((9, 7, 5, 4, 3), 0.5), ((5, 5, 5, 4, 3), None)],
)
def test_halves_of_a_time_that_shrinks(times: tuple[int, ...], halves: float | None) -> None:
    """What the second half takes away is a multiple of what the first does; infinity where that is nothing."""
    found = growth({length: [float(time)] * 5 for length, time in zip(LENGTHS, times, strict=True)}, seed=0)
    assert found.word == "shrinking"
    assert found.slope_interval[1] < 0
    assert found.halves == (float("inf") if halves is None else halves)


def test_a_time_that_turns_is_no_line() -> None:
    """What falls and then rises by more grows faster than a line; what rises and then falls by less grows slower."""
    for times, word in (((5, 4, 4, 8, 20), "faster than linear"), ((1, 5, 9, 9, 8), "slower than linear")):
        found = growth({length: [float(time)] * 5 for length, time in zip(LENGTHS, times, strict=True)}, seed=0)
        assert found.word == word


def test_noise_settles_nothing() -> None:
    """Where the noise is greater than what a line would add, nothing is said: neither flat nor linear."""
    assert growth(noisy(dict.fromkeys(LENGTHS, 1.0), 0.9, rounds=5), seed=0).word == "unsettled"


@pytest.mark.parametrize("lengths", [(1, 2), (1, 2, 3, 4), (1, 2, 4)])
def test_lengths_that_show_nothing_are_refused(lengths: tuple[int, ...]) -> None:
    """Too few lengths, an even number of them, and uneven steps are refused."""
    with pytest.raises(ValueError, match="odd number of evenly spaced lengths"):
        growth({n: [1.0, 2.0] for n in lengths}, seed=0)

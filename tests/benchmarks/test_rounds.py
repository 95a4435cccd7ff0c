"""Rounds in turns."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from conformance.benchmarks.rounds import MOST, Contestant, calibrated, interleaved


def costing(cost_ns: int, done: list[tuple[str, int]], name: str) -> Callable[[int], int]:
    """Return what claims to have taken so long for each operation, and notes its batches."""

    def perform(count: int) -> int:
        done.append((name, count))
        return count * cost_ns

    return perform


def test_all_take_turns() -> None:
    """After all are calibrated each does one batch in each round, in the same order: A, B, limit, A, B, limit."""
    done: list[tuple[str, int]] = []
    names = ("A", "B", "limit")
    contestants = [
        Contestant(name, costing(cost, done, name)) for name, cost in zip(names, (100, 300, 50), strict=True)
    ]
    outcomes = interleaved(contestants, rounds=4, target_ns=6_000)
    turns = done[-3 * 5 :]
    assert [name for name, _ in turns] == ["A", "B", "limit"] * 5
    assert {name: {count for n, count in turns if n == name} for name in names} == {
        "A": {60},
        "B": {20},
        "limit": {120},
    }
    assert not {name for name, _ in done[: -3 * 5][-4:]} - {"limit"}  # nobody's calibration falls into the turns
    assert [len(outcomes[name].totals) for name in names] == [4, 4, 4]
    assert outcomes["A"].samples() == pytest.approx([100e-9] * 4)
    assert outcomes["A"].samples(4) == pytest.approx([25e-9] * 4)


def test_the_first_round_warms_up() -> None:
    """What the first round took is in no sample."""
    times = iter([9_000, 10, 11, 12])
    outcomes = interleaved([Contestant("A", lambda _: next(times), batch=1)], rounds=3, target_ns=0)
    assert outcomes["A"].totals == [10, 11, 12]


def test_who_raises_takes_no_further_part() -> None:
    """An error in a round, or in the calibration, ends the part of one, and the others go on."""
    left = [4]

    def breaks(count: int) -> int:
        left[0] -= 1
        if not left[0]:
            raise OSError("the disk is full")
        return count

    def never(count: int) -> int:
        raise ValueError(f"no batch of {count}")

    contestants = [Contestant("A", breaks, 1), Contestant("B", lambda count: count, 1), Contestant("C", never)]
    outcomes = interleaved(contestants, rounds=5, target_ns=0)
    assert isinstance(outcomes["A"].error, OSError)
    assert isinstance(outcomes["C"].error, ValueError)
    assert outcomes["B"].error is None
    assert len(outcomes["B"].totals) == 5


def test_no_collection_falls_into_a_batch() -> None:
    """The collector of cycles is off while a batch is measured, and on again after."""
    seen: list[bool] = []

    def perform(count: int) -> int:
        seen.append(gc.isenabled())
        return count

    assert gc.isenabled()
    interleaved([Contestant("A", perform, 1)], rounds=2, target_ns=0)
    assert seen == [False] * 3
    assert gc.isenabled()


@pytest.mark.parametrize(("cost", "batch"), [(1, MOST), (100, 10_000), (1_000_000, 1), (400_000, 2)])
def test_a_batch_takes_about_its_time(cost: int, batch: int) -> None:
    """A batch has as many operations as fit, at least one, and not more than the most."""
    assert calibrated(lambda count: count * cost, 1_000_000) == batch


def test_a_slow_first_call_is_not_taken_for_the_cost() -> None:
    """What only the first call does, and what only the machine did, says nothing about the others."""
    times = iter([900_000_000, 1_000, 500_000_000])

    def perform(count: int) -> int:
        return next(times, count * 1_000)

    assert calibrated(perform, 1_000_000) == 1_000


def test_rounds_are_told() -> None:
    """Whoever waits is told the number of each round."""
    told: list[int] = []
    interleaved([Contestant("A", lambda count: count, 1)], 2, 0, told.append)
    assert told == [0, 1, 2]

"""Unique values: every checker says what the oracle says, and long histories are decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest

from conformance.histories.checkers.filters import check_filters
from conformance.histories.checkers.lookahead import check_lookahead
from conformance.histories.checkers.unique import check_unique, values_are_unique
from conformance.histories.checkers.zones import check_zones
from conformance.histories.operation import NEVER, Operation
from conformance.histories.verdict import Verdict
from tests.histories.oracle import Model, linearizable, register
from tests.histories.random_histories import FUZZ, Simulation, cas, delete, fuzzed, get, put, simulate

#: The fuzzing is split, so that several workers can share it.
PARTS = 8
MIXES: dict[str, dict[str, float]] = {
    "put": {},
    "delete": {"deletes": 0.15},
    "swap": {"swaps": 0.3, "reads": 0.4},
    "all": {"deletes": 0.1, "swaps": 0.3, "reads": 0.35},
}


@pytest.mark.parametrize("seed", range(PARTS))
def test_all_checkers_agree_with_the_oracle(seed: int) -> None:
    """On small histories no verdict of a checker differs from a search through every order."""
    for history, initial in fuzzed(seed, FUZZ // PARTS):
        fine = linearizable(history, Model(initial, register))
        zones = check_zones(history, initial)
        assert zones is None or zones.holds == fine, (history, initial, zones)
        if values_are_unique(history, initial):
            filters = check_filters(history, initial)
            assert filters is None or (filters.broken and not fine), (history, initial, filters)
        for verdict in (check_lookahead(history, initial), check_unique(history, initial)):
            assert verdict.answer == ("linearizable" if fine else "not linearizable"), (history, initial, verdict)


def test_witnesses_are_few_operations_of_the_history() -> None:
    """Zones and filters show one to four operations, in order, and a sentence; who sees what nobody wrote is alone."""
    for history, initial in fuzzed(PARTS, 2000):
        verdict = check_unique(history, initial)
        if verdict.broken and verdict.checker != "look-ahead":
            assert 1 <= len(verdict.witness) <= 4
            assert set(verdict.witness) <= set(history)
            assert len(verdict.witness) > 1 or "nobody wrote" in verdict.why or "swapped in a circle" in verdict.why
            assert list(verdict.witness) == sorted(verdict.witness)
            assert verdict.why


@pytest.mark.parametrize(
    ("history", "initial", "unique"),
    [
        ([], None, True),
        ([put(0, 1, 1), put(2, 3, 2), delete(4, 5), delete(6, 7)], None, True),
        ([put(0, 1, 1), put(2, 3, 1)], None, False),
        ([put(0, 1, 1), put(2, 3, 1, "fail")], None, True),
        ([put(0, 1, 1), cas(2, 3, 2, 1, answer=False)], None, True),
        ([put(0, 1, 1), cas(2, 3, 2, 1, answer=True)], None, False),
        ([put(0, 1, 1), cas(2, NEVER, 2, 1)], None, False),
        ([put(0, 1, None)], None, False),
        ([put(0, 1, 5)], 5, False),
        ([put(0, 1, 5)], None, True),
    ],
)
def test_which_values_are_unique(history: Sequence[Operation], initial: Any, *, unique: bool) -> None:
    """What was or may have been written counts, once and only once."""
    assert values_are_unique(history, initial) == unique


@pytest.mark.parametrize(
    ("history", "checker"),
    [
        ([put(0, 1, 1), get(2, 3, 1)], "zones"),
        ([put(0, 1, 1), delete(2, 3), get(4, 5, 1)], "filters"),
        ([put(0, 1, 1), delete(2, 3), get(4, 5, None)], "look-ahead"),
        ([put(0, 1, 1), put(2, 3, 1), get(4, 5, 1)], "look-ahead"),
    ],
)
def test_the_cheapest_checker_that_can_decides(history: Sequence[Operation], checker: str) -> None:
    """The verdict names it."""
    assert check_unique(history).checker == checker


def judged(mix: str, clients: int, *, seed: int, crash: float, bug: Literal["stale", "lost"] | None = None) -> Verdict:
    """Return the verdict on a simulated history of 3,000 operations."""
    rate = 0.0 if bug is None else 0.05
    more = MIXES[mix]
    return check_unique(simulate(Simulation(3000, clients, seed=seed, crash=crash, bug=bug, rate=rate, **more)))


@pytest.mark.parametrize("clients", [8, 16, 50])
@pytest.mark.parametrize("mix", MIXES)
def test_long_histories_are_decided(mix: str, clients: int) -> None:
    """A sound store passes, with crashes and without."""
    for crash in (0.0, 0.02):
        assert judged(mix, clients, seed=0, crash=crash).holds


@pytest.mark.parametrize("bug", ["stale", "lost"])
@pytest.mark.parametrize("mix", MIXES)
def test_long_histories_of_broken_stores_are_decided(mix: str, bug: Literal["stale", "lost"]) -> None:
    """A store that shows an old value, or loses a write, is found out."""
    assert judged(mix, 8, seed=1, crash=0.02, bug=bug).broken

"""Filters: what each finds, and that it finds nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conformance.histories.checkers.filters import check_filters
from conformance.histories.operation import NEVER, Operation
from tests.histories.random_histories import Simulation, cas, delete, get, put, simulate

BROKEN: list[tuple[Sequence[Operation], str, tuple[int, ...]]] = [
    (
        [put(0, 1, 1), delete(2, 3), get(4, 5, 1)],
        "delete('a') falls wholly inside the time when 1 must be current",
        (0, 1, 2),
    ),
    (
        [put(0, 1, 1), get(2, 3, None), get(4, 5, 1), delete(6, 7)],
        "get('a') -> missing falls wholly inside the time when 1 must be current",
        (0, 1, 2),
    ),
    (
        [delete(0, 1), put(2, 3, 1), get(4, 5, None)],
        "no delete can come between put('a', 1) and get('a') -> missing",
        (1, 2),
    ),
    (
        [put(0, 1, 1), cas(2, 3, None, 2, answer=True), delete(4, 5)],
        "no delete can come between put('a', 1) and cas('a', None to 2) -> True",
        (0, 1),
    ),
    (
        [put(0, 1, 1), cas(2, 3, 1, 2, answer=False), get(4, 5, 1)],
        "cas('a', 1 to 2) -> False was refused inside the time when what it expected must be current",
        (0, 1, 2),
    ),
    (
        [cas(0, 1, None, 1, answer=False), get(2, 3, None)],
        "cas('a', None to 1) -> False was refused inside the time when what it expected must be current",
        (0, 1),
    ),
    (
        [delete(0, 1), put(2, 3, 1), put(4, 5, 2), get(6, 7, 1)],
        "2 falls wholly inside the time when 1 must be current",
        (1, 2, 3),
    ),
]


@pytest.mark.parametrize(("history", "why", "witness"), BROKEN, ids=[case[1] for case in BROKEN])
def test_a_violation_is_shown(history: Sequence[Operation], why: str, witness: tuple[int, ...]) -> None:
    """The reason is one sentence, and the witness the few operations that show it, in the order of their calls."""
    verdict = check_filters(history)
    assert verdict is not None
    assert verdict.broken
    assert (verdict.why, verdict.key, verdict.checker) == (why, "a", "filters")
    assert verdict.witness == tuple(history[place] for place in witness)


@pytest.mark.parametrize(
    "history",
    [
        [],
        [delete(0, NEVER, "info"), put(1, 2, 1), get(3, 4, None)],
        [delete(0, 3), put(1, 2, 1), get(4, 5, None)],
        [put(0, 1, 1), put(2, NEVER, 2, "info"), cas(3, 4, 1, 3, answer=False)],
        [put(0, 1, 1), delete(2, 5), cas(3, 4, None, 2, answer=False), get(6, 7, None)],
    ],
    ids=str,
)
def test_what_is_linearizable_passes(history: Sequence[Operation]) -> None:
    """Nothing is found in a history that has an order."""
    assert check_filters(history) is None


def test_what_passes_may_be_wrong() -> None:
    """One delete can't serve two times of "missing" on both sides of a value: a filter does not count them."""
    history = [delete(0, 7), put(1, 2, 1), get(3, 4, None), put(5, 6, 2), get(8, 9, None)]
    assert check_filters(history) is None


@pytest.mark.parametrize("clients", [8, 50])
def test_nothing_is_found_in_a_sound_store(clients: int) -> None:
    """Long histories of a simulated store that works pass, crashes included."""
    for seed in range(3):
        assert check_filters(simulate(Simulation(1000, clients, 1, seed, 0.1, 0.3, 0.35, 0.02))) is None

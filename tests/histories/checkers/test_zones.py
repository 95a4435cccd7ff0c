"""Zones: each way in which values can contradict time, and what is outside the class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from conformance.histories.checkers.zones import check_zones
from conformance.histories.operation import NEVER, Operation
from tests.histories.random_histories import cas, delete, get, put

BROKEN: list[tuple[Sequence[Operation], str, tuple[int, ...]]] = [
    ([get(0, 1, 7)], "get('a') -> 7 saw what nobody wrote", (0,)),
    ([cas(0, 1, 7, 8, answer=True)], "cas('a', 7 to 8) -> True saw what nobody wrote", (0,)),
    (
        [get(0, 1, 1), put(2, 3, 1)],
        "get('a') -> 1 returned before put('a', 1) was called, but must come after it",
        (0, 1),
    ),
    (
        [put(0, 1, 1), get(2, 3, None)],
        "1 falls wholly inside the time when missing must be current",
        (0, 1),
    ),
    (
        [put(0, 1, 2), put(2, 3, 3), get(4, 5, 2)],
        "3 falls wholly inside the time when 2 must be current",
        (0, 1, 2),
    ),
    (
        [put(0, 2, 1), put(1, 3, 2), get(4, 5, 1), get(6, 7, 2)],
        "1 and 2 must both be current at the same time",
        (0, 1, 2, 3),
    ),
    (
        [put(0, 1, 1), cas(2, 3, 1, 2, answer=True), cas(4, 5, 1, 3, answer=True)],
        "two swaps of 1 succeeded, which was written once",
        (1, 2),
    ),
    (
        [cas(0, 4, 2, 1, answer=True), cas(1, 5, 1, 2, answer=True)],
        "values were swapped in a circle, though each was written once",
        (0, 1),
    ),
    (
        [put(0, 1, 1), cas(2, 3, 1, 2, answer=True), get(4, 5, 1)],
        "cas('a', 1 to 2) -> True returned before get('a') -> 1 was called, but must come after it",
        (1, 2),
    ),
    (
        [put(0, 1, 1), put(2, 3, 3), cas(4, 5, 1, 2, answer=True)],
        "3 falls wholly inside the time when 1, swapped on to 2, must be current",
        (0, 1, 2),
    ),
    (
        [put(0, NEVER, 1, "info"), get(1, 2, 1), put(3, 4, 2), get(5, 6, 1)],
        "2 falls wholly inside the time when 1 must be current",
        (1, 2, 3),
    ),
]


@pytest.mark.parametrize(("history", "why", "witness"), BROKEN, ids=[case[1] for case in BROKEN])
def test_a_violation_is_shown(history: Sequence[Operation], why: str, witness: tuple[int, ...]) -> None:
    """The reason is one sentence, and the witness the few operations that show it, in the order of their calls."""
    verdict = check_zones(history)
    assert verdict is not None
    assert verdict.broken
    assert (verdict.why, verdict.key, verdict.checker) == (why, "a", "zones")
    assert verdict.witness == tuple(history[place] for place in witness)


FINE: list[Sequence[Operation]] = [
    [],
    [get(0, 1, None)],
    [put(0, 5, 1), get(1, 2, None), get(3, 4, 1)],
    [put(0, 2, 1), get(2, 3, None)],
    [put(0, NEVER, 1, "info"), get(1, 2, None), get(3, 4, 1)],
    [put(0, NEVER, 1, "info"), cas(1, NEVER, 1, 2), get(3, 4, 2)],
    [put(0, 1, 1), cas(2, NEVER, 7, 2), get(3, 4, 1)],
    [put(0, 1, 1), put(2, 3, 2, "fail"), get(4, 5, 1)],
    [cas(0, 1, None, 1, answer=True), cas(2, 3, 1, 2, answer=True), get(4, 5, 2)],
    # What ends is only when the caller gave up.
    [put(0, 1, 1, "info"), get(2, 3, None), get(4, 5, 1)],
]


@pytest.mark.parametrize("history", FINE, ids=str)
def test_what_is_linearizable_is_said_to_be(history: Sequence[Operation]) -> None:
    """Overlapping, crashed and failed operations are not held against a history."""
    verdict = check_zones(history)
    assert verdict is not None
    assert verdict.holds


@pytest.mark.parametrize(
    ("history", "initial"),
    [
        ([delete(0, 1)], None),
        ([delete(0, NEVER, "info")], None),
        ([cas(0, 1, 1, 2, answer=False)], None),
        ([put(0, 1, 1), put(2, 3, 1)], None),
        ([put(0, 1, None)], None),
        ([put(0, 1, 5)], 5),
        ([Operation(0, 1, 0, "increment", "a", answer=1)], None),
    ],
)
def test_what_is_outside_the_class(history: Sequence[Operation], initial: Any) -> None:
    """Deletes, refused swaps, values written twice and other verbs are left to other checkers."""
    assert check_zones(history, initial) is None


def test_the_initial_value_is_one_like_others() -> None:
    """What the register held at the start may be seen, and comes first."""
    history = [get(0, 1, 5), put(2, 3, 1), get(4, 5, 5)]
    assert check_zones(history[:2], 5).holds  # type: ignore[union-attr]
    verdict = check_zones(history, 5)
    assert verdict is not None
    assert verdict.why == "1 falls wholly inside the time when 5 must be current"

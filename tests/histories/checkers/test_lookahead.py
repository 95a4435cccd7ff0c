"""Look-ahead: the traps of crashed operations, and its budget."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conformance.histories.checkers.lookahead import check_lookahead
from conformance.histories.operation import NEVER, Operation
from tests.histories.random_histories import Simulation, cas, delete, get, put, simulate

CASES: list[tuple[str, Sequence[Operation], bool]] = [
    (
        "a crashed swap is not a no-op as long as it may find what it expects",
        [cas(0, NEVER, 1, 2), put(1, 2, 3), get(3, 4, 3), put(5, 6, 1), get(7, 8, 2)],
        True,
    ),
    (
        "a refused swap may have met a crashed put that nobody read",
        [put(0, 1, 1), put(2, NEVER, 2, "info"), cas(3, 4, 1, 3, answer=False)],
        True,
    ),
    (
        "a refused swap may have met a put that nobody read, and that comes late for it",
        [put(0, 9, 2), cas(1, 2, None, 3, answer=False), put(3, 8, 1), cas(4, 5, None, 4, answer=False)],
        True,
    ),
    (
        "of two refused swaps the first needs a write before, and there is none",
        [cas(0, 1, None, 1, answer=False), put(2, 3, 2), cas(4, 5, None, 3, answer=False)],
        False,
    ),
    (
        "one delete does not serve two times of missing",
        [delete(0, 7), put(1, 2, 1), get(3, 4, None), put(5, 6, 2), get(8, 9, None)],
        False,
    ),
    (
        "a delete that comes later serves none",
        [delete(0, 7), put(1, 2, 1), get(3, 4, None), put(5, 6, 2), get(8, 9, None), delete(10, NEVER, "info")],
        False,
    ),
    (
        "a crashed delete serves as well as one that returned",
        [delete(0, NEVER, "info"), delete(0, 7), put(1, 2, 1), get(3, 4, None), put(5, 6, 2), get(8, 9, None)],
        True,
    ),
    (
        "a value that is written twice may come back",
        [put(0, 1, 1), put(2, 3, 2), get(4, 5, 2), put(6, 7, 1), get(8, 9, 1)],
        True,
    ),
]


@pytest.mark.parametrize(("history", "fine"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_verdicts(history: Sequence[Operation], *, fine: bool) -> None:
    """Crashed operations are taken when somebody can tell, and no rule is taken too far."""
    verdict = check_lookahead(history)
    assert (verdict.holds, verdict.broken, verdict.checker) == (fine, not fine, "look-ahead")


def test_a_budget_that_ends_is_said() -> None:
    """A search that may not remember what it would have to is unknown, which is no pass."""
    history = simulate(Simulation(200, deletes=0.1, swaps=0.3))
    verdict = check_lookahead(history, budget=50)
    assert (verdict.answer, verdict.key) == ("unknown", 0)
    assert verdict.why == "the search was given up after 50 states"
    assert check_lookahead(history).holds


def test_values_may_be_few() -> None:
    """Where values are written again and again the search is exact too."""
    history = simulate(Simulation(500, deletes=0.1, swaps=0.3, values=4))
    assert check_lookahead(history).holds
    late = max(one.end for one in history) + 1
    assert check_lookahead([*history, get(late, late + 1, 77)]).broken

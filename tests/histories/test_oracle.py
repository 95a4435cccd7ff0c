"""The oracle itself, on histories that are judged by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conformance.histories.operation import NEVER, Operation
from tests.histories.oracle import linearizable
from tests.histories.random_histories import cas, delete, get, put

CASES: list[tuple[str, Sequence[Operation], bool]] = [
    ("nothing", [], True),
    ("one after the other", [put(0, 1, 1), get(2, 3, 1)], True),
    ("a stale read", [put(0, 1, 1), get(2, 3, None)], False),
    ("a read that overlaps the write", [put(0, 3, 1), get(1, 2, None)], True),
    ("operations that touch overlap", [put(0, 2, 1), get(2, 3, None)], True),
    ("a delete in between", [put(0, 1, 1), delete(2, 3), get(4, 5, None)], True),
    ("a crashed put that is seen late", [put(0, NEVER, 1, "info"), get(1, 2, None), get(3, 4, 1)], True),
    ("a crashed put that comes and goes", [put(0, NEVER, 1, "info"), get(1, 2, 1), get(3, 4, None)], False),
    ("a crashed put that is seen too early", [get(0, 1, 1), put(2, NEVER, 1, "info")], False),
    ("a put that failed", [put(0, 1, 1, "fail"), get(2, 3, 1)], False),
    ("a swap", [put(0, 1, 1), cas(2, 3, 1, 2, answer=True), get(4, 5, 2)], True),
    ("a swap that should have been refused", [put(0, 1, 1), cas(2, 3, 3, 2, answer=True)], False),
    ("a swap that should not have been refused", [put(0, 1, 1), cas(2, 3, 1, 2, answer=False)], False),
    ("a crashed swap that found something else", [put(0, 1, 1), cas(2, NEVER, 3, 2), get(4, 5, 1)], True),
    ("a crashed swap that took effect", [put(0, 1, 1), cas(2, NEVER, 1, 2), get(4, 5, 2)], True),
    ("a crashed swap that could not", [put(0, 1, 1), cas(2, NEVER, 3, 2), get(4, 5, 2)], False),
    ("a crashed put that a refused swap met", [put(0, NEVER, 1, "info"), cas(1, 2, None, 2, answer=False)], True),
    ("a crashed get", [put(0, 1, 1), get(2, NEVER, None, "info")], True),
]


@pytest.mark.parametrize(("history", "fine"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_verdicts(history: Sequence[Operation], *, fine: bool) -> None:
    """Each verdict is that of a person."""
    assert linearizable(history) == fine

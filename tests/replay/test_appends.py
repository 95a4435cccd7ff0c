"""Whether a replay has appends as they were acknowledged."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conformance.histories.operation import Operation
from conformance.replay.appends import appended, attempted, check_replay
from conformance.replay.replay import Entry

A = appended(0, "a", 1, 2, 1)
B = appended(1, "b", 3, 4, 2)
LOST = attempted(2, "lost", 5)


@pytest.mark.parametrize(
    ("entries", "appends"),
    [
        ([], []),
        ([(1, "a"), (2, "b")], [B, A]),
        ([(1, "a"), (2, "b")], [A, B, LOST]),
        ([(1, "a"), (2, "b"), (3, "lost")], [A, B, LOST]),
        ([(1, "b"), (2, "a")], [appended(0, "a", 1, 4, 2), appended(1, "b", 3, 5, 1)]),  # they overlapped
    ],
)
def test_what_was_acknowledged_is_in_order(entries: Sequence[Entry], appends: Sequence[Operation]) -> None:
    """All that was acknowledged is at its position; what raised may be there or not; who overlaps has any order."""
    assert check_replay(entries, appends).holds


@pytest.mark.parametrize(
    ("entries", "appends", "why"),
    [
        ([(1, "a"), (3, "b")], [A], "the positions are [1, 3]"),
        ([(2, "b"), (1, "a")], [A, B], "the positions are [2, 1]"),
        ([(1, "a")], [A, B], "was acknowledged and is missing later"),
        ([(1, "b"), (2, "a")], [A, B], "was appended at 2 and is read at 1"),
        ([(1, True)], [appended(0, 1, 0, 1, 1)], "'true' is read, and was never appended"),
        ([(1, "a"), (2, "x")], [A], "is read, and was never appended"),
        ([(1, "a"), (2, "lost"), (3, "lost")], [A, LOST], "is read at two positions"),
        ([(1, "b"), (2, "a")], [appended(0, "a", 1, 2, 2), appended(1, "b", 3, 4, 1)], "and stands behind it"),
    ],
)
def test_what_was_not_is_told(entries: Sequence[Entry], appends: Sequence[Operation], why: str) -> None:
    """Gaps, losses, other events, events of nobody, and positions against time are told."""
    verdict = check_replay(entries, appends)
    assert verdict.broken
    assert why in verdict.why

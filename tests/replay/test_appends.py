"""Whether a replay has appends as they were acknowledged."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conformance.replay.appends import Appended, disorder
from conformance.replay.replay import Entry

A = Appended("a", 1, begun=1, ended=2)
B = Appended("b", 2, begun=3, ended=4)
LOST = Appended("lost", None, begun=5)


@pytest.mark.parametrize(
    ("entries", "appends"),
    [
        ([], []),
        ([(1, "a"), (2, "b")], [B, A]),
        ([(1, "a"), (2, "b")], [A, B, LOST]),
        ([(1, "a"), (2, "b"), (3, "lost")], [A, B, LOST]),
        ([(1, "b"), (2, "a")], [Appended("a", 2, 1, 4), Appended("b", 1, 3, 5)]),  # they overlapped
    ],
)
def test_what_was_acknowledged_is_in_order(entries: Sequence[Entry], appends: Sequence[Appended]) -> None:
    """All that was acknowledged is at its position; what raised may be there or not; who overlaps has any order."""
    assert disorder(entries, appends) is None


@pytest.mark.parametrize(
    ("entries", "appends", "got"),
    [
        ([(1, "a"), (3, "b")], [A], "[1, 3]"),
        ([(2, "b"), (1, "a")], [A, B], "[2, 1]"),
        ([(1, "a")], [A, B], "1 events only"),
        ([(1, "b"), (2, "a")], [A, B], "'b' there"),
        ([(1, True)], [Appended(1, 1)], "True there"),
        ([(1, "a"), (2, "x")], [A], "'x' at position 2"),
        ([(1, "a"), (2, "lost"), (3, "lost")], [A, LOST], "'lost' at position 3"),
        ([(1, "b"), (2, "a")], [Appended("a", 2, 1, 2), Appended("b", 1, 3, 4)], "positions 2 and 1"),
    ],
)
def test_what_was_not_is_told(entries: Sequence[Entry], appends: Sequence[Appended], got: str) -> None:
    """Gaps, losses, other events, events of nobody, and positions against time are told."""
    found = disorder(entries, appends)
    assert found is not None
    assert found.got == got

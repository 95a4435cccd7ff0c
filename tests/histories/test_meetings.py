"""Meetings: which calls are evidence that workers met, and when only one of them could change anything."""

from __future__ import annotations

import pytest

from conformance.histories.meetings import Meetings
from conformance.histories.operation import NEVER, NEXT_LIFE, Operation

REFUSED = "put raised RuntimeError: no"


def put(call: int, end: int, worker: int, **other: object) -> Operation:
    """Return a put of a worker."""
    return Operation(call, end, worker, "put", "a", call)._replace(**other)


def noted(*calls: Operation, raised: dict[int, str] | None = None) -> Meetings:
    """Return what is known after one round."""
    meetings = Meetings()
    meetings.note(calls, raised or {})
    return meetings


def test_calls_overlap_unless_one_returned_before_the_other_began() -> None:
    """Those of one worker never do; a call that never ended, as of a killed process, overlaps all that come later."""
    assert not noted(put(0, 3, 1), put(5, 8, 2), put(10, 12, 1)).overlapping
    assert noted(put(0, 5, 1), put(4, 8, 2)).overlapping
    assert noted(put(0, NEVER, 1, outcome="info"), put(4, 8, 2)).overlapping


def test_changes_beside_others_tell_who_could_change_anything() -> None:
    """A look beside a change is a meeting, but no change; what is refused as a conflict is none either."""
    look = Operation(1, 9, 2, "get", "a")
    assert noted(put(0, 5, 1), look).changing == {1}
    assert noted(put(0, 5, 1), put(1, 4, 2, outcome="fail")).changing == {1}
    assert noted(put(0, 5, 1), put(1, 4, 2)).changing == {1, 2}
    assert noted(put(0, 5, 1), put(6, 8, 2)).changing == set()


@pytest.mark.parametrize("life", [0, NEXT_LIFE, 3 * NEXT_LIFE])
def test_one_who_could_change_anything_is_alone(life: int) -> None:
    """Where each change of another worker raised; not where one raised, and the next, in another life, did not."""
    one, look = put(0, 5, 1), Operation(1, 9, 2, "get", "a")
    assert noted(one, look).alone == ""
    assert noted(one, look, raised={2 + life: REFUSED}).alone == REFUSED
    assert noted(look, raised={1: REFUSED, 2 + life: REFUSED}).alone == REFUSED
    assert noted(one, put(1, 4, 2 + life), raised={2: REFUSED}).alone == ""
    several = noted(one, look, raised={2: REFUSED})
    several.note([put(1, 4, 2 + life), put(2, 6, 1)], {})
    assert several.alone == ""

"""Appends, and whether a replay has them as they were acknowledged: judged as a history of a log is.

Source: real-time order, as in linearizability (Herlihy and Wing, 1990): who was acknowledged before another began is
before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.histories.checkers.log import check_log
from conformance.histories.operation import NEVER, History, Operation
from conformance.histories.verdict import Verdict
from conformance.replay.replay import Entry
from conformance.values.canonical import canonical


def appended(worker: int, event: Any, begun: int, ended: int, position: Any) -> Operation:
    """Return an append that was acknowledged."""
    return Operation(begun, ended, worker, "append", value=canonical(event), answer=position)


def attempted(worker: int, event: Any, begun: int) -> Operation:
    """Return an append that raised, or never returned: it may be there or not."""
    return Operation(begun, NEVER, worker, "append", value=canonical(event), outcome="info")


def check_replay(entries: Sequence[Entry], appends: History) -> Verdict:
    """Return whether a replay that was made after all appends has what they were told.

    All that was acknowledged is at its position; what raised may be there or not; nothing else is. No position is left
    out, and an append that returned before another began has the lower one.

    Args:
        entries: All positions and events.
        appends: Each of an event that no other appends.
    """
    positions = [position for position, _ in entries]
    if positions != list(range(1, len(entries) + 1)):
        return Verdict("not linearizable", f"the positions are {positions}", checker="replay")
    after = max((one.end for one in appends if one.end != NEVER), default=0) + 1
    read = Operation(after, after, -1, "read", answer=tuple(canonical(event) for _, event in entries))
    return check_log([*sorted(appends), read])

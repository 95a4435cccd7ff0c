"""Appends, and whether a replay has them as they were acknowledged.

Source: real-time order, as in linearizability (Herlihy and Wing, 1990): who was acknowledged before another began is
before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conformance.literal import literal
from conformance.replay.replay import Entry
from conformance.values.canonical import canonical


@dataclass(frozen=True)
class Appended:
    """A call of `append`.

    Args:
        event: What was appended; of appenders who meet, each event is appended once.
        position: What was returned; None if the call raised, or never returned.
        begun: When it was called.
        ended: When it returned.
        error: What it raised.
    """

    event: Any
    position: int | None
    begun: int = 0
    ended: int = 0
    error: str = ""


@dataclass(frozen=True)
class Disorder:
    """Why a replay is not what was acknowledged.

    Args:
        expected: What the acknowledgements ask for.
        got: What the replay has.
    """

    expected: str
    got: str


def disorder(entries: Sequence[Entry], appends: Sequence[Appended]) -> Disorder | None:
    """Return why a replay of all events is not what was acknowledged; None if it is.

    Whose call raised may be there or not. All else that is read must have been acknowledged, at its position; no
    position is left out; and an append that returned before another began has the lower position.
    """
    if [position for position, _ in entries] != list(range(1, len(entries) + 1)):
        return Disorder(f"the positions 1 to {len(entries)}", literal([position for position, _ in entries]))
    read = dict(entries)
    acknowledged = {one.position: one for one in appends if one.position is not None}
    for one in appends:
        if one.position is None:
            continue
        told = f"{literal(one.event, 60)} at position {one.position}, as its append was told"
        if one.position not in read:
            return Disorder(told, f"{len(entries)} events only")
        if canonical(read[one.position]) != canonical(one.event):
            return Disorder(told, f"{literal(read[one.position], 60)} there")
    possible = [canonical(one.event) for one in appends if one.position is None]
    for position, event in entries:
        if position in acknowledged:
            continue
        if canonical(event) not in possible:
            return Disorder("no event that nobody was told of", f"{literal(event, 60)} at position {position}")
        possible.remove(canonical(event))
    return _out_of_time([acknowledged[position] for position in sorted(acknowledged)])


def _out_of_time(appends: Sequence[Appended]) -> Disorder | None:
    latest: Appended | None = None
    for one in appends:
        if latest is not None and one.ended < latest.begun:
            return Disorder(
                f"{literal(one.event, 60)} before {literal(latest.event, 60)}, which was called after it had returned",
                f"positions {one.position} and {latest.position}",
            )
        if latest is None or one.begun > latest.begun:
            latest = one
    return None

"""A history of one register in numbers, with the times that follow from values written once: for look-ahead."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter
from typing import Any, NamedTuple

from conformance.histories.operation import NEVER, Operation

#: The state whose value nobody will look at.
DEAD = 0
#: What a blind write looks at.
NOTHING = 1
READ, BLIND, SWAP, REFUSED, CRASHED_SWAP = range(5)


class Step(NamedTuple):
    """An operation in numbers: what it is, which value it looks at, which it leaves, and its time.

    Args:
        best: When its turn is, if others can be taken before; from `call` to `end`.
        end: When it must have been taken; NEVER if it may be left out.
    """

    kind: int
    sees: int
    leaves: int
    call: int
    best: int
    end: int


@dataclass(frozen=True)
class Problem:
    """A history in numbers.

    Args:
        steps: Its operations.
        initial: The value at the start.
        once: Of each value, whether it can be written once only.
        safe: Of each operation, whether no swap that was refused may need just this write.
    """

    steps: Sequence[Step]
    initial: int
    once: Sequence[bool]
    safe: Sequence[bool]


@dataclass(frozen=True)
class Events:
    """Turns and ends of operations in order of time; the first is number 1.

    Args:
        who: The operation whose turn it is, or -1 - operation for an end.
        times: When it is.
        reach: Of each end, the last turn of an operation that was called before.
    """

    who: Sequence[int]
    times: Sequence[int]
    reach: Sequence[int]


def problem_of(operations: Sequence[Operation], initial: Any) -> Problem:
    """Return a history as a problem; it has no operation that surely did nothing, and no get that crashed."""
    numbers: dict[Any, int] = {}
    steps = []
    for one in operations:
        end = one.end if one.outcome == "ok" else NEVER
        sees = leaves = NOTHING
        if one.verb == "get":
            kind = READ
        elif one.verb == "cas":
            kind = CRASHED_SWAP if one.outcome == "info" else SWAP if one.answer else REFUSED
        else:
            kind = BLIND
        if kind != BLIND:
            sees = numbers.setdefault(one.answer if kind == READ else one.expected, len(numbers) + 2)
        if kind not in (READ, REFUSED):
            leaves = numbers.setdefault(one.value, len(numbers) + 2)
        steps.append(Step(kind, sees, leaves, one.call, one.call, end))
    start = numbers.setdefault(initial, len(numbers) + 2)
    written = Counter([start, *(step.leaves for step in steps)])
    once = [written[value] == 1 for value in range(len(numbers) + 2)]
    once[NOTHING] = False
    swapped = {step.sees for step in steps if step.kind == SWAP and once[step.sees]}
    fragile = {step.sees for step in steps if step.kind == REFUSED} - swapped
    safe = _apart(steps, [step for step in steps if step.leaves in fragile])
    return Problem(_narrowed(steps, start, once), start, once, safe)


def _apart(steps: Sequence[Step], others: Sequence[Step]) -> list[bool]:
    """Return of each step whether it overlaps none of the others."""
    others = sorted(others, key=attrgetter("call"))
    calls = [step.call for step in others]
    ends = list(accumulate((step.end for step in others), max, initial=-NEVER))
    return [ends[bisect_right(calls, step.end)] < step.call for step in steps]


def _narrowed(steps: Sequence[Step], start: int, once: Sequence[bool]) -> list[Step]:
    """Return the steps with their best times, and with an earlier end where a value must be current at the end.

    A value that is written once is current from the first end of who wrote or must see it to the last call of one.
    What leaves or sees another value and ends in that time comes before it, if it was called before it.
    """
    low = [NEVER] * len(once)
    high = [-NEVER] * len(once)
    low[start] = -NEVER
    for kind, sees, leaves, call, _, end in steps:
        for value in (leaves, sees) if kind in (READ, SWAP) else (leaves,):
            if end < low[value]:
                low[value] = end
            if call > high[value]:
                high[value] = call
    zones = sorted(
        zone for zone, single in zip(zip(low, high, strict=True), once, strict=True) if single and zone[0] < zone[1]
    )
    lows = [zone[0] for zone in zones]
    narrowed = []
    for step in steps:
        kind, sees, leaves, call, best, end = step
        if once[leaves] and low[leaves] < NEVER:
            step = Step(kind, sees, leaves, call, max(call, min(low[leaves], high[leaves])), end)
        elif end < NEVER and ((kind == BLIND and not once[leaves]) or (kind == READ and not once[sees])):
            place = bisect_left(lows, end) - 1
            if place >= 0 and call <= lows[place] and end < zones[place][1]:
                end = lows[place]
            step = Step(kind, sees, leaves, call, end if kind == BLIND else best, end)
        narrowed.append(step)
    return narrowed


def events_of(steps: Sequence[Step]) -> Events:
    """Return the turns and ends of steps."""
    size = len(steps)
    # A turn comes before an end of the same time: its number is made negative.
    order = [(step.best, place - size) for place, step in enumerate(steps)]
    order += [(step.end, place) for place, step in enumerate(steps) if step.end < NEVER]
    order.sort()
    turns = sorted((steps[place].call, number) for number, (_, place) in enumerate(order, 1) if place < 0)
    calls = [call for call, _ in turns]
    furthest = list(accumulate((number for _, number in turns), max))
    reach = [0 if place < 0 else furthest[bisect_right(calls, time) - 1] for time, place in order]
    who = [place + size if place < 0 else -1 - place for _, place in order]
    return Events(who, [0, *(time for time, _ in order)], [0, *reach])

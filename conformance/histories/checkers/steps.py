"""A history of one register in numbers, with the times that follow from values written once: for look-ahead."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from conformance.histories.operation import NEVER, Operation

#: The state whose value nobody will look at.
DEAD = 0
#: What a blind write looks at.
NOTHING = 1
READ, BLIND, SWAP, REFUSED, CRASHED_SWAP = range(5)


@dataclass(frozen=True)
class Problem:
    """A history in numbers: a column for each thing that is known of its operations, which is faster than a record.

    Args:
        kinds: What each operation is.
        sees: Which value it looks at.
        leaves: Which value it leaves.
        calls: When it was called.
        bests: When its turn is, if others can be taken before; from its call to its end.
        ends: When it must have been taken; NEVER if it may be left out.
        initial: The value at the start.
        once: Of each value, whether it can be written once only.
        safe: Of each operation, whether no swap that was refused may need just this write.
    """

    kinds: Sequence[int]
    sees: Sequence[int]
    leaves: Sequence[int]
    calls: Sequence[int]
    bests: Sequence[int]
    ends: Sequence[int]
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
    kinds, sees, leaves, calls, ends = [], [], [], [], []
    number = numbers.setdefault
    for call, end, _, verb, _, value, expected, answer, outcome in operations:
        before = after = NOTHING
        if verb == "get":
            kind = READ
            before = number(answer, len(numbers) + 2)
        elif verb != "cas":
            kind = BLIND
            after = number(value, len(numbers) + 2)
        else:
            kind = CRASHED_SWAP if outcome == "info" else SWAP if answer else REFUSED
            before = number(expected, len(numbers) + 2)
            if kind != REFUSED:
                after = number(value, len(numbers) + 2)
        kinds.append(kind)
        sees.append(before)
        leaves.append(after)
        calls.append(call)
        ends.append(end if outcome == "ok" else NEVER)
    start = number(initial, len(numbers) + 2)
    written = Counter(leaves)
    written[start] += 1
    once = [written[value] == 1 for value in range(len(numbers) + 2)]
    once[NOTHING] = False
    safe = _safe(kinds, sees, leaves, calls, ends, once)
    bests, ends = _narrowed(kinds, sees, leaves, calls, ends, start, once)
    return Problem(kinds, sees, leaves, calls, bests, ends, start, once, safe)


def _safe(
    kinds: Sequence[int],
    sees: Sequence[int],
    leaves: Sequence[int],
    calls: Sequence[int],
    ends: Sequence[int],
    once: Sequence[bool],
) -> list[bool]:
    """Return of each operation whether it overlaps none that writes what a refused swap alone may have seen."""
    looked_at = list(zip(kinds, sees, strict=True))
    swapped = {value for kind, value in looked_at if kind == SWAP and once[value]}
    fragile = {value for kind, value in looked_at if kind == REFUSED} - swapped
    if not fragile:
        return [True] * len(kinds)
    writers = sorted((place for place, value in enumerate(leaves) if value in fragile), key=calls.__getitem__)
    from_ = [calls[place] for place in writers]
    to = list(accumulate((ends[place] for place in writers), max, initial=-NEVER))
    return [to[bisect_right(from_, end)] < call for call, end in zip(calls, ends, strict=True)]


def _narrowed(
    kinds: Sequence[int],
    sees: Sequence[int],
    leaves: Sequence[int],
    calls: Sequence[int],
    ends: Sequence[int],
    start: int,
    once: Sequence[bool],
) -> tuple[list[int], list[int]]:
    """Return the best times, and the ends, some of them earlier, where a value must be current at the end.

    A value that is written once is current from the first end of who wrote or must see it to the last call of one.
    What leaves or sees another value and ends in that time comes before it, if it was called before it.
    """
    low = [NEVER] * len(once)
    high = [-NEVER] * len(once)
    low[start] = -NEVER
    for kind, before, after, call, end in zip(kinds, sees, leaves, calls, ends, strict=True):
        if end < low[after]:
            low[after] = end
        if call > high[after]:
            high[after] = call
        if kind in (READ, SWAP):
            if end < low[before]:
                low[before] = end
            if call > high[before]:
                high[before] = call
    zones = sorted(
        zone for zone, single in zip(zip(low, high, strict=True), once, strict=True) if single and zone[0] < zone[1]
    )
    lows = [zone[0] for zone in zones]
    bests, earlier = list(calls), list(ends)
    for place, (kind, before, after, call, end) in enumerate(zip(kinds, sees, leaves, calls, ends, strict=True)):
        if once[after] and low[after] < NEVER:
            bests[place] = max(call, min(low[after], high[after]))
        elif end < NEVER and ((kind == BLIND and not once[after]) or (kind == READ and not once[before])):
            zone = bisect_left(lows, end) - 1
            if zone >= 0 and call <= lows[zone] and end < zones[zone][1]:
                earlier[place] = end = lows[zone]
            if kind == BLIND:
                bests[place] = end
    return bests, earlier


def events_of(problem: Problem) -> Events:
    """Return the turns and ends of the operations of a problem."""
    size = len(problem.kinds)
    # One number tells the time and who it is; of the same time a turn comes before an end.
    order = [best * 2 * size + place for place, best in enumerate(problem.bests)]
    order += [end * 2 * size + size + place for place, end in enumerate(problem.ends) if end < NEVER]
    order.sort()
    times, who = [0], []
    turns = [0] * size
    for number, moment in enumerate(order, 1):
        time, place = divmod(moment, 2 * size)
        times.append(time)
        if place < size:
            who.append(place)
            turns[place] = number
        else:
            who.append(size - 1 - place)
    calls = problem.calls
    called = sorted(range(size), key=calls.__getitem__)
    reach = [0]
    furthest = passed = 0
    for one, time in zip(who, times[1:], strict=True):
        if one >= 0:
            reach.append(0)
            continue
        while passed < size and calls[called[passed]] <= time:
            furthest = max(furthest, turns[called[passed]])
            passed += 1
        reach.append(furthest)
    return Events(who, times, reach)

"""Chain order in real time: whether operations that must follow each other in one order can have done so.

Counters and logs tell their order by their answers. What is left is to compare it with real time, and to find a place
for each operation that did not tell its own. Sources: Gibbons & Korach, Testing shared memories, SIAM J. Computing
1997; Glover, Maximum matching in a convex bipartite graph, 1967; Mendelsohn & Dulmage, 1958.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Literal, NamedTuple

from conformance.histories.operation import NEVER, Operation


class Rank(NamedTuple):
    """One place of a chain.

    Args:
        leader: The operation that made it; None where nobody knows who did.
        followers: Those that saw it, and nothing later.
    """

    leader: Operation | None
    followers: Sequence[Operation] = ()


class Fault(NamedTuple):
    """Why a chain can't be.

    Args:
        kind: `order`: real time contradicts it. `hole`: nobody can have made a place. `lost`: an acknowledged operation
            has no place.
        place: Of the hole; otherwise of no meaning.
        witness: For `order` the one that is earlier in the chain, then the one that is earlier in real time. For `hole`
            the operation that ended first of those that came later in the chain. For `lost` the operation, and the
            one that was called last of those in the chain.
    """

    kind: Literal["order", "hole", "lost"]
    place: int
    witness: tuple[Operation, ...]


def fault(chain: Sequence[Rank], loose: Sequence[Operation] = ()) -> Fault | None:
    """Return why a chain can't be, or None if it can: exact, O(n log n).

    Args:
        chain: Its places in order; the first is the beginning, which nobody made.
        loose: Operations that made some place, nobody knows which: a place without leader, or one behind the chain.
            Those whose outcome is `info` may have made none.
    """
    pair = contradiction(chain)
    if pair:
        return Fault("order", 0, pair)
    holes = [place for place in range(1, len(chain)) if chain[place].leader is None]
    if not holes and not loose:
        return None
    return _misplaced(chain, holes, loose)


def contradiction(chain: Iterable[Rank]) -> tuple[Operation, Operation] | None:
    """Return two operations whose order in real time contradicts that of the chain."""
    latest = -NEVER
    last: Operation | None = None
    for leader, followers in chain:
        if leader is not None:
            if leader.end < latest and last and leader.outcome != "info":
                return last, leader
            if leader.call > latest:
                latest, last = leader.call, leader
        before, one = latest, last  # followers have no order among themselves
        for follower in followers:
            if follower.end < before and one:
                return one, follower
            if follower.call > latest:
                latest, last = follower.call, follower
    return None


def _misplaced(chain: Sequence[Rank], holes: Sequence[int], loose: Sequence[Operation]) -> Fault | None:
    """Find a place for each loose operation, and a maker for each hole.

    An operation can fill a hole unless it returned before something earlier in the chain was called, or was called
    after something later had returned. Both bounds ascend along the chain: the holes that an operation can fill are
    neighbours, and greedy matching is exact. If one matching fills all holes, and another one places all that must be
    placed, then one does both. Should two fillers be the wrong way round in real time, each can take the place of the
    other.
    """
    earliest, begun = _latest_calls(chain)
    latest, ended = _first_ends(chain)
    opens = [earliest[hole - 1] for hole in holes]
    closes = [latest[hole] for hole in holes]
    spans = [(bisect_left(closes, one.call), bisect_right(opens, _end(one)) - 1, one) for one in loose]
    spans.sort(key=lambda span: span[:2])
    filled = _matched(len(holes), spans)
    if filled.hole is not None:
        shown = ended[holes[filled.hole]]
        return Fault("hole", holes[filled.hole], (shown,) if shown else ())
    must = [span for span in spans if _end(span[2]) < earliest[-1]]
    lost = _matched(len(holes), must).left
    if lost is not None and begun is not None:
        return Fault("lost", 0, (lost, begun))
    return None


class _Matched(NamedTuple):
    """The first hole that stayed empty, and the first operation that found no hole."""

    hole: int | None
    left: Operation | None


def _matched(holes: int, spans: Sequence[tuple[int, int, Operation]]) -> _Matched:
    """Give each hole in turn to the operation that can wait least; spans are sorted by their first hole."""
    waiting: list[tuple[int, int]] = []
    empty: int | None = None
    left: Operation | None = None
    place = 0
    for hole in range(holes):
        while place < len(spans) and spans[place][0] <= hole:
            heappush(waiting, (spans[place][1], place))
            place += 1
        while waiting and waiting[0][0] < hole:
            _, late = heappop(waiting)
            left = left or spans[late][2]
        if waiting:
            heappop(waiting)
        elif empty is None:
            empty = hole
    rest = [number for _, number in waiting] + list(range(place, len(spans)))
    return _Matched(empty, left or (spans[rest[0]][2] if rest else None))


def _latest_calls(chain: Sequence[Rank]) -> tuple[list[int], Operation | None]:
    """Return the latest call up to each place, and whose the last of them is."""
    found: list[int] = []
    latest, last = -NEVER, None
    for leader, followers in chain:
        for one in (leader, *followers):
            if one is not None and one.call > latest:
                latest, last = one.call, one
        found.append(latest)
    return found, last


def _first_ends(chain: Sequence[Rank]) -> tuple[list[int], list[Operation | None]]:
    """Return the first end from each place on, and whose it is."""
    ends: list[int] = []
    whose: list[Operation | None] = []
    first, one = NEVER, None
    for leader, followers in reversed(chain):
        for each in (leader, *followers):
            if each is not None and _end(each) < first:
                first, one = each.end, each
        ends.append(first)
        whose.append(one)
    return ends[::-1], whose[::-1]


def _end(operation: Operation) -> int:
    return NEVER if operation.outcome == "info" else operation.end

"""Filters: near-linear tests that find most violations where there are deletes and swaps that were refused.

They are sound and not complete: what they find is wrong, and what they pass may be wrong too. Values are written once.
Without its deletes, its refused swaps and whoever saw "missing", a linearizable history is still one; so the zones of
the rest must be in order. Then none of those left out may contradict a zone.

Source: the zones of Gibbons & Korach, Testing Shared Memories, SIAM J. Comput. 1997.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import Any

from conformance.histories.checkers.zones import Zone, around, conflict, forward, name, zones_of
from conformance.histories.operation import NEVER, Operation, told
from conformance.histories.verdict import Verdict

NAME = "filters"


def check_filters(operations: Sequence[Operation], initial: Any = None) -> Verdict | None:
    """Return why the history of one key is not linearizable; None if no filter finds anything.

    Args:
        operations: All of one key. Each value is written at most once, and never "missing".
        initial: What it held at the start.
    """
    deletes: list[Operation] = []
    answered: list[Operation] = []
    rest: list[Operation] = []
    for one in operations:
        _, _, _, verb, _, _, _, answer, outcome = one
        if outcome == "ok":
            answered.append(one)
        if verb == "delete":
            if outcome != "fail":
                deletes.append(one)
        elif verb != "cas" or answer or outcome != "ok":
            rest.append(one)
    zones = zones_of(rest, initial, deleted=bool(deletes))
    if zones is None:
        return None
    found = zones if isinstance(zones, Verdict) else conflict(zones)
    if found is None and not isinstance(zones, Verdict):
        found = next(_filtered(answered, deletes, forward(zones), initial), None)
    return found and Verdict(found.answer, found.why, found.witness, found.key, NAME)


def _filtered(
    answered: Sequence[Operation], deletes: Sequence[Operation], forwards: Sequence[Zone], initial: Any
) -> Iterator[Verdict]:
    if deletes:
        yield from _missing_inside(answered, forwards)
        if initial is None:
            yield from _missing_without_delete(answered, deletes)
    yield from _refused_though_current(answered, initial, deleted=bool(deletes))


def _missing_inside(answered: Sequence[Operation], forwards: Sequence[Zone]) -> Iterator[Verdict]:
    """Find deletes, and whoever saw "missing", inside the time when a value must be current."""
    lows = [zone.low for zone in forwards]
    for operation in answered:
        if operation[3] == "delete" or _saw_missing(operation):
            zone = around(forwards, lows, operation.call, operation.end)
            if zone:
                why = f"{told(operation)} falls wholly inside the time when {name(zone)} must be current"
                yield _broken(why, zone.ended, zone.called, operation)


def _missing_without_delete(answered: Sequence[Operation], deletes: Sequence[Operation]) -> Iterator[Verdict]:
    """Find whoever saw "missing" after a value was there, with no delete that can come in between."""
    present = sorted((one for one in answered if _saw_or_left_a_value(one)), key=itemgetter(1))
    ends = [one.end for one in present]
    latest = list(accumulate(present, _called_later))
    deletes = sorted(deletes)
    calls = [one.call for one in deletes]
    last_ends = list(accumulate((one.end if one.outcome == "ok" else NEVER for one in deletes), max))
    for operation in answered:
        if _saw_missing(operation):
            there = bisect_left(ends, operation.call) - 1
            before = bisect_left(calls, operation.end + 1) - 1
            if there >= 0 and (before < 0 or last_ends[before] < latest[there].call):
                why = f"no delete can come between {told(latest[there])} and {told(operation)}"
                yield _broken(why, latest[there], operation)


def _refused_though_current(answered: Sequence[Operation], initial: Any, *, deleted: bool) -> Iterator[Verdict]:
    """Find swaps that were refused inside the time when the value that they expected must be current."""
    refused = [one for one in answered if _refused(one) and not (deleted and one.expected is None)]
    ended: dict[Any, Operation] = {}
    called: dict[Any, Operation] = {}
    expected = {one.expected for one in refused}
    for operation in answered if expected else ():
        for value in _values(operation):
            if value not in expected:
                continue
            if value not in ended or operation.end < ended[value].end:
                ended[value] = operation
            if value not in called or operation.call > called[value].call:
                called[value] = operation
    for operation in refused:
        first, last = ended.get(operation.expected), called.get(operation.expected)
        from_start = operation.expected == initial
        if first and last and operation.end < last.call and (from_start or first.end < operation.call):
            why = f"{told(operation)} was refused inside the time when what it expected must be current"
            yield _broken(why, None if from_start else first, last, operation)


def _called_later(one: Operation, other: Operation) -> Operation:
    return other if other[0] > one[0] else one


def _refused(operation: Operation) -> bool:
    return operation.verb == "cas" and operation.outcome == "ok" and not operation.answer


def _saw_missing(operation: Operation) -> bool:
    _, _, _, verb, _, _, expected, answer, _ = operation
    if verb == "get":
        return answer is None
    return verb == "cas" and expected is None and bool(answer)


def _saw_or_left_a_value(operation: Operation) -> bool:
    _, _, _, verb, _, _, _, answer, _ = operation
    if verb == "get":
        return answer is not None
    return verb == "put" or (verb == "cas" and bool(answer))


def _values(operation: Operation) -> tuple[Any, ...]:
    """Return the values that an operation saw or left."""
    _, _, _, verb, _, value, expected, answer, _ = operation
    if verb == "get":
        return (answer,)
    if verb == "put":
        return (value,)
    return (expected, value) if verb == "cas" and answer else ()


def _broken(why: str, *operations: Operation | None) -> Verdict:
    witness = tuple(sorted({one for one in operations if one}, key=lambda one: one.call))
    return Verdict("not linearizable", why, witness, witness[0].key, NAME)

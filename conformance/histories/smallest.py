"""The smallest history that is still broken, made only by removals that keep every linearizable history linearizable.

So what is left is broken because the whole was, and the picture never shows a problem that a removal made. Source:
Zeller & Hildebrandt, Simplifying and isolating failure-inducing input, TSE 2002, for the order of the removals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from conformance.histories.operation import NEVER, History, Operation, by_key

#: Sets of operations, each of which can be removed by itself, or with others.
Units = Callable[[Sequence[Operation]], list[list[Operation]]]


def smallest(history: History, broken: Callable[[History], bool], units: Units | None = None) -> History:
    """Return a part of a broken history that is broken too: one key, up to one return, and what of that is needed.

    Args:
        history: That is broken.
        broken: Whether a history surely is.
        units: What can be removed; None chooses `registers` or `reads` by the verbs.
    """
    operations = [operation for operation in history if operation.outcome != "fail"]
    if not broken(operations):
        operations = list(history)
    parts = by_key(operations)
    if len(parts) > 1:
        operations = next((part for part in parts.values() if broken(part)), operations)
    if units is None:
        known = {operation.verb for operation in operations}
        units = registers if known <= {"get", "put", "delete", "cas"} else reads
    return _without_units(_until_broken(operations, broken), broken, units)


def until(history: History, moment: int) -> list[Operation]:
    """Return what was known of a history at a moment: what is open then may take effect, or never."""
    found: list[Operation] = []
    for operation in history:
        if operation.call > moment:
            continue
        if operation.end <= moment:
            found.append(operation)
        elif operation.verb not in ("get", "read") and operation.outcome != "fail":
            found.append(_open(operation))
    return found


def stops_at(history: History, broken: Callable[[History], bool]) -> Operation | None:
    """Return the call whose return is the first moment at which a history is broken; None where it never is."""
    returned = (operation for operation in history if operation.outcome == "ok")
    for operation in sorted(returned, key=lambda one: one.end):
        if broken(until(history, operation.end)):
            return operation
    return None


def _open(operation: Operation) -> Operation:
    if operation.outcome == "info":
        return operation._replace(end=NEVER)
    asked = operation.value or operation.answer if operation.verb == "transaction" else operation.value
    return operation._replace(end=NEVER, outcome="info", value=asked, answer=None)


def _until_broken(operations: list[Operation], broken: Callable[[History], bool]) -> list[Operation]:
    """Return the history up to the first return at which it is broken."""
    ends = sorted({operation.end for operation in operations if operation.outcome == "ok"})
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        if broken(until(operations, ends[middle])):
            high = middle
        else:
            low = middle + 1
    found = until(operations, ends[low]) if ends else operations
    return found if broken(found) else operations


def _without_units(operations: list[Operation], broken: Callable[[History], bool], units: Units) -> list[Operation]:
    """Remove units, many at once first, as long as it stays broken."""
    removable = units(operations)
    size = max(1, len(removable) // 2)
    while True:
        place = 0
        removed = False
        while place < len(removable):
            gone = {id(operation) for unit in removable[place : place + size] for operation in unit}
            shorter = [operation for operation in operations if id(operation) not in gone]
            if len(shorter) < len(operations) and broken(shorter):
                operations, removed = shorter, True
                removable = units(operations)
            else:
                place += size
        if size == 1 and not removed:
            return operations
        size = max(1, min(size, len(removable)) // 2)


def reads(operations: Sequence[Operation]) -> list[list[Operation]]:
    """Return each read, and each transaction that only reads: they can be removed from any history."""
    return [
        [operation]
        for operation in operations
        if operation.verb in ("get", "read")
        or operation.outcome == "fail"
        or (operation.verb == "transaction" and operation.outcome == "ok" and _only_reads(operation))
    ]


def _only_reads(operation: Operation) -> bool:
    return all(step[0] == "read" for step in operation.answer)


def registers(operations: Sequence[Operation]) -> list[list[Operation]]:
    """Return what can be removed from a register: a read, a failed `cas`, and all that has to do with one value.

    With a value go its readers, each `cas` that expects it, and what that wrote. A failed `cas` might have succeeded
    without a value: where there is one, no values are removed.
    """
    found = reads(operations)
    failed = [operation for operation in operations if _has_failed(operation)]
    if failed:
        return [[operation] for operation in failed] + found
    of_value: dict[Any, list[Operation]] = {}
    swaps: dict[Any, list[Any]] = {}
    for operation in operations:
        value = operation.answer if operation.verb == "get" else operation.value
        of_value.setdefault(None if operation.verb == "delete" else value, []).append(operation)
        if operation.verb == "cas":
            swaps.setdefault(operation.expected, []).append(operation.value)
    return [[one for each in _descent(value, swaps) for one in of_value.get(each, ())] for value in of_value] + found


def _has_failed(operation: Operation) -> bool:
    return operation.verb == "cas" and operation.outcome == "ok" and not operation.answer


def _descent(value: Any, swaps: dict[Any, list[Any]]) -> list[Any]:
    found = {value: None}
    waiting = [value]
    while waiting:
        for after in swaps.get(waiting.pop(), ()):
            if after not in found:
                found[after] = None
                waiting.append(after)
    return list(found)

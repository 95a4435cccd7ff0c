"""The oracle of the histories: every order is tried, without any code of the checkers. For a few operations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.histories.operation import Operation


@dataclass(frozen=True)
class Model:
    """What an operation may do to a state.

    Args:
        initial: The state at the start.
        step: The states that an operation may leave behind; none if its answer is impossible. Of an operation that
            crashed, those that it leaves if it takes effect.
    """

    initial: Any
    step: Callable[[Any, Operation], Iterable[Any]]


def register(state: Any, operation: Operation) -> list[Any]:
    """Return what one operation leaves in a register, which holds a value or None."""
    surely = operation.outcome == "ok"
    if operation.verb == "get":
        return [state] if not surely or operation.answer == state else []
    if operation.verb == "put":
        return [operation.value]
    if operation.verb == "delete":
        return [None]
    assert operation.verb == "cas"
    matches = state == operation.expected
    if surely and matches != bool(operation.answer):
        return []
    return [operation.value if matches else state]


REGISTER = Model(None, register)


def linearizable(history: Sequence[Operation], model: Model = REGISTER) -> bool:
    """Return whether there is an order of the operations that respects time and explains every answer.

    Operations that failed are left out; those that crashed may be, and come anywhere after their call.
    """
    operations = [operation for operation in history if operation.outcome != "fail"]
    return _orders(operations, model.initial, model)


def _orders(left: Sequence[Operation], state: Any, model: Model) -> bool:
    if all(operation.outcome == "info" for operation in left):
        return True
    for operation in left:
        if any(other.outcome == "ok" and other.end < operation.call for other in left):
            continue
        rest = [other for other in left if other is not operation]
        if any(_orders(rest, after, model) for after in model.step(state, operation)):
            return True
    return False

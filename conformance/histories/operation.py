"""A history: what each worker asked of a store, when, and what came back.

Two operations overlap unless one returned before the other was called. Intervals may only be too wide: a time is taken
before the call and after the return. Sources: Herlihy & Wing, Linearizability, TOPLAS 1990; jepsen.io (ok, fail, info).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

#: The end of an operation that never returned.
NEVER = 1 << 60
#: Nobody knows what comes of a call that raised: who made it goes on as a worker whose number is higher by this.
NEXT_LIFE = 1_000
#: Numbers of a long list that are told.
_SHOWN = 4

Verb = Literal[
    "get",
    "put",
    "delete",
    "cas",
    "list",
    "increment",
    "append",
    "read",
    "transaction",
    "restore",
    "compact",
    "flush",
    "clear",
    "fork",
]
#: Verbs that change nothing that anybody can see.
UPKEEP: tuple[Verb, ...] = ("compact", "flush")
#: `ok`: it returned. `fail`: it surely did nothing. `info`: it may have taken effect, now or later, or never.
Outcome = Literal["ok", "fail", "info"]
#: One thing that is done in a transaction: a verb, a key, and what is written or was seen.
Step = tuple[str, Any, Any]


class Operation(NamedTuple):
    """One call.

    A tuple, because checkers look at millions of them; the order is that of the calls.

    Args:
        call: When it was called; whole numbers that ascend, of any unit.
        end: When it returned; NEVER if it did not.
        worker: Who called. A worker calls one at a time, and is retired after an `info`.
        verb: What was asked.
        key: Of which key; None for what has no keys. Keys are hashable.
        value: What was put, appended, or swapped in. Values are hashable; None is "missing".
        expected: What a `cas` expected to be there.
        answer: What came back: the value of a `get`, whether a `cas` swapped, the new count of an `increment`, the
            position of an `append` (None where the store tells none), the tuple of values of a `read`, that of keys of
            a `list`. For a `transaction`, a tuple of steps such as `("append", key, value)`, `("read", key, values)`.
        outcome: How it ended.
    """

    call: int
    end: int
    worker: int
    verb: Verb
    key: Any = None
    value: Any = None
    expected: Any = None
    answer: Any = None
    outcome: Outcome = "ok"


History = Sequence[Operation]


def by_key(history: History) -> Mapping[Any, list[Operation]]:
    """Return the operations of each key, in their order: a history is linearizable if that of each key is.

    Source: the locality of linearizability, Herlihy & Wing 1990, theorem 1.
    """
    found: dict[Any, list[Operation]] = {}
    for operation in history:
        found.setdefault(operation.key, []).append(operation)
    return found


def overlaps(history: History) -> bool:
    """Return whether some calls of different workers overlap; the history is in the order of the calls."""
    end, last = -1, -1
    for operation in history:
        if operation.call < end and operation.worker != last:
            return True
        if operation.end > end:
            end, last = operation.end, operation.worker
    return False


def told(operation: Operation) -> str:
    """Return an operation in a few words: `put('a', 3)`, `get('a') -> 3`; `?` where nobody knows what came of it."""
    key = "" if operation.key is None else repr(operation.key)
    lead = f"{key}, " if key else ""
    match operation.verb:
        case "put" | "append":
            asked = f"{operation.verb}({lead}{operation.value!r})"
        case "cas":
            asked = f"cas({lead}{operation.expected!r} to {operation.value!r})"
        case "transaction":
            asked = f"transaction({_steps(operation.answer or operation.value or ())})"
        case verb:
            asked = f"{verb}({key})"
    if operation.outcome == "info":
        return f"{asked} ?"
    if operation.outcome == "fail":
        return f"{asked} refused"
    silent = ("put", "delete", "transaction", "clear", *UPKEEP)
    if operation.verb in silent or (operation.verb == "append" and operation.answer is None):
        return asked
    return f"{asked} -> {'missing' if operation.answer is None else repr(operation.answer)}"


def _steps(steps: Sequence[Step]) -> str:
    return "; ".join(
        " ".join([verb, *([] if key is None else [repr(key)]), *([] if value is None else [_short(value)])])
        for verb, key, value in steps
    )


def _short(value: Any) -> str:
    """Return a value in a few words: of a long list of numbers the last, by which lists differ."""
    if isinstance(value, tuple) and len(value) > _SHOWN and all(isinstance(one, int) for one in value):
        return f"(… {', '.join(map(str, value[-_SHOWN:]))})"
    return repr(value)

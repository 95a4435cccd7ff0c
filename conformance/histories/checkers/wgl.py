"""The search for an order of the operations: exact for every model, exponential in the number of workers at worst.

Depth first over a list of calls and returns: an operation that is placed is taken out of the list, and what was tried
is remembered by (operations placed, state). Sources: Wing & Gong, 1993; Lowe, Testing for linearizability, 2017 (the
memo); Horn & Kroening, 2015, and Porcupine (one key at a time). What is left out here without loss:

- A legal operation that only observes is placed at once, without alternative.
- A crashed operation need not be placed where it does nothing, nor right before a blind write that hides it; of
  several that are the same, the earliest is placed first.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from random import Random

from conformance.histories.models import Model, only_observes, relevant
from conformance.histories.operation import Operation, told
from conformance.histories.verdict import Verdict

NAME = "wgl"
#: Of the random number of an operation. The xor of those placed stands for their set: two sets of a million collide
#: with a chance of 1 in 10^17, and the price does not grow with the history.
_HASH_BITS = 96


def check_wgl(operations: Sequence[Operation], model: Model, budget: int) -> Verdict:
    """Return whether the operations of one key can be put in order.

    Args:
        operations: Of one key.
        model: Of the key.
        budget: How many pairs of placed operations and state are remembered.
    """
    operations = relevant(operations, model)
    entries = _Entries(operations)
    after, before, return_of, operation_at = entries.after, entries.before, entries.return_of, entries.operation_at
    step, nowhere = model.step, len(after) - 1
    observes = [only_observes(operation) for operation in operations]
    hides = [operation.verb in model.blind for operation in operations]
    twins = twins_before(operations)
    random = Random(0)
    hashes = [random.getrandbits(_HASH_BITS) for _ in operations]
    placed = [False] * len(operations)
    waiting = sum(operation.outcome == "ok" for operation in operations)

    state, placed_hash, after_crashed = model.initial, 0, False
    seen: set[tuple[int, Hashable, bool]] = set()
    path: list[tuple[int, Hashable, int, bool]] = []
    furthest, entry = 0, after[0]
    while waiting:
        index = operation_at[entry]
        if index < 0:  # it returns here and can't be placed: step back
            if furthest < entry < nowhere:
                furthest = entry
            while True:
                if not path:
                    return stuck_at(operations[entries.returns_at[furthest]], NAME)
                entry, state, placed_hash, after_crashed = path.pop()
                index = operation_at[entry]
                placed[index] = False
                returning = return_of[index]
                if returning:
                    after[before[returning]] = before[after[returning]] = returning
                    waiting += 1
                after[before[entry]] = before[after[entry]] = entry
                if not observes[index]:
                    break
            entry = after[entry]
            continue
        if after_crashed and hides[index]:
            entry = after[entry]
            continue
        legal, next_state = step(state, operations[index])
        returning = return_of[index]
        if not legal or (not returning and (next_state == state or not (twins[index] < 0 or placed[twins[index]]))):
            entry = after[entry]
            continue
        next_hash = placed_hash ^ hashes[index]
        key = (next_hash, next_state, not returning)
        if key in seen:
            entry = nowhere if observes[index] else after[entry]
            continue
        seen.add(key)
        if len(seen) > budget:
            return Verdict("unknown", f"the search ended after {budget:,} states", checker=NAME)
        path.append((entry, state, placed_hash, after_crashed))
        state, placed_hash, after_crashed, placed[index] = next_state, next_hash, not returning, True
        ahead, behind = before[entry], after[entry]
        after[ahead], before[behind] = behind, ahead
        if returning:
            ahead, behind = before[returning], after[returning]
            after[ahead], before[behind] = behind, ahead
            waiting -= 1
        entry = after[0]
    return Verdict("linearizable", checker=NAME)


class _Entries:
    """Calls and returns in order of time, as a list linked both ways; 0 is its head."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        moments = moments_of(operations)
        size = len(moments) + 2
        self.after = [*range(1, size), size - 1]
        self.before = [0, *range(size - 1)]
        #: The entry of each operation's return; 0 if it did not.
        self.return_of = [0] * len(operations)
        #: The operation called at each entry; -1 where none is.
        self.operation_at = [-1] * size
        #: The operation that returns at an entry.
        self.returns_at: dict[int, int] = {}
        for entry, (_, returns, index) in enumerate(moments, start=1):
            if returns:
                self.return_of[index] = entry
                self.returns_at[entry] = index
            else:
                self.operation_at[entry] = index


def moments_of(operations: Sequence[Operation]) -> list[tuple[int, bool, int]]:
    """Return the time of each call, and of each return (True), with the index of its operation, in order.

    At equal times calls come before returns: intervals are closed.
    """
    calls = [(operation.call, False, index) for index, operation in enumerate(operations)]
    returns = [(operation.end, True, index) for index, operation in enumerate(operations) if operation.outcome == "ok"]
    return sorted(calls + returns)


def twins_before(operations: Sequence[Operation]) -> list[int]:
    """Return for each crashed operation the index of the one before that does the same; -1 where there is none."""
    latest: dict[tuple[Hashable, ...], int] = {}
    found = [-1] * len(operations)
    for index in sorted(range(len(operations)), key=lambda index: operations[index].call):
        operation = operations[index]
        if operation.outcome != "ok":
            effect = (operation.verb, operation.value, operation.expected)
            found[index] = latest.get(effect, -1)
            latest[effect] = index
    return found


def stuck_at(operation: Operation, checker: str) -> Verdict:
    """Return the verdict on a history whose order can be found up to the return of an operation, and no further."""
    why = f"no order of the operations explains {told(operation)}; all that returned before can be explained"
    return Verdict("not linearizable", why, (operation,), operation.key, checker)

"""Counters: increments that answer the new value, or nothing, and gets of the count.

Exact, in O(n log n): the answers tell the order, `order.fault` compares it with real time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from conformance.histories.checkers.order import Rank, fault
from conformance.histories.operation import History, Operation, by_key
from conformance.histories.verdict import Verdict


def check_counter(history: History, initial: int = 0) -> Verdict:
    """Return whether counters are linearizable, each key by itself.

    Args:
        history: Of `increment` (by one) and `get`. An `increment` that is `ok` with the answer None is one of a store
            that does not tell the new value.
        initial: The count at the beginning.
    """
    for key, operations in by_key(history).items():
        verdict = _check(operations, initial, key)
        if not verdict.holds:
            return verdict
    return Verdict("linearizable", checker="counter")


def _check(operations: Sequence[Operation], initial: int, key: Any) -> Verdict:
    def broken(why: str, *witness: Operation) -> Verdict:
        return Verdict("not linearizable", why, witness, key, "counter")

    made: dict[int, Operation] = {}
    seen: defaultdict[int, list[Operation]] = defaultdict(list)
    loose: list[Operation] = []
    for operation in operations:
        _, _, _, verb, _, _, _, answer, outcome = operation
        if outcome == "fail" or verb not in ("increment", "get"):
            if outcome != "fail":
                return Verdict("unknown", f"a counter has no {verb}", (operation,), key, "counter")
        elif outcome == "info" or (answer is None and verb == "increment"):
            if verb == "increment":
                loose.append(operation)
        elif not isinstance(answer, int) or answer < initial + (verb == "increment"):
            return broken(
                f"{answer!r} is no count that {'a get' if verb == 'get' else 'an increment'} can answer", operation
            )
        elif verb == "get":
            seen[answer].append(operation)
        elif made.setdefault(answer, operation) is not operation:
            return broken(f"two increments answered {answer}: one is lost", made[answer], operation)
    top = max(max(made, default=initial), max(seen, default=initial))
    if top - initial > len(made) + len(loose):
        shown = made[top] if top in made else seen[top][0]
        return broken(f"the count is {top} after {len(made) + len(loose)} increments", shown)
    found = fault([Rank(made.get(count), seen.get(count, ())) for count in range(initial, top + 1)], loose)
    if found is None:
        return Verdict("linearizable", checker="counter")
    return broken(_why(found.kind, found.place + initial, found.witness), *found.witness)


def _why(kind: str, count: int, witness: Sequence[Operation]) -> str:
    if kind == "hole":
        return f"the count is {count} or more before so many increments were called"
    if kind == "lost":
        return "an increment that had returned is not in a later count"
    low, high = witness
    return f"the count went back: {high.answer} was answered before the call that answered {low.answer}"

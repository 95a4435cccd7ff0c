"""Logs: appends that answer their position, or nothing, and reads of all there is.

Exact, in O(n log n) and the length of what was read: the log tells the order, `order.fault` compares it with real time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from conformance.histories.checkers.order import Rank, fault
from conformance.histories.operation import History, Operation, by_key
from conformance.histories.verdict import Verdict


def check_log(history: History) -> Verdict:
    """Return whether logs are linearizable, each key by itself.

    Args:
        history: Of `append` and `read`; a value is appended once. The first position is 1. A read shows the whole log:
            all that was appended up to some moment in the course of the read.
    """
    for key, operations in by_key(history).items():
        verdict = _check(operations, key)
        if not verdict.holds:
            return verdict
    return Verdict("linearizable", checker="log")


def _check(operations: Sequence[Operation], key: Any) -> Verdict:
    def broken(why: str, *witness: Operation) -> Verdict:
        return Verdict("not linearizable", why, witness, key, "log")

    appends: dict[Any, Operation] = {}
    placed: dict[int, Operation] = {}
    reads: list[Operation] = []
    for operation in operations:
        _, _, _, verb, _, value, _, answer, outcome = operation
        if verb == "read":
            if outcome == "ok":
                reads.append(operation)
        elif verb != "append":
            return Verdict("unknown", f"a log has no {verb}", (operation,), key, "log")
        elif appends.setdefault(value, operation) is not operation:
            return Verdict("unknown", f"{value!r} is appended twice", (appends[value], operation), key, "log")
        elif outcome == "ok" and answer is not None:
            if not isinstance(answer, int) or answer < 1:
                return broken(f"{answer!r} is no position", operation)
            if placed.setdefault(answer, operation) is not operation:
                return broken(f"two appends answered position {answer}", placed[answer], operation)

    longest = max(reads, key=lambda read: len(read.answer), default=None)
    shown: Sequence[Any] = longest.answer if longest else ()
    witness = (longest,) if longest else ()
    makers: dict[int, Operation] = dict(placed)
    for position, value in enumerate(shown, 1):
        append = appends.get(value)
        if append is None:
            return broken(f"{value!r} is read, and was never appended", *witness)
        if append.outcome == "fail":
            return broken(f"{value!r} is read, and its append was refused", append, *witness)
        if append.outcome == "ok" and append.answer not in (None, position):
            return broken(f"{value!r} was appended at {append.answer} and is read at {position}", append, *witness)
        if makers.setdefault(position, append) is not append:
            return broken(f"position {position} was answered for another value", makers[position], *witness)
    if len(set(shown)) < len(shown):
        return broken("a value is read at two positions", *witness)
    seen: defaultdict[int, list[Operation]] = defaultdict(list)
    for read in reads:
        length = len(read.answer)
        if read.answer != shown[:length]:
            return broken(f"two reads disagree about position {_differs(read.answer, shown)}", read, *witness)
        seen[length].append(read)

    read_of = set(shown)
    loose = [
        append
        for value, append in appends.items()
        if append.outcome != "fail" and value not in read_of and (append.outcome == "info" or append.answer is None)
    ]
    top = max(makers, default=0)
    if top > len(makers) + len(loose):
        return broken(f"position {top} is taken after {len(makers) + len(loose)} appends", makers[top])
    found = fault([Rank(makers.get(position), seen.get(position, ())) for position in range(top + 1)], loose)
    if found is None:
        return Verdict("linearizable", checker="log")
    return broken(_why(found.kind, found.place, found.witness), *found.witness)


def _differs(one: Sequence[Any], other: Sequence[Any]) -> int:
    return next(place for place, (left, right) in enumerate(zip(one, other, strict=False), 1) if left != right)


def _why(kind: str, position: int, witness: Sequence[Operation]) -> str:
    if kind == "hole":
        return f"position {position} is empty: no append can have been made there"
    if kind == "lost":
        return f"{witness[0].value!r} was acknowledged and is missing later"
    later, sooner = witness
    if sooner.verb == "append" and later.verb == "append":
        return f"{sooner.value!r} had been appended before {later.value!r} was, and stands behind it"
    if sooner.verb == "append":
        return f"{sooner.value!r} was acknowledged and is missing later"
    if later.verb == "append":
        return f"{later.value!r} was read before it was appended"
    return "a later read shows less than an earlier one"

"""Sessions: a worker reads its own writes, and never an older value than it has read.

For stores that promise less than linearizability. A worker's own puts take effect in its order; nothing is asked of the
order between workers but that there is one, the same for all, of all values of a key. Source: Terry et al., Session
guarantees for weakly consistent replicated data, PDIS 1994.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.histories.checkers.cycles import components, short_cycle
from conformance.histories.operation import History, Operation, by_key
from conformance.histories.verdict import Verdict


def check_sessions(history: History, initial: Any = None) -> Verdict:
    """Return whether all workers read their own writes, and read monotonically, each key by itself.

    Args:
        history: Of `put` and `get`; a value is put once.
        initial: The value of a key that nobody has put; None is "missing".
    """
    for key, operations in by_key(history).items():
        verdict = _check(operations, initial, key)
        if not verdict.holds:
            return verdict
    return Verdict("linearizable", checker="sessions")


def _check(operations: Sequence[Operation], initial: Any, key: Any) -> Verdict:
    puts: dict[Any, Operation] = {}
    for operation in operations:
        if operation.verb == "put":
            if operation.value == initial or puts.setdefault(operation.value, operation) is not operation:
                return Verdict("unknown", f"{operation.value!r} is not unique", (operation,), key, "sessions")
        elif operation.verb != "get":
            return Verdict("unknown", f"a session has no {operation.verb}", (operation,), key, "sessions")

    def broken(why: str, *witness: Operation) -> Verdict:
        return Verdict("not linearizable", why, witness, key, "sessions")

    numbers: dict[Any, int] = {initial: 0}  # of the values: `initial` is the oldest
    numbers.update((value, number) for number, value in enumerate(puts, 1))
    older: list[dict[int, tuple[Operation, Operation]]] = [{} for _ in numbers]  # and who saw that in which order
    last_put: dict[int, Operation] = {}
    last_get: dict[int, Operation] = {}
    for operation in sorted(operations, key=lambda one: one.call):
        worker = operation.worker
        if operation.outcome != "ok":
            continue
        if operation.verb == "put":
            if worker in last_put:
                older[numbers[last_put[worker].value]].setdefault(
                    numbers[operation.value], (last_put[worker], operation)
                )
            last_put[worker] = operation
            continue
        value = operation.answer
        put = puts.get(value)
        if value not in numbers:
            return broken(f"{value!r} is read, and was never put", operation)
        if put and put.outcome == "fail":
            return broken(f"{value!r} is read, and its put was refused", put, operation)
        if put and operation.end < put.call:
            return broken(f"{value!r} was read before it was put", operation, put)
        number = numbers[value]
        for before, known in ((last_put.get(worker), "value"), (last_get.get(worker), "answer")):
            if before is not None:
                there = numbers[getattr(before, known)]
                if number == 0 != there:
                    return broken(_why(before), before, operation)
                if number != there:
                    older[there].setdefault(number, (before, operation))
        last_get[worker] = operation
    found = components(older)
    if not found:
        return Verdict("linearizable", checker="sessions")
    cycle = short_cycle(older, found[0])
    pairs = [older[one][other] for one, other in zip(cycle, [*cycle[1:], cycle[0]], strict=True)]
    witness = tuple(sorted({id(one): one for pair in pairs for one in pair}.values(), key=lambda one: one.call))
    own = [before for before, after in pairs if after is witness[-1]]
    return broken(_why(own[0] if len({one.worker for one in witness}) == 1 else None), *witness)


def _why(before: Operation | None) -> str:
    if before is None:
        return "no order of the values agrees with what each worker saw"
    return "a worker did not read its own write" if before.verb == "put" else "a worker read an older value than before"

"""An oracle for small histories: every order is tried; and histories that a serial store made, in real time."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from conformance.histories.operation import NEVER, Operation

#: Random histories that a property test tries.
FUZZ = int(os.environ.get("CONFORMANCE_FUZZ", "3000"))

#: The state after an operation; None where it can not have answered so. What did not answer is applied all the same.
Step = Callable[[Any, Operation], Hashable]


def linearizable(history: Sequence[Operation], step: Step, state: Hashable) -> bool:
    """Return whether some order of what surely happened, and some of what may have, agrees with real time."""
    waiting = [one for one in history if one.outcome != "fail"]
    must = {number for number, one in enumerate(waiting) if one.outcome == "ok"}
    tried: set[tuple[frozenset[int], Hashable]] = set()

    def goes_on(left: frozenset[int], state: Hashable) -> bool:
        if not left & must:
            return True
        if (left, state) in tried:
            return False
        tried.add((left, state))
        first = min(waiting[number].end for number in left & must)
        for number in left:
            if waiting[number].call <= first:
                after = step(state, waiting[number])
                if after is not None and goes_on(left - {number}, after):
                    return True
        return False

    return goes_on(frozenset(range(len(waiting))), state)


def interval(draw: random.Random, moment: int, width: int) -> tuple[int, int]:
    """Return the time of a call and of its return, about the moment when it took effect."""
    return moment - draw.randrange(width), moment + draw.randrange(width)


def crashed(draw: random.Random, operation: Operation) -> Operation:
    """Return an operation that nobody heard of again, whether or not the harness noted when it gave up."""
    end = draw.choice([operation.end, NEVER])
    return operation._replace(end=end, answer=None, outcome="info")


def in_order(operations: Sequence[Operation]) -> list[Operation]:
    """Return operations in the order of their calls."""
    return sorted(operations, key=lambda one: one.call)

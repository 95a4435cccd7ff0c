"""Small random histories of both sequential models, with what the oracle says of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random
from typing import Any

from conformance.histories import models
from conformance.histories.operation import Operation
from tests.histories import oracle
from tests.histories.random_histories import MIXES, small

#: Histories of one test.
FUZZ = int(os.environ.get("CONFORMANCE_FUZZ", "10000"))
_TEXTS = ("a", "b", "c", "ab", "")
_ANSWERS = (None, "", "a", "b", "ab", "ba", "abc", "aa")


def judged_histories(seed: int) -> Iterator[tuple[list[Operation], models.Model, bool]]:
    """Yield histories, each with its model and whether it is linearizable."""
    random = Random(seed)
    for _ in range(FUZZ):
        if random.random() < 0.3:
            history = small_kv(random)
            yield history, models.KV, oracle.linearizable(history, KV)
        else:
            history = small(random, random.choice(MIXES), unique=random.random() < 0.3)
            yield history, models.REGISTER, oracle.linearizable(history)


def _step(state: Any, operation: Operation) -> list[Any]:
    if operation.verb == "get":
        return [state] if operation.outcome != "ok" or (operation.answer or "") == state else []
    return [operation.value if operation.verb == "put" else state + operation.value]


KV = oracle.Model("", _step)


def small_kv(random: Random) -> list[Operation]:
    """Return two to seven gets, puts and appends on one key: many are linearizable, many nearly so."""
    operations = [_of_text(random, operation) for operation in small(random, random.choice(MIXES))]
    # Each takes effect at a moment of its time; one that crashed at any later one, or never.
    ends = [one.end if one.outcome == "ok" else 2 * len(operations) for one in operations]
    moments = [
        (random.uniform(one.call, end), place) for place, (one, end) in enumerate(zip(operations, ends, strict=True))
    ]
    state = ""
    for _, place in sorted(moments):
        one = operations[place]
        if one.verb == "get":
            answer = random.choice(_ANSWERS) if random.random() < 0.1 else state
            operations[place] = one._replace(answer=answer if one.outcome == "ok" else None)
        elif one.outcome == "ok" or (one.outcome == "info" and random.random() < 0.6):
            state = _step(state, one)[0]
    return operations


def _of_text(random: Random, operation: Operation) -> Operation:
    if operation.verb == "get":
        return operation
    verb = random.choice(("put", "append", "append"))
    return operation._replace(verb=verb, value=random.choice(_TEXTS), expected=None, answer=None)

"""Histories for tests: small ones at random, and long ones of a simulated store that may be broken."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Literal

from conformance.histories.operation import NEVER, Operation, Outcome, Verb

#: How many small histories are compared with the oracle; a nightly run asks for more.
FUZZ = int(os.environ.get("CONFORMANCE_FUZZ", "24000"))
_workers = count()

#: Which verbs come together in small histories; a repeated one is more frequent.
MIXES: tuple[tuple[Verb, ...], ...] = (
    ("get", "put"),
    ("get", "get", "put"),
    ("get", "put", "cas"),
    ("get", "get", "put", "cas"),
    ("get", "put", "delete"),
    ("get", "put", "cas", "delete"),
    ("get", "cas"),
)


def get(call: int, end: int, answer: Any, outcome: Outcome = "ok") -> Operation:
    """Return a get by a worker of its own."""
    return Operation(call, end, next(_workers), "get", "a", answer=answer, outcome=outcome)


def put(call: int, end: int, value: Any, outcome: Outcome = "ok") -> Operation:
    """Return a put by a worker of its own."""
    return Operation(call, end, next(_workers), "put", "a", value, outcome=outcome)


def delete(call: int, end: int, outcome: Outcome = "ok") -> Operation:
    """Return a delete by a worker of its own."""
    return Operation(call, end, next(_workers), "delete", "a", outcome=outcome)


def cas(call: int, end: int, expected: Any, value: Any, *, answer: bool | None = None) -> Operation:
    """Return a swap by a worker of its own; without an answer it crashed."""
    outcome: Outcome = "info" if answer is None else "ok"
    return Operation(call, end, next(_workers), "cas", "a", value, expected, answer, outcome)


def small(random: Random, verbs: Sequence[Verb], *, unique: bool = True) -> list[Operation]:
    """Return two to seven operations on one key: often linearizable, often nearly so, sometimes nonsense.

    Args:
        random: The source.
        verbs: What the operations are chosen from.
        unique: Whether each value is written once.
    """
    size = random.randint(2, 7)
    span = random.choice((2, 3, 5, 14))
    calls = sorted(random.sample(range(3 * size), size))
    times = sorted(
        (time, kind, place)
        for place, call in enumerate(calls)
        for time, kind in ((call, 0), (call + random.randint(1, span), 1))
    )
    ranks = {(place, kind): rank for rank, (_, kind, place) in enumerate(times)}
    values: list[Any] = [place + 1 if unique else random.randint(1, 3) for place in range(size)]
    operations = []
    for place in range(size):
        call, end = ranks[place, 0], ranks[place, 1]
        verb = random.choice(verbs)
        outcomes: tuple[Outcome, ...] = ("ok", "info", "fail")
        outcome = random.choices(outcomes, (7, 0.5, 0.3) if verb == "get" else (7, 2.7, 0.3))[0]
        operations.append(
            Operation(
                call,
                end if outcome != "info" or random.random() < 0.2 else NEVER,
                place,
                verb,
                "a",
                values[place] if verb in ("put", "cas") else None,
                random.choice([None, *values]) if verb == "cas" else None,
                outcome=outcome,
            )
        )
    answered = _answered(random, operations)
    values = [one.value for one in operations if one.value is not None and one.outcome != "fail"]
    for _ in range(random.choice((0, 0, 1, 1, 2, 7))):
        place = random.randrange(size)
        answered[place] = _otherwise(random, answered[place], values)
    return answered


def _answered(random: Random, operations: Sequence[Operation]) -> list[Operation]:
    """Return the operations with what a register answers if each takes effect at a moment of its time."""
    last = max(2 * len(operations), 1)
    moments = []
    for place, one in enumerate(operations):
        if one.outcome == "ok":
            moments.append((random.uniform(one.call, one.end), place))
        elif one.outcome == "info" and random.random() < 0.6:
            moments.append((random.uniform(one.call, last), place))
    answered = list(operations)
    state = None
    for _, place in sorted(moments):
        one = operations[place]
        answer = None
        if one.verb == "get":
            answer = state
        elif one.verb == "put":
            state = one.value
        elif one.verb == "delete":
            state = None
        else:
            # Swaps at random hardly ever find what they expect: half of them are told.
            if one.outcome == "ok" and random.random() < 0.5 and state != one.value:
                one = one._replace(expected=state)
            answer = state == one.expected
            state = one.value if answer else state
        answered[place] = one._replace(answer=answer if one.outcome == "ok" else None)
    return answered


def _otherwise(random: Random, operation: Operation, values: Sequence[Any]) -> Operation:
    """Return an operation that answered something else."""
    if operation.outcome != "ok" or operation.verb not in ("get", "cas"):
        return operation
    if operation.verb == "get":
        return operation._replace(answer=random.choice([None, *values]))
    if random.random() < 0.5:
        return operation._replace(answer=not operation.answer)
    return operation._replace(expected=random.choice([None, *(one for one in values if one != operation.value)]))


def fuzzed(seed: int, number: int) -> Iterator[tuple[list[Operation], Any]]:
    """Yield small histories, most with unique values, with what the register holds at the start."""
    random = Random(seed)
    for _ in range(number):
        history = small(random, random.choice(MIXES), unique=random.random() < 0.85)
        initial = random.choices((None, 99, 1), (8, 1.5, 0.5))[0]
        if initial is not None:
            history = [_seeing(one, initial) if random.random() < 0.3 else one for one in history]
        yield history, initial


def _seeing(operation: Operation, value: Any) -> Operation:
    if operation.verb == "get" and operation.outcome == "ok":
        return operation._replace(answer=value)
    return operation._replace(expected=value) if operation.verb == "cas" else operation


@dataclass(frozen=True)
class Simulation:
    """Clients that share a simulated store; an operation takes effect at a moment between its call and its end.

    Args:
        operations: How many are called.
        clients: How many call at a time.
        keys: How many keys there are.
        seed: Of all that is random.
        deletes: The share of deletes.
        swaps: The share of swaps; a good third of them is refused.
        reads: The share of gets; the rest are puts.
        crash: The share of operations of which nobody learns the outcome. Such a client is replaced by a new one.
        bug: `stale`: a get sees the value before the current one. `lost`: a write is acknowledged and not done.
        rate: The share of operations that the bug befalls.
        values: Values are written again and again, from a range of so many; 0 if each is written once.
    """

    operations: int
    clients: int = 8
    keys: int = 1
    seed: int = 0
    deletes: float = 0.0
    swaps: float = 0.0
    reads: float = 0.5
    crash: float = 0.0
    bug: Literal["stale", "lost"] | None = None
    rate: float = 0.0
    values: int = 0


@dataclass
class _Call:
    """An operation that is under way."""

    begun: float
    worker: int
    verb: Verb
    key: int
    value: Any
    expected: Any
    answer: Any = None
    ended: float | None = None


def simulate(simulation: Simulation) -> list[Operation]:
    """Return the history of a simulation, in the order of the calls."""
    random = Random(simulation.seed)
    store: dict[int, Any] = {}
    older: dict[int, Any] = {}
    calls: list[_Call] = []
    events: list[tuple[float, int, str, int, _Call | None]] = []
    number = 0

    def at(time: float, what: str, worker: int, call: _Call | None = None) -> None:
        nonlocal number
        number += 1
        heappush(events, (time, number, what, worker, call))

    workers = simulation.clients
    for worker in range(workers):
        at(random.random(), "call", worker)
    while events:
        now, _, what, worker, call = heappop(events)
        if call is None:
            if len(calls) == simulation.operations:
                continue
            call = _called(simulation, random, now, worker, len(calls) + 1, store)
            calls.append(call)
            ended = now + 0.05 + random.expovariate(1.0)
            if random.random() < simulation.crash:
                if random.random() < 0.5:
                    at(now + random.expovariate(0.2), "effect", worker, call)
                at(ended, "call", workers)
                workers += 1
            else:
                at(random.uniform(now, ended), "effect", worker, call)
                at(ended, "return", worker, call)
        elif what == "effect":
            strikes = random.random() < simulation.rate
            _take_effect(call, store, older, simulation.bug if strikes else None)
        else:
            call.ended = now
            at(now + random.uniform(0, 0.2), "call", worker)
    return _recorded(calls)


def _called(
    simulation: Simulation, random: Random, now: float, worker: int, number: int, store: dict[int, Any]
) -> _Call:
    key = random.randrange(simulation.keys)
    luck = random.random()
    many = simulation.values
    value = random.randrange(many) if many else number
    if luck < simulation.reads:
        return _Call(now, worker, "get", key, None, None)
    if luck < simulation.reads + simulation.deletes:
        return _Call(now, worker, "delete", key, None, None)
    if luck < simulation.reads + simulation.deletes + simulation.swaps:
        expected = store.get(key)
        if random.random() < 0.3:
            expected = random.randrange(many) if many else random.randrange(1, number + 1)
        return _Call(now, worker, "cas", key, value, None if expected == value else expected)
    return _Call(now, worker, "put", key, value, None)


def _take_effect(call: _Call, store: dict[int, Any], older: dict[int, Any], bug: str | None) -> None:
    current = store.get(call.key)
    if call.verb == "get":
        call.answer = older.get(call.key) if bug == "stale" else current
        return
    call.answer = current == call.expected if call.verb == "cas" else None
    if call.answer is not False and bug != "lost":
        older[call.key], store[call.key] = current, call.value


def _recorded(calls: Sequence[_Call]) -> list[Operation]:
    """Return the calls as operations, with the ranks of their times."""
    times = sorted(
        (time, place, kind)
        for place, call in enumerate(calls)
        for kind, time in enumerate((call.begun, call.ended))
        if time is not None
    )
    ranks = {(place, kind): rank for rank, (_, place, kind) in enumerate(times)}
    return [
        Operation(
            ranks[place, 0],
            ranks.get((place, 1), NEVER),
            call.worker,
            call.verb,
            call.key,
            call.value,
            call.expected,
            None if call.ended is None else call.answer,
            "info" if call.ended is None else "ok",
        )
        for place, call in enumerate(calls)
    ]

"""Plans: what each worker will ask of the store. Small ones, many of them; everything is drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.histories.operation import Verb
from conformance.histories.values import LONG


@dataclass(frozen=True)
class Ask:
    """One call that a worker makes.

    Args:
        verb: What is asked. A `cas` reads a value, and swaps it if it is still there.
        key: Of which key.
        number: Tells the value that is written; unique in a plan.
    """

    verb: Verb
    key: Any = None
    number: int = 0


@dataclass(frozen=True)
class Plan:
    """What is asked in one round.

    Args:
        before: Asked first, by one worker alone: the store gets some age, so that what it does now and then, such as
            compaction, falls into the round.
        workers: What each worker asks, at the same time.
        after: Asked last, by a new worker alone.
        times: How often a number is repeated in a value.
    """

    before: Sequence[Ask]
    workers: Sequence[Sequence[Ask]]
    after: Sequence[Ask]
    times: int = 1


#: The number of a value that is there from the start.
_FIRST = 99_999


def _number(worker: int, place: int) -> int:
    return (worker + 1) * 100_000 + place


def _before(draw: random.Random, key: Callable[[], Any], verb: Verb, age: int) -> list[Ask]:
    return [Ask(verb, key(), _number(-1, place + 1)) for place in range(draw.randrange(age + 1))]


def registers(seed: int, workers: int, length: int, age: int) -> Plan:
    """Puts, gets and a few deletes of two keys."""
    draw = random.Random(seed)
    keys = ("a", "b")

    def ask(worker: int, place: int) -> Ask:
        verb: Verb = draw.choices(("put", "get", "delete"), (10, 10, 1))[0]
        return Ask(verb, draw.choice(keys), _number(worker, place))

    plans = [[ask(worker, place) for place in range(length)] for worker in range(workers)]
    return Plan(_before(draw, lambda: draw.choice(keys), "put", age), plans, [Ask("get", key) for key in keys])


def overwrites(seed: int, workers: int, length: int, age: int) -> Plan:
    """Long values that overwrite one another, and are read all the while."""
    draw = random.Random(seed)
    plans = [
        [
            Ask("put" if draw.random() < (0.7 if worker % 2 else 0.2) else "get", "a", _number(worker, place))
            for place in range(length)
        ]
        for worker in range(workers)
    ]
    return Plan(
        [Ask("put", "a", _FIRST), *_before(draw, lambda: "a", "put", age)], plans, [Ask("get", "a")], times=LONG
    )


def distinct_keys(seed: int, workers: int, length: int, age: int) -> Plan:
    """Every worker puts keys of its own, and gets some of them again."""
    draw = random.Random(seed)
    plans, written = [], []
    for worker in range(workers):
        mine = [f"w{worker}-{place}" for place in range(length)]
        puts = [Ask("put", key, _number(worker, place)) for place, key in enumerate(mine)]
        plans.append([one for put in puts for one in (put, *([Ask("get", put.key)] if draw.random() < 0.3 else []))])
        written += mine
    before = _before(draw, lambda: f"old-{draw.randrange(20)}", "put", age)
    return Plan(before, plans, [Ask("get", key) for key in (*written, *dict.fromkeys(one.key for one in before))])


def swaps(seed: int, workers: int, length: int, age: int) -> Plan:
    """Compare-and-set of one key, with gets in between."""
    draw = random.Random(seed)
    plans = [
        [Ask("cas" if draw.random() < 0.8 else "get", "a", _number(worker, place)) for place in range(length)]
        for worker in range(workers)
    ]
    return Plan([Ask("put", "a", _FIRST), *_before(draw, lambda: "a", "put", age)], plans, [Ask("get", "a")])


def updates(seed: int, workers: int, length: int, age: int) -> Plan:
    """Transactions that read a value and write another in its place."""
    draw = random.Random(seed)
    plans = [
        [Ask("transaction" if draw.random() < 0.8 else "get", "a", _number(worker, place)) for place in range(length)]
        for worker in range(workers)
    ]
    return Plan([Ask("put", "a", _FIRST), *_before(draw, lambda: "a", "put", age)], plans, [Ask("get", "a")])


def listings(seed: int, workers: int, length: int, age: int) -> Plan:
    """All keys are listed while some come and go, and others stay."""
    draw = random.Random(seed)
    stay = [f"stays-{place}" for place in range(4)]
    verbs: tuple[Verb, ...] = ("list", "put", "delete")

    def ask(worker: int, place: int) -> Ask:
        verb = draw.choices(verbs, (8, 1, 1) if worker % 2 else (1, 8, 8))[0]
        return Ask(verb, None if verb == "list" else f"goes-{draw.randrange(3)}", _number(worker, place))

    first = [Ask("put", f"goes-{place}", _FIRST - 10 - place) for place in range(3)]
    before = [*first, *(Ask("put", key, _FIRST - place) for place, key in enumerate(stay))]
    before += _before(draw, lambda: draw.choice(stay), "put", age)
    plans = [[ask(worker, place) for place in range(length)] for worker in range(workers)]
    return Plan(before, plans, [Ask("list"), *(Ask("get", key) for key in dict.fromkeys(one.key for one in before))])


def appends(seed: int, workers: int, length: int, age: int) -> Plan:
    """Appends to a log, with reads of all of it in between."""
    draw = random.Random(seed)
    plans = [
        [Ask("append" if draw.random() < 0.75 else "read", None, _number(worker, place)) for place in range(length)]
        for worker in range(workers)
    ]
    return Plan(_before(draw, lambda: None, "append", age), plans, [Ask("read")])


#: By name: drawn from a seed, for so many workers that ask so often, of a store that is up to so many calls old.
PLANS: Mapping[str, Callable[[int, int, int, int], Plan]] = {
    "registers": registers,
    "overwrites": overwrites,
    "distinct keys": distinct_keys,
    "swaps": swaps,
    "updates": updates,
    "listings": listings,
    "appends": appends,
}

"""Plans for a state store, in which each call is about one key, or about all."""

from __future__ import annotations

import random

from conformance.histories.operation import Verb
from conformance.histories.plans.plan import FIRST, Ask, Plan, aged, number_for
from conformance.histories.values import LONG


def registers(seed: int, workers: int, length: int, age: int) -> Plan:
    """Puts, gets and a few deletes of two keys."""
    draw = random.Random(seed)
    keys = ("a", "b")

    def ask(worker: int, place: int) -> Ask:
        verb: Verb = draw.choices(("put", "get", "delete"), (10, 10, 1))[0]
        return Ask(verb, draw.choice(keys), number_for(worker, place))

    plans = [[ask(worker, place) for place in range(length)] for worker in range(workers)]
    return Plan(aged(draw, lambda: draw.choice(keys), "put", age), plans, [Ask("get", key) for key in keys])


def overwrites(seed: int, workers: int, length: int, age: int) -> Plan:
    """Long values that overwrite one another, and are read all the while."""
    draw = random.Random(seed)
    plans = [
        [
            Ask("put" if draw.random() < (0.7 if worker % 2 else 0.2) else "get", "a", number_for(worker, place))
            for place in range(length)
        ]
        for worker in range(workers)
    ]
    return Plan([Ask("put", "a", FIRST), *aged(draw, lambda: "a", "put", age)], plans, [Ask("get", "a")], times=LONG)


def distinct_keys(seed: int, workers: int, length: int, age: int) -> Plan:
    """Every worker puts keys of its own, and gets some of them again."""
    draw = random.Random(seed)
    plans, written = [], []
    for worker in range(workers):
        mine = [f"w{worker}-{place}" for place in range(length)]
        puts = [Ask("put", key, number_for(worker, place)) for place, key in enumerate(mine)]
        plans.append([one for put in puts for one in (put, *([Ask("get", put.key)] if draw.random() < 0.3 else []))])
        written += mine
    before = aged(draw, lambda: f"old-{draw.randrange(20)}", "put", age)
    return Plan(before, plans, [Ask("get", key) for key in (*written, *dict.fromkeys(one.key for one in before))])


def swaps(seed: int, workers: int, length: int, age: int) -> Plan:
    """Compare-and-set of one key, with gets in between."""
    draw = random.Random(seed)
    plans = [
        [Ask("cas" if draw.random() < 0.8 else "get", "a", number_for(worker, place)) for place in range(length)]
        for worker in range(workers)
    ]
    return Plan([Ask("put", "a", FIRST), *aged(draw, lambda: "a", "put", age)], plans, [Ask("get", "a")])


def updates(seed: int, workers: int, length: int, age: int) -> Plan:
    """Transactions that read a value and write another in its place."""
    draw = random.Random(seed)
    plans = [
        [
            Ask("transaction" if draw.random() < 0.8 else "get", "a", number_for(worker, place))
            for place in range(length)
        ]
        for worker in range(workers)
    ]
    return Plan([Ask("put", "a", FIRST), *aged(draw, lambda: "a", "put", age)], plans, [Ask("get", "a")])


def listings(seed: int, workers: int, length: int, age: int) -> Plan:
    """All keys are listed while some come and go, and others stay."""
    draw = random.Random(seed)
    stay = [f"stays-{place}" for place in range(4)]

    def ask(worker: int, place: int) -> Ask:
        if worker % 2:
            return Ask("list", None, number_for(worker, place))
        verb: Verb = draw.choices(("put", "delete"), (2, 1))[0]  # a delete of what is gone writes nothing
        return Ask(verb, f"goes-{draw.randrange(3)}", number_for(worker, place))

    first = [Ask("put", f"goes-{place}", FIRST - 10 - place) for place in range(3)]
    before = [*first, *(Ask("put", key, FIRST - place) for place, key in enumerate(stay))]
    before += aged(draw, lambda: draw.choice(stay), "put", age)
    plans = [[ask(worker, place) for place in range(length)] for worker in range(workers)]
    return Plan(before, plans, [Ask("list"), *(Ask("get", key) for key in dict.fromkeys(one.key for one in before))])

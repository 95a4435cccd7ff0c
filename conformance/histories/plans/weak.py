"""Plans for state stores that promise less than one order of all calls, or offer nothing that two can't do at once."""

from __future__ import annotations

import random

from conformance.histories.plans.plan import Ask, Plan, aged, number_for

#: Where a counter begins.
START = 100


def sessions(seed: int, workers: int, length: int, age: int) -> Plan:
    """Puts and gets of two keys, mostly of one and the same for a while."""
    draw = random.Random(seed)
    keys = ("a", "b")

    def ask(worker: int, place: int) -> Ask:
        return Ask("put" if draw.random() < 0.4 else "get", draw.choices(keys, (3, 1))[0], number_for(worker, place))

    plans = [[ask(worker, place) for place in range(length)] for worker in range(workers)]
    return Plan(aged(draw, lambda: draw.choice(keys), "put", age), plans, [Ask("get", key) for key in keys])


def counts(seed: int, workers: int, length: int, age: int) -> Plan:
    """A counter that everybody reads, and puts one higher."""
    draw = random.Random(seed)
    before = [Ask("put", "a", START), *(Ask("increment", "a") for _ in range(draw.randrange(age + 1)))]
    return Plan(before, [[Ask("increment", "a")] * length for _ in range(workers)], [Ask("get", "a")])

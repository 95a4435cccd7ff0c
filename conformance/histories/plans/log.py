"""Plans for a log."""

from __future__ import annotations

import random

from conformance.histories.plans.plan import Ask, Plan, aged, number_for


def appends(seed: int, workers: int, length: int, age: int) -> Plan:
    """Appends to a log, with reads of all of it in between."""
    draw = random.Random(seed)
    plans = [
        [Ask("append" if draw.random() < 0.75 else "read", None, number_for(worker, place)) for place in range(length)]
        for worker in range(workers)
    ]
    return Plan(aged(draw, lambda: None, "append", age), plans, [Ask("read")])

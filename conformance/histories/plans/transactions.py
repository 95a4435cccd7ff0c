"""Plans for transactions over several keys."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

from conformance.histories.operation import Step
from conformance.histories.plans.plan import Ask, Plan

#: What each account holds at the start: more than all transfers of a plan can take away.
BALANCE = 1_000


def lists(seed: int, workers: int, length: int, age: int) -> Plan:
    """Transactions that read lists and append to them, some of which are given up; and gets outside of any."""
    draw = random.Random(seed)
    keys = "ab" if draw.random() < 0.7 else "abc"
    numbers = itertools.count(1)

    def ask(worker: int) -> Ask:
        if draw.random() < (0.4 if worker % 2 else 0.1):
            return Ask("get", steps=(("read", draw.choice(keys), None),))
        touched = draw.choices(keys, k=draw.randint(2, 3))
        steps: list[Step] = [
            ("append", key, next(numbers)) if draw.random() < 0.5 else ("read", key, None) for key in touched
        ]
        if draw.random() < 0.2:
            steps.append(("abort", None, None))
        return Ask("transaction", steps=tuple(steps))

    before = [Ask("put", f"old-{draw.randrange(5)}", place + 1) for place in range(draw.randrange(age + 1))]
    plans = [[ask(worker) for _ in range(_fewer(length, 2))] for worker in range(workers)]
    return Plan(before, plans, [Ask("transaction", steps=tuple(("read", key, None) for key in keys))])


def transfers(seed: int, workers: int, length: int, age: int) -> Plan:
    """Transfers between accounts, some of which are given up, and transactions that get the balance of each."""
    draw = random.Random(seed)
    accounts = ("a", "b", "c")

    def transfer() -> Ask:
        one, other = draw.sample(accounts, 2)
        amount = draw.randint(1, 5)
        given_up: tuple[Step, ...] = (("abort", None, None),) if draw.random() < 0.1 else ()
        return Ask("transaction", steps=(("add", one, -amount), ("add", other, amount), *given_up))

    def audit() -> Ask:
        return Ask("transaction", steps=tuple(("get", each, None) for each in draw.sample(accounts, 3)))

    before = [Ask("put", each, BALANCE) for each in accounts]
    after = [audit(), *(Ask("get", each) for each in accounts)]
    return _mixed(draw, (workers, length, age), before, transfer, audit, after)


def replacements(seed: int, workers: int, length: int, age: int) -> Plan:
    """Transactions that replace a key by another one, and transactions that list twice and get what they listed."""
    draw = random.Random(seed)
    numbers = itertools.count(10)

    def replace() -> Ask:
        number = next(numbers)
        return Ask("transaction", steps=(("replace", f"m-{number}", number),))

    def look() -> Ask:
        return Ask("transaction", steps=(("scan", None, None), ("scan", None, None)))

    before = [Ask("put", f"m-{place}", place) for place in range(1, 5)]
    return _mixed(draw, (workers, length, age), before, replace, look, [look()])


def _mixed(
    draw: random.Random,
    size: tuple[int, int, int],
    before: list[Ask],
    change: Callable[[], Ask],
    look: Callable[[], Ask],
    after: list[Ask],
) -> Plan:
    workers, length, age = size
    before = [*before, *(change() for _ in range(draw.randrange(age // 2 + 1)))]
    plans = [[change() if draw.random() < 0.5 else look() for _ in range(_fewer(length, 3))] for _ in range(workers)]
    return Plan(before, plans, after)


def _fewer(length: int, calls: int) -> int:
    """Return how many transactions take as long as so many calls; a few are needed in any case."""
    return min(length, 3 + length // calls)

"""Plans for stores of runs and of layers, beside those of a state: no deletes, which not every store of runs has."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from conformance.histories.operation import Verb
from conformance.histories.plans import log, upkeep
from conformance.histories.plans.plan import FIRST, Ask, Plan, aged, number_for
from conformance.histories.records import RUN

_SHARED = ("a", "b")
#: Calls of a worker at most: a save takes as long as many a put, and longer the more events a run has.
_LONGEST = 15
#: Runs that are there from the start, and stay.
_STAY = 4
#: Scopes: one is used, the other one cleared.
_USED, _CLEARED = "used", "cleared"


def saves(seed: int, workers: int, length: int, age: int) -> Plan:
    """Saves of two runs, and gets of them."""
    draw = random.Random(seed)

    def ask(worker: int, place: int) -> Ask:
        return Ask(draw.choice(("put", "get")), draw.choice(_SHARED), number_for(worker, place))

    plans = [[ask(worker, place) for place in range(min(length, _LONGEST))] for worker in range(workers)]
    return Plan(aged(draw, lambda: draw.choice(_SHARED), "put", age), plans, [Ask("get", key) for key in _SHARED])


def lasting(seed: int, workers: int, length: int, age: int) -> Plan:
    """Saves of runs that all share and of runs of one's own, which show each save that is lost; and gets."""
    plan = upkeep.writes(seed, workers, min(length, _LONGEST), age)
    asked = [[replace(ask, verb="get") if ask.verb == "delete" else ask for ask in asks] for asks in plan.workers]
    return replace(plan, workers=asked)


def listings(seed: int, workers: int, length: int, age: int) -> Plan:
    """All runs are listed while others are saved, old ones and new ones."""
    draw = random.Random(seed)
    stay = [f"stays-{place}" for place in range(_STAY)]

    def ask(worker: int, place: int) -> Ask:
        if worker % 2:
            return Ask("list", None, number_for(worker, place))
        return Ask("put", draw.choice((f"new-{worker}-{place}", draw.choice(stay))), number_for(worker, place))

    before = [*(Ask("put", key, FIRST - place) for place, key in enumerate(stay))]
    before += aged(draw, lambda: draw.choice(stay), "put", age)
    plans = [[ask(worker, place) for place in range(min(length, _LONGEST))] for worker in range(workers)]
    return Plan(before, plans, [Ask("list")])


def events(seed: int, workers: int, length: int, age: int) -> Plan:
    """Events are appended to one run, and all of them read."""
    plan = log.appends(seed, workers, min(length, _LONGEST), age)
    return Plan([Ask("put", RUN, FIRST), *plan.before], plan.workers, plan.after)


def fenced(seed: int, workers: int, length: int, age: int) -> Plan:
    """One run is acquired, read and saved with the token, by each in turn; and read."""
    return _of_one(seed, workers, length, age, lambda _, draw: "cas" if draw.random() < 0.8 else "get")


def forks(seed: int, workers: int, length: int, age: int) -> Plan:
    """One run is saved by some, and forked and read by others."""

    def verb(worker: int, draw: random.Random) -> Verb:
        return draw.choice(("fork", "fork", "get") if worker % 2 else ("put", "put", "get"))

    return _of_one(seed, workers, length, age, verb)


def scopes(seed: int, workers: int, length: int, age: int) -> Plan:
    """Entries of one scope are written and read while the last worker writes another scope, and clears it."""
    draw = random.Random(seed)
    shared = [(_USED, key) for key in _SHARED]

    def use(worker: int, place: int) -> Ask:
        own = (_USED, f"w{worker}-{place}")
        verb: Verb = draw.choice(("put", "put", "get"))
        key = own if verb == "put" and draw.random() < 0.5 else draw.choice(shared)
        return Ask(verb, key, number_for(worker, place))

    def clear(place: int) -> Ask:
        number = number_for(workers - 1, place)
        return Ask("clear", _CLEARED, number) if place % 2 else Ask("put", (_CLEARED, f"c{place}"), number)

    length = min(length, _LONGEST)
    plans = [[use(worker, place) for place in range(length)] for worker in range(workers - 1)]
    plans.append([clear(place) for place in range(length)])
    before = [Ask("put", key, FIRST - place) for place, key in enumerate(shared)]
    before += aged(draw, lambda: draw.choice(shared), "put", age)
    asked = (ask.key for asks in plans for ask in asks if ask.verb != "clear")
    keys = dict.fromkeys([*shared, *asked])
    return Plan(before, plans, [Ask("get", key) for key in keys])


def _of_one(seed: int, workers: int, length: int, age: int, verb: Callable[[int, random.Random], Verb]) -> Plan:
    draw = random.Random(seed)
    plans = [
        [Ask(verb(worker, draw), RUN, number_for(worker, place)) for place in range(min(length, _LONGEST))]
        for worker in range(workers)
    ]
    return Plan([Ask("put", RUN, FIRST), *aged(draw, lambda: RUN, "put", age)], plans, [Ask("get", RUN)])

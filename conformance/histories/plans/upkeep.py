"""Plans in which the last worker looks after the store while the others use it, and one in which every loss shows."""

from __future__ import annotations

import random
from collections.abc import Sequence

from conformance.histories.operation import Verb
from conformance.histories.plans.plan import FIRST, Ask, Plan, aged, number_for

_SHARED = ("a", "b")
#: Calls of a worker at most: a compaction takes as long as many others.
_LONGEST = 15
_UPKEEP: tuple[Verb, ...] = ("compact", "flush", "get", "put")


def writes(seed: int, workers: int, length: int, age: int) -> Plan:
    """Puts of keys that all share and of keys of one's own, which show each write that is lost; gets; few deletes."""
    draw = random.Random(seed)
    return _plan(draw, [[_use(draw, worker, place) for place in range(length)] for worker in range(workers)], age)


def upkeep(seed: int, workers: int, length: int, age: int) -> Plan:
    """The same, while the last worker mostly compacts and flushes."""
    draw = random.Random(seed)

    def look_after(place: int) -> Ask:
        verb = draw.choices(_UPKEEP, (5, 2, 2, 1))[0]
        return Ask(verb, None if verb in ("compact", "flush") else draw.choice(_SHARED), number_for(workers - 1, place))

    length = min(length, _LONGEST)
    plans = [[_use(draw, worker, place) for place in range(length)] for worker in range(workers - 1)]
    return _plan(draw, [*plans, [look_after(place) for place in range(length)]], age)


def log_upkeep(seed: int, workers: int, length: int, age: int) -> Plan:
    """Appends, and reads that begin with the latest checkpoint, while the last worker mostly compacts."""
    draw = random.Random(seed)

    def ask(worker: int, place: int) -> Ask:
        verbs: tuple[Verb, ...] = ("compact", "restore", "append") if worker == workers - 1 else ("append", "restore")
        weights = (7, 2, 1) if worker == workers - 1 else (5, 5)
        return Ask(draw.choices(verbs, weights)[0], None, number_for(worker, place))

    plans = [[ask(worker, place) for place in range(min(length, _LONGEST))] for worker in range(workers)]
    # A checkpoint leaves one event after it, so that two are needed for one.
    before = [Ask("append", None, FIRST), Ask("append", None, FIRST - 1), *aged(draw, lambda: None, "append", age)]
    if draw.random() < 0.25:
        before.insert(draw.randrange(2, len(before) + 1), Ask("compact"))
    return Plan(before, plans, [Ask("restore")])


def _use(draw: random.Random, worker: int, place: int) -> Ask:
    verb: Verb = draw.choices(("put", "get", "delete"), (12, 7, 1))[0]
    own = verb == "put" and draw.random() < 0.4
    return Ask(verb, f"w{worker}-{place}" if own else draw.choice(_SHARED), number_for(worker, place))


def _plan(draw: random.Random, plans: Sequence[Sequence[Ask]], age: int) -> Plan:
    before = [Ask("put", "a", FIRST), *aged(draw, lambda: draw.choice(_SHARED), "put", age)]
    keys = dict.fromkeys((*_SHARED, *(ask.key for asks in plans for ask in asks if ask.key is not None)))
    return Plan(before, plans, [Ask("get", key) for key in keys])

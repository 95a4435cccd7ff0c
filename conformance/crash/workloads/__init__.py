"""The workloads: what a store is asked to do before it crashes.

Values tell where they come from (`k1.3.` is the third step's value of k1), so a value that nobody wrote is recognised.
Sizes are drawn from below one sector to above several pages, so that writes grow, shrink, tear and span. Here are the
workloads of states and logs, and what gives a workload by its name.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from conformance.crash.subjects import Step
from conformance.crash.workloads.jobs import JOB_WORKLOADS
from conformance.crash.workloads.layers import LAYER_WORKLOADS
from conformance.crash.workloads.runs import RUN_WORKLOADS
from conformance.crash.workloads.values import LARGE, SIZES, value_of
from conformance.crash.workloads.vectors import VECTOR_WORKLOADS

__all__ = ["LARGE", "SIZES", "Workload", "value_of", "workload"]


@dataclass(frozen=True)
class Workload:
    """Steps, in order, with a name for reports.

    Args:
        name: What is done, in a few words: `puts and deletes`.
        contract: Whose verbs the steps use.
        steps: What is done.
    """

    name: str
    contract: str
    steps: tuple[Step, ...]


#: Makes the steps of a workload for a domain of values, from a source of randomness.
Maker = Callable[[random.Random, str], list[Step]]


def _puts_and_deletes(draw: random.Random, domain: str, count: int = 12) -> list[Step]:
    steps: list[Step] = []
    live: set[str] = set()
    for number in range(count):
        key = f"k{draw.randrange(4)}"
        if key in live and draw.random() < 0.25:
            steps.append(Step("delete", (key,)))
            live.discard(key)
        else:
            steps.append(Step("set", (key, value_of(key, number, SIZES[(number + int(key[1])) % 3], domain))))
            live.add(key)
    return steps


def _overwrites(draw: random.Random, domain: str) -> list[Step]:
    sizes = [25, 705, 5_005, 1_200, 25, 9_000, 300]
    return [Step("set", ("k0", value_of("k0", number, size, domain))) for number, size in enumerate(sizes)] + [
        Step("set", ("k1", value_of("k1", 7, draw.choice(SIZES), domain))),
        Step("set", ("k0", value_of("k0", 8, 705, domain))),
    ]


def _large_values(draw: random.Random, domain: str) -> list[Step]:
    sizes = [draw.choice(LARGE), 25, LARGE[1], LARGE[2], 705]
    return [Step("set", (f"k{number % 2}", value_of(f"k{number % 2}", number, size, domain)))
            for number, size in enumerate(sizes)]  # fmt: skip


def _transactions(draw: random.Random, domain: str) -> list[Step]:
    def put(key: str, number: int) -> Step:
        return Step("set", (key, value_of(key, number, draw.choice(SIZES), domain)))

    return [
        Step("transaction", (put("k0", 0), put("k1", 0), put("k2", 0))),
        put("k3", 1),
        Step("transaction", (put("k0", 2), Step("delete", ("k1",)), put("k4", 2))),
        Step("transaction", (Step("delete", ("k3",)), put("k1", 3), put("k2", 3), put("k0", 3))),
        put("k2", 4),
        Step("transaction", (put("k5", 5), put("k2", 5))),
    ]


def _maintenance(offers: Collection[str]) -> Maker:
    def make(draw: random.Random, domain: str) -> list[Step]:
        upkeep = [Step(verb) for verb in ("flush", "compact") if verb in offers]
        steps = _puts_and_deletes(draw, domain, 10)
        return [*steps[:5], *upkeep, *steps[5:8], *upkeep, *steps[8:]]

    return make


def _reopening(steps: Maker) -> Maker:
    def make(draw: random.Random, domain: str) -> list[Step]:
        plain = steps(draw, domain)
        third = len(plain) // 3
        return [*plain[:third], Step("reopen"), *plain[third : 2 * third], Step("reopen"), *plain[2 * third :]]

    return make


def _some_puts_and_deletes(draw: random.Random, domain: str) -> list[Step]:
    def put(key: str, number: int) -> Step:
        return Step("set", (key, value_of(key, number, draw.choice(SIZES), domain)))

    # The key that is not touched after the reopening tells of a store that took an error for an empty place.
    first = [put("k0", 0), put("k1", 1), put("k3", 2)]
    return [*first, Step("reopen"), put("k0", 3), Step("delete", ("k1",)), put("k2", 4)]


def _event(number: int, size: int, domain: str) -> Any:
    return value_of("e", number, size, domain)


def _appends(draw: random.Random, domain: str, count: int = 12) -> list[Step]:
    return [
        Step("append", (_event(number, SIZES[(number + draw.randrange(3)) % 3], domain),)) for number in range(count)
    ]


def _some_appends(draw: random.Random, domain: str) -> list[Step]:
    events = [Step("append", (_event(number, draw.choice(SIZES), domain),)) for number in range(5)]
    return [*events[:2], Step("reopen"), *events[2:]]


def _batches(draw: random.Random, domain: str) -> list[Step]:
    steps: list[Step] = []
    number = 0
    for size in (3, 1, 4, 2, 5):
        events = [_event(number + place, draw.choice(SIZES), domain) for place in range(size)]
        steps.append(Step("append_batch", (events,)))
        steps.append(Step("append", (_event(number + size, draw.choice(SIZES), domain),)))
        number += size + 1
    return steps


def _large_events(draw: random.Random, domain: str) -> list[Step]:
    sizes = (draw.choice(LARGE), 25, LARGE[1], LARGE[2], 705)
    return [Step("append", (_event(number, size, domain),)) for number, size in enumerate(sizes)]


def _compaction(draw: random.Random, domain: str) -> list[Step]:
    def some(first: int, count: int) -> list[Step]:
        return [Step("append", (_event(number, draw.choice(SIZES), domain),)) for number in range(first, first + count)]

    def folded(upto: int) -> Any:
        return value_of("s", upto, 705, domain)

    return [
        *some(1, 4),
        Step("checkpoint", (folded(3), 3)),
        Step("compact", (2,)),
        *some(5, 3),
        Step("checkpoint", (folded(6), 6)),
        Step("compact", (6,)),
        *some(8, 2),
    ]


_MAKERS: dict[tuple[str, str], Maker] = {
    ("state", "puts and deletes"): _puts_and_deletes,
    ("state", "overwrites growing and shrinking"): _overwrites,
    ("state", "values above a page"): _large_values,
    ("state", "transactions"): _transactions,
    ("state", "some puts and deletes"): _some_puts_and_deletes,
    ("state", "closing and reopening"): _reopening(_puts_and_deletes),
    ("log", "appends"): _appends,
    ("log", "batches"): _batches,
    ("log", "events above a page"): _large_events,
    ("log", "checkpoints and compaction"): _compaction,
    ("log", "some appends"): _some_appends,
    ("log", "closing and reopening"): _reopening(_appends),
}


#: Those of the other contracts, which use what the store offers.
_OF_OFFERS = {"runs": RUN_WORKLOADS, "jobs": JOB_WORKLOADS, "layers": LAYER_WORKLOADS, "vectors": VECTOR_WORKLOADS}


def workload(contract: str, name: str, *, domain: str, seed: int, offers: Collection[str] = ()) -> Workload:
    """Return a workload.

    Args:
        contract: That of the steps.
        name: One of the names of the package.
        domain: The promised domain of values, e.g. `json`.
        seed: Keys and sizes are drawn from it.
        offers: Capabilities and methods that the store has, beside the verbs of every store.
    """
    draw = random.Random(seed)
    if contract in _OF_OFFERS:
        return Workload(name, contract, tuple(_OF_OFFERS[contract][name](draw, domain, offers)))
    maker = _maintenance(offers) if name == "maintenance" else _MAKERS[contract, name]
    return Workload(name, contract, tuple(maker(draw, domain)))

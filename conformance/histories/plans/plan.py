"""Plans: what each worker will ask of the store. Small ones, many of them; everything is drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.histories.operation import Step, Verb


@dataclass(frozen=True)
class Ask:
    """One call that a worker makes.

    Args:
        verb: What is asked. A `cas` reads a value, and swaps it if it is still there.
        key: Of which key.
        number: Tells the value that is written; unique in a plan.
        steps: What a `transaction` does, as `inside.Inside` knows it; a `get` does it outside of any transaction.
    """

    verb: Verb
    key: Any = None
    number: int = 0
    steps: tuple[Step, ...] = ()


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
FIRST = 99_999


def number_for(worker: int, place: int) -> int:
    """Return the number of the value that a worker writes with the call at a place; worker -1 comes before all."""
    return (worker + 1) * 100_000 + place


def aged(draw: random.Random, key: Callable[[], Any], verb: Verb, age: int) -> list[Ask]:
    """Return up to `age` calls of one verb, which give a store some age."""
    return [Ask(verb, key(), number_for(-1, place + 1)) for place in range(draw.randrange(age + 1))]

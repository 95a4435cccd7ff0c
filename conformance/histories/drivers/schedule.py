"""Schedules as data: which worker runs next, decided by a seed or by a list of switches.

Sources: a random walk over points; PCT (Burckhardt et al., A Randomized Scheduler with Probabilistic Guarantees of
Finding Bugs, ASPLOS 2010), made fair by demoting who spins.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

#: The number of no worker.
NOBODY = -1


@dataclass(frozen=True)
class Switch:
    """One change of who runs.

    Args:
        step: The number of the decision, counted over all workers from 0.
        worker: Who runs from here on.
        file: Where the worker before was stopped; empty if not in chosen code: at the start, and where one had ended.
        line: The line there.
    """

    step: int
    worker: int
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Schedule:
    """How to choose.

    Args:
        strategy: `walk`: at each point, with a probability, anybody. `pct`: who has the highest priority, and few
            changes of priority. `replay`: as the switches say, and otherwise who ran
            before, or the next.
        seed: Of the first two; the same seed gives the same schedule.
        rate: The probability of `walk`.
        depth: How many ordered events a bug needs that `pct` finds; it changes priorities once less.
        length: How many steps are expected: `pct` spreads its changes over them.
        switches: To replay.
    """

    strategy: Literal["walk", "pct", "replay"]
    seed: int = 0
    rate: float = 0.2
    depth: int = 3
    length: int = 200
    switches: tuple[Switch, ...] = ()


class Chooser(Protocol):
    """A strategy at work."""

    def choose(self, step: int, running: int, ready: Sequence[int]) -> int:
        """Return who of those ready runs next; who is running need not be among them, and may be nobody."""
        ...

    def demote(self, worker: int) -> None:
        """Note that a worker waits in a loop."""
        ...


def chooser(schedule: Schedule, workers: int) -> Chooser:
    """Return the strategy of a schedule, at its start.

    Args:
        schedule: What to do.
        workers: How many there are; they are numbered from 0.
    """
    draw = random.Random(schedule.seed)
    if schedule.strategy == "walk":
        return _Walk(draw, schedule.rate)
    if schedule.strategy == "pct":
        order = list(range(schedule.depth, schedule.depth + workers))
        draw.shuffle(order)
        changes = frozenset(draw.randrange(1, max(2, schedule.length)) for _ in range(schedule.depth - 1))
        return _Pct(order, changes, schedule.depth - 1)
    return _Replay({switch.step: switch.worker for switch in schedule.switches})


@dataclass(frozen=True)
class _Walk:
    draw: random.Random
    rate: float

    def choose(self, step: int, running: int, ready: Sequence[int]) -> int:  # noqa: ARG002
        if running in ready and self.draw.random() >= self.rate:
            return running
        return self.draw.choice(ready)

    def demote(self, worker: int) -> None:
        """Do nothing: chance is fair."""


@dataclass
class _Pct:
    priorities: list[int]
    changes: frozenset[int]
    lowest: int

    def choose(self, step: int, running: int, ready: Sequence[int]) -> int:
        if step in self.changes and running != NOBODY:
            self.demote(running)
        return max(ready, key=self.priorities.__getitem__)

    def demote(self, worker: int) -> None:
        self.priorities[worker] = self.lowest
        self.lowest -= 1


@dataclass(frozen=True)
class _Replay:
    recorded: Mapping[int, int] = field(default_factory=dict)

    def choose(self, step: int, running: int, ready: Sequence[int]) -> int:
        worker = self.recorded.get(step, running)
        if worker in ready:
            return worker
        # In turn, so that of several who spin none keeps out another.
        return running if running in ready else next((one for one in ready if one > running), ready[0])

    def demote(self, worker: int) -> None:
        """Do nothing: the list says it all."""


def fewer_switches(run: Callable[[tuple[Switch, ...]], bool], switches: Sequence[Switch]) -> tuple[Switch, ...]:
    """Return fewer switches with which it still fails; none of them can be left out alone, nor with the one after it.

    They are not always some of those given: where two go, later ones may move. Their places in the code are those of
    the run that replays them.

    Source: Zeller & Hildebrandt, Simplifying and Isolating Failure-Inducing Input, TSE 2002, without its tests of
    small parts alone: a switch is of no use without those before it.

    Args:
        run: Whether a replay of some switches still fails.
        switches: Such that it does.
    """
    kept = tuple(switches)
    size = len(kept)
    while size > 1:  # ever smaller parts, from the end: what comes later shifts nothing before it
        for start in reversed(range(0, len(kept), size)):
            without = kept[:start] + kept[start + size :]
            if run(without):
                kept = without
        size //= 2
    while True:
        without = next((some for some in _smaller(kept) if run(some)), kept)
        if without == kept:
            return kept
        kept = without


def _smaller(switches: tuple[Switch, ...]) -> Iterator[tuple[Switch, ...]]:
    for i in reversed(range(len(switches))):
        yield switches[:i] + switches[i + 1 :]
    for i in reversed(range(len(switches) - 1)):
        rest = switches[i + 2 :]
        if rest:
            # What ran between the two runs later, and all others are stopped where they were.
            moved = replace(rest[0], step=rest[0].step - switches[i + 1].step + switches[i].step)
            yield (*switches[:i], moved, *rest[1:])
        yield switches[:i] + rest

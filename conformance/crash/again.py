"""A crash during recovery: what the store does when it opens a crash state is itself recorded and explored.

Sources: RocksDB's CrashDuringRecovery tests; Pebble's TestCrashDuringOpen.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeGuard

from conformance.crash.disk import CrashState, Disk
from conformance.crash.explore import Budget, Explored, Explorer
from conformance.crash.history import Moment
from conformance.crash.recorded import Order, Recorded, Unmeasured, record_order
from conformance.crash.recorder.recording import Recording
from conformance.crash.trace import Mark, replayed

#: Recoveries that are recorded for each that is explored: most only read, or do what another did.
_TRIES = 6
#: First crash states that they are drawn from: of a server there are a hundred thousand, and to think of them all takes
#: longer than to recover some. The most damaging kinds come first, each from all over the trace.
_DRAWN_FROM = 2_000


@dataclass(frozen=True)
class Twice:
    """A first crash whose recovery wrote to the disk, and what came of crashing that recovery.

    Args:
        first: The state that the first crash left.
        explorer: Of the recovery.
        explored: What came of it.
    """

    first: CrashState
    explorer: Explorer
    explored: Explored


def crashed_twice(explorer: Explorer, model: str, count: int, budget: Budget, seed: int) -> Iterator[Twice]:
    """Crash the recovery of some first crash states.

    Args:
        explorer: Of the workload that crashed first.
        model: The disk model of both crashes.
        count: First crashes with a recovery that writes; those that only read have nothing to be interrupted in.
        budget: Of each recovery's exploration.
        seed: The first crashes are drawn with it.

    Raises:
        Unmeasured: There were recoveries, and none could be recorded.
    """
    one = explorer.recorded
    for state, again in recoveries_that_write(one, _recoveries(explorer, model, count, seed), count):
        recovery = Explorer(explorer.crew, again, progress=explorer.progress)
        yield Twice(state, recovery, recovery.explore(model, budget, seed))


def recoveries_that_write(
    one: Recorded, recoveries: Iterable[tuple[CrashState, Recording | str]], count: int
) -> Iterator[tuple[CrashState, Recorded]]:
    """Give so many first crashes with the recovery of each, as what is explored; of those that do the same, one.

    Args:
        one: The workload that crashed first.
        recoveries: First crashes, each with what its recovery did, or why it could not be recorded.
        count: Of those that write.

    Raises:
        Unmeasured: There were recoveries, and none could be recorded.
    """
    seen: set[tuple[str, ...]] = set()
    sound: list[bool] = []
    for state, recording in recoveries:
        sound.append(_sound(recording))
        if not _sound(recording):
            continue
        work = _work(recording)
        if not work or work in seen:  # a recovery that does the same things is explored once
            continue
        seen.add(work)
        yield state, _recovery(one, recording, one.moments[state.point])
        if len(seen) == count:
            return
    if sound and not any(sound):
        raise Unmeasured(f"of {len(sound)} recoveries none could be recorded whole, so none could be crashed")


def _recoveries(explorer: Explorer, model: str, count: int, seed: int) -> Iterator[tuple[CrashState, Recording | str]]:
    """Give first crash states that the store recovers from, each with what that recovery did; some at a time."""
    one, disk, crew = explorer.recorded, explorer.disk(model), explorer.crew
    states = first_crashes(one, disk, count, seed)
    size = max(count, len(crew))
    for start in range(0, len(states), size):
        trees = [(state, disk.tree(state.kept)) for state in states[start : start + size]]
        explorer.observe_all([tree for _, tree in trees])
        first = [
            (state, Order((), tree))
            for state, tree in trees
            if one.history.judge(explorer.observe(tree), one.moments[state.point]) == "fine"
        ]
        recordings = {id(order): found for order, found in crew.spread(record_order, [order for _, order in first])}
        yield from ((state, recordings[id(order)]) for state, order in first)


def first_crashes(one: Recorded, disk: Disk, count: int, seed: int) -> list[CrashState]:
    """Return the states whose recovery is recorded to find so many that write.

    Args:
        one: The workload that crashed.
        disk: Its trace under a model.
        count: First crashes with a recovery that writes.
        seed: They are drawn with it.
    """
    met = (state for state in disk.states(seed, 1) if one.moments[state.point].acknowledged)
    states = list(islice(met, max(_DRAWN_FROM, count * _TRIES)))
    random.Random(seed).shuffle(states)
    return states[: count * _TRIES]


def _recovery(one: Recorded, recording: Recording, moment: Moment) -> Recorded:
    moments: Sequence[Moment] = [moment] * (len(recording.trace.operations) + 1)
    return Recorded(one.steps, recording, one.history, moments)


def _sound(recording: Recording | str) -> TypeGuard[Recording]:
    if isinstance(recording, str) or recording.ended != "returned":
        return False
    return replayed(recording.trace) == recording.real


def _work(recording: Recording) -> tuple[str, ...]:
    """Return the kinds of operations of a recovery, up to its end; what closing does is part of it."""
    return tuple(
        type(operation).__name__ for operation in recording.trace.operations if not isinstance(operation, Mark)
    )

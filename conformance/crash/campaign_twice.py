"""Crashes during recovery, of a campaign: recorded and explored by any `concurrent.futures.Executor`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from itertools import islice

from conformance.crash.again import first_crashes, recoveries_that_write
from conformance.crash.campaign import Prepared, States, explored
from conformance.crash.disk import MODELS, CrashState, Disk
from conformance.crash.exploration import Budget, Explored, disk_of
from conformance.crash.observe import Observation
from conformance.crash.recorded import Order, record_order
from conformance.crash.recorder.recording import Recording
from conformance.crash.reopen import observe_alone
from conformance.workers import Bay
from conformance.workers.executors import Task, spread_over

#: Recoveries that are recorded in one task: a recording takes as long as many recoveries.
_RECOVERIES = 4


def explored_twice(
    one: Prepared, model: str, count: int, budget: Budget, seed: int, executor: Executor | None
) -> list[tuple[CrashState, Explored]]:
    """Crash the recovery of some first crash states; return each first crash with what came of crashing its recovery.

    Args:
        one: The workload that crashed first.
        model: The name of the disk model of both crashes.
        count: First crashes with a recovery that writes; those that only read have nothing to be interrupted in.
        budget: Of each recovery's exploration.
        seed: The first crashes are drawn with it.
        executor: Recovers the states; None for this process, one after the other.

    Raises:
        Unmeasured: There were recoveries, and none could be recorded.
        WorkerError: A worker died, or failed, again and again.
    """
    disk = disk_of(one.recorded, model, one.scratch)
    firsts = first_crashes(one.recorded, disk, count, seed)
    kept = {disk.fingerprint(state.kept): state.kept for state in firsts}
    known: dict[bytes, tuple[Observation, Recording | str]] = {}
    names = iter(kept)
    tasks = (
        Task(one.found, one.contract, record_recoveries, (States(disk.trace, model, disk.scratch, some),))
        for some in iter(lambda: {name: kept[name] for name in islice(names, _RECOVERIES)}, {})
    )
    for _, (found,) in spread_over(executor, tasks):
        known.update(found)

    def recoveries() -> Iterator[tuple[CrashState, Recording | str]]:
        for state in firsts:
            observation, recording = known[disk.fingerprint(state.kept)]
            if one.recorded.history.judge(observation, one.recorded.moments[state.point]) == "fine":
                yield state, recording

    return [
        (state, explored(replace(one, recorded=again, scratch=frozenset()), [model], budget, seed, executor)[0])
        for state, again in recoveries_that_write(one.recorded, recoveries(), count)
    ]


def record_recoveries(bay: Bay, states: States) -> dict[bytes, tuple[Observation, Recording | str]]:
    """Return what the store shows on each of some crash states, and what it does to recover; runs in a worker."""
    disk = Disk(states.trace, MODELS[states.model], states.scratch)
    found: dict[bytes, tuple[Observation, Recording | str]] = {}
    for name, kept in states.kept.items():
        tree = disk.tree(kept)
        observation = observe_alone(bay, tree)
        usable = observation.usable == "usable"
        found[name] = observation, record_order(bay, Order((), tree)) if usable else "the store is not usable"
    return found

"""A search for impossible histories that outgrows one machine: its seeds go to any `concurrent.futures.Executor`.

A round is a few numbers: its seed and its place in the search tell the plan and the schedule. What came of the seeds is
added up, in whatever order it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import fields
from pathlib import Path

from conformance.address import load
from conformance.histories.rounds.ways import Way
from conformance.histories.search import Order, Searched, search_in_child
from conformance.hosting import finding
from conformance.workers import WorkerError
from conformance.workers.executors import Task, spread_over

#: Seconds that the rounds of a seed may take: more than any number of rounds that is worth one task.
_EVER_S = 3_600.0


def search_seeds(
    address: str,
    contract: str,
    plan: str,
    seeds: Iterable[int],
    *,
    way: Way = "scheduled",
    rounds: int = 200,
    workers: int = 2,
    length: int = 3,
    age: int = 6,
    executor: Executor | None = None,
    base: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[int, Searched]:
    """Search with each of some seeds until a history can't be, or the rounds are over; return what came of each.

    The budget is one of rounds, not of seconds. The plans and schedules of a seed are the same everywhere. Threads that
    take turns (`scheduled`) follow theirs, unless a busy machine keeps one so long that it seems to wait for a lock; in
    the other ways the machine always has a hand in what meets.

    Args:
        address: Where the backend is found, here and wherever the executor works: `module:attribute`, or a file.
        contract: What is opened, e.g. `state`.
        plan: The name of a kind of plan, a key of `conformance.histories.kinds.KINDS`.
        seeds: Each is a search of its own.
        way: How workers meet, a key of `conformance.histories.rounds.ways.WAYS`.
        rounds: Of each seed, at most.
        workers: How many ask at once.
        length: How often each asks.
        age: Calls that a store is old at most, when the workers begin.
        executor: Carries out the searches; None for this process, one after the other.
        base: The directory that relative file names in the address start from; the working directory unless given.
        progress: Called with how many more rounds have been judged.

    Raises:
        AddressError: Nothing usable is at the address.
        WorkerError: The store is in a server that other machines don't have, or a worker died, or failed, again.
    """
    backend = load(address, base=base)
    if backend.server is not None:
        raise WorkerError(
            f"{backend.name} is in a server of this machine, which the processes of an executor don't have"
        )
    orders = (Order(plan, way, seed, workers, length, age, rounds, _EVER_S) for seed in dict.fromkeys(seeds))
    tasks = (Task(finding(backend), contract, search_in_child, (order,)) for order in orders)
    found: dict[int, Searched] = {}
    for task, (searched,) in spread_over(executor, tasks):
        found[task.arguments[0].seed] = searched
        progress(searched.rounds)
    return dict(sorted(found.items()))


def together(searches: Mapping[int, Searched]) -> Searched:
    """Return what came of all seeds as one: all counts added up, and what the smallest seed found that found anything.

    Args:
        searches: As `search_seeds` returns them, in any order; two of them that share no seed may be put together.
    """
    counts = [field.name for field in fields(Searched) if field.name not in ("alone", "found")]
    added = {name: sum(getattr(one, name) for one in searches.values()) for name in counts}
    found = next((searches[seed].found for seed in sorted(searches) if searches[seed].found is not None), None)
    alone = next((one.alone for _, one in sorted(searches.items()) if one.alone), "")
    return Searched(**added, alone=alone, found=found)

"""Rounds of tasks of one event loop who claim, complete and save jobs of one open async store."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

from conformance.backend import Backend, Where
from conformance.drive import Driver
from conformance.histories.claims import Client, Deed, Kind, act, finish, prepare
from conformance.histories.drivers.bridge import Bridge, Code
from conformance.histories.drivers.loops import run_in_loop
from conformance.histories.drivers.processes import MemberError
from conformance.histories.rounds.ageing import awaited, opened_here
from conformance.histories.rounds.tasks import HELD, WHOLE_S, ended
from conformance.place import place_of

#: What was done before the others came, what all did then, and the jobs at the end.
_Round = tuple[list[Deed], list[Deed], dict[str, Any]]


def in_tasks(backend: Backend, kind: Kind, workers: int, folder: Path, seed: int) -> _Round:
    """Carry out a round with a task for each worker, all on one open store.

    Raises:
        MemberError: The tasks never came to an end.
    """
    try:
        return _in_tasks(backend, kind, workers, folder / "first", seed)
    except MemberError:  # on a busy machine a thread may get no time
        return _in_tasks(backend, kind, workers, folder / "again", seed)


def _in_tasks(backend: Backend, kind: Kind, workers: int, folder: Path, seed: int) -> _Round:
    folder.mkdir(parents=True)
    where = place_of(backend, folder, namespace="concurrency")
    try:
        return run_in_loop(lambda: _met(backend, kind, workers, where, seed), seed=seed, limit_s=WHOLE_S)
    except TimeoutError as error:
        raise MemberError("the tasks never came to an end") from error


async def _met(backend: Backend, kind: Kind, workers: int, where: Where, seed: int) -> _Round:
    clients: list[Client] = []
    jobs: dict[str, Any] = {}
    tick = itertools.count().__next__
    async with AsyncExitStack() as lent:
        store = await opened_here(cast("Callable[..., Any]", backend.jobs), where, lent)

        def client(worker: int, bridge: Bridge) -> Client:
            clients.append(Client(worker, backend, cast("Driver", bridge), store, tick))
            return clients[-1]

        def work(worker: int, bridge: Bridge) -> None:
            act(kind, client(worker, bridge), left)

        await _all([lambda bridge: prepare(kind, client(0, bridge))])
        before = clients.pop().deeds
        left = [pair for deed in before if deed.verb == "claim" for pair in deed.told]
        await _all([partial(work, worker) for worker in range(workers)], Random(seed).choice(HELD))
        await _all([lambda bridge: jobs.update(finish(kind, client(workers, bridge)))])
        if callable(getattr(store, "close", None)):
            await awaited(store.close())
    return before, sorted(deed for one in clients for deed in one.deeds), jobs


async def _all(codes: Sequence[Code], held: float = 0.0) -> None:
    """Run plain code in tasks to its end.

    Raises:
        MemberError: Some never came to it.
    """
    wrong = await ended(codes, held)
    if wrong:
        raise MemberError(wrong)

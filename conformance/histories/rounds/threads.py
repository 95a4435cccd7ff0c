"""Rounds of threads that share one open store."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Literal

from conformance.backend import Backend
from conformance.frames import store_code
from conformance.histories.drivers.locks import cooperative
from conformance.histories.drivers.points import Points
from conformance.histories.drivers.schedule import Schedule
from conformance.histories.drivers.threads import run_free, run_scheduled
from conformance.histories.perform import Client
from conformance.histories.plans.plan import Plan
from conformance.histories.rounds.round import LIMIT_S, CarryOut, Round, closed, opened

#: `scheduled`: one runs at a time, switched at opcodes of the store's code. `free`: switched as often as Python can.
ThreadWay = Literal["scheduled", "free"]


@contextmanager
def threads(way: ThreadWay, backend: Backend, contract: str, _workers: int) -> Iterator[CarryOut]:
    """Have a thread for each worker; who is stuck gets another chance: on a busy machine a thread may get no time."""

    def carry_out(folder: Path, plan: Plan, seed: int) -> Round:
        one = in_threads(backend, contract, folder / "first", plan, seed, way)
        return in_threads(backend, contract, folder / "again", plan, seed, way) if one.stuck else one

    yield carry_out


def in_threads(backend: Backend, contract: str, folder: Path, plan: Plan, seed: int, way: ThreadWay) -> Round:
    """Carry out a plan with a thread for each worker, all on one open store in a new folder."""
    folder.mkdir(parents=True)
    tick = itertools.count().__next__
    scheduled = way == "scheduled"
    points = Points(store_code())
    with cooperative(points) if scheduled else nullcontext():
        driver, store = opened(backend, contract, folder)
        clients = [Client(number, backend, driver, store, tick, plan.times) for number in range(len(plan.workers) + 2)]
        first, last = clients[-2:]
        first.ask_all(plan.before)
        bodies = [partial(client.ask_all, asks) for client, asks in zip(clients, plan.workers, strict=False)]
        if scheduled:
            ran = run_scheduled(bodies, Schedule("walk", seed), points, limit_s=LIMIT_S)
        else:
            ran = run_free(bodies, limit_s=LIMIT_S)
        if not ran.stuck:
            last.ask_all(plan.after)
            closed(driver, store)
    history = sorted((one for client in clients for one in client.history), key=lambda operation: operation.call)
    raised = [one for client in clients for one in client.raised]
    return Round(history, raised, "the threads never came to an end" if ran.stuck else "", ran.switches)

"""Rounds of threads in turns, each with a handle of its own on one store."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from conformance.backend import Backend
from conformance.frames import store_code
from conformance.histories.drivers.locks import cooperative
from conformance.histories.drivers.points import Points, self_test
from conformance.histories.drivers.schedule import Schedule
from conformance.histories.drivers.threads import run_scheduled
from conformance.histories.perform import Client
from conformance.histories.plans.plan import Ask, Plan
from conformance.histories.rounds.round import LIMIT_S, CarryOut, Round, closed, opened
from conformance.recording import raised


@contextmanager
def handles(backend: Backend, contract: str, _workers: int) -> Iterator[CarryOut]:
    """Have a thread and a handle for each worker; who is stuck gets another chance, as on a busy machine."""

    def carry_out(folder: Path, plan: Plan, seed: int) -> Round:
        one = in_handles(backend, contract, folder / "first", plan, seed)
        return in_handles(backend, contract, folder / "again", plan, seed) if one.stuck else one

    self_test()
    yield carry_out


def in_handles(backend: Backend, contract: str, folder: Path, plan: Plan, seed: int) -> Round:
    """Carry out a plan with a thread for each worker, which opens the store, asks, and closes it."""
    folder.mkdir(parents=True)
    tick = itertools.count().__next__
    clients: list[Client] = []

    def visit(number: int, asks: Sequence[Ask]) -> None:
        driver, store = opened(backend, contract, folder)
        client = Client(number, backend, driver, store, tick, plan.times)
        clients.append(client)
        client.ask_all(asks)
        closed(driver, store)

    points = Points(store_code())
    with cooperative(points):
        visit(len(plan.workers), plan.before)
        bodies: list[Callable[[], None]] = [partial(visit, number, asks) for number, asks in enumerate(plan.workers)]
        ran = run_scheduled(bodies, Schedule("walk", seed), points, limit_s=LIMIT_S)
        why = "the threads never came to an end" if ran.stuck else ""
        for error in ran.errors if not ran.stuck else ():
            if error is not None:
                why = f"opening or closing a handle raised {raised(error)} beside another one in the same process"
        if not why:
            visit(len(plan.workers) + 1, plan.after)
    history = sorted((one for client in clients for one in client.history), key=lambda operation: operation.call)
    return Round(history, [one for client in clients for one in client.raised], why, ran.switches)

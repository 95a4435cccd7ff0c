"""A round: a fresh store, a plan carried out on it by several workers at once, and the history of it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from conformance.backend import Backend, Where
from conformance.drive import Driver
from conformance.frames import is_of_store, store_code
from conformance.histories.drivers.locks import cooperative
from conformance.histories.drivers.points import Points
from conformance.histories.drivers.processes import MemberError, Team, pause_at_calls, ranked
from conformance.histories.drivers.schedule import Schedule, Switch
from conformance.histories.drivers.threads import run_free, run_scheduled
from conformance.histories.operation import Operation
from conformance.histories.perform import Client
from conformance.histories.plan import Ask, Plan
from conformance.session import ManualClock

#: Seconds after which a round hangs. It has up to 160 calls, and on a slow disk each may take a tenth of a second.
LIMIT_S = 30.0
#: How workers meet. `scheduled`: threads, of which one runs at a time, switched at opcodes of the store's code. `free`:
#: threads, switched as often as Python can. `processes`: with a handle each. `paused`: processes that pause at C calls.
Way = Literal["scheduled", "free", "processes", "paused"]


@dataclass(frozen=True)
class Round:
    """What came of a round.

    Args:
        history: All calls, in the order in which they were made.
        raised: Calls that raised, each with its verb.
        stuck: Why some worker never came to its end; empty where all did.
        switches: Where the scheduler let another worker go on, when there was one.
    """

    history: Sequence[Operation]
    raised: Sequence[tuple[str, str]] = ()
    stuck: str = ""
    switches: Sequence[Switch] = ()


def in_threads(backend: Backend, contract: str, folder: Path, plan: Plan, seed: int, way: Way) -> Round:
    """Carry out a plan with a thread for each worker, all on one open store."""
    tick = itertools.count().__next__
    scheduled = way == "scheduled"
    points = Points(store_code())
    with cooperative(points) if scheduled else nullcontext():
        driver, store = _opened(backend, contract, folder)
        clients = [Client(number, backend, driver, store, tick, plan.times) for number in range(len(plan.workers) + 2)]
        first, last = clients[-2:]
        first.ask_all(plan.before)
        bodies = [partial(client.ask_all, asks) for client, asks in zip(clients, plan.workers, strict=False)]
        schedule = Schedule("walk", seed)
        if scheduled:
            ran = run_scheduled(bodies, schedule, points, limit_s=LIMIT_S)
        else:
            ran = run_free(bodies, limit_s=LIMIT_S)
        if not ran.stuck:
            last.ask_all(plan.after)
            _closed(driver, store)
    return _round(clients, "the threads never came to an end" if ran.stuck else "", ran.switches)


def in_processes(team: Team, folder: Path, plan: Plan, seed: int, way: Way) -> Round:
    """Carry out a plan with a process for each worker, each with a handle of its own; a new handle reads at the end."""
    first, size = team.members[0], len(team.members)
    found: list[tuple[list[Operation], list[tuple[str, str]]]] = []
    try:
        if plan.before:  # by a handle that is still open when the others come
            first.tell(_open, str(folder), 0, plan.times)
            first.answer(LIMIT_S)
            first.tell(_ask, plan.before, None)
            found.append(first.answer(LIMIT_S))
        # Who has the store open goes on with it.
        team.ask_all(_open, [(str(folder), number, plan.times) for number in range(size)], LIMIT_S)
        pause = seed if way == "paused" else None
        found += team.ask_all(_ask, [(asks, pause) for asks in plan.workers], LIMIT_S)
        team.ask_all(_close, [()] * size, LIMIT_S)
        first.tell(_open, str(folder), size + 1, plan.times)
        first.answer(LIMIT_S)
        first.tell(_ask, plan.after, None)
        found.append(first.answer(LIMIT_S))
        first.tell(_close)
        first.answer(LIMIT_S)
    except MemberError as error:
        return Round([], (), str(error))
    history = ranked([operation for part, _ in found for operation in part])
    return Round(history, [one for _, raised in found for one in raised])


def _round(clients: Sequence[Client], stuck: str, switches: Sequence[Switch]) -> Round:
    history = sorted((one for client in clients for one in client.history), key=lambda operation: operation.call)
    return Round(history, [one for client in clients for one in client.raised], stuck, switches)


def _opened(backend: Backend, contract: str, folder: Path) -> tuple[Driver, Any]:
    driver = Driver()
    try:
        where = Where(folder, namespace="concurrency", clock=ManualClock())
        return driver, driver.open(getattr(backend, contract), where)
    except BaseException:
        driver.close()
        raise


def _closed(driver: Driver, store: Any) -> None:
    try:
        if callable(getattr(store, "close", None)):
            driver.call(store.close)
    finally:
        driver.close()


# What members of a team are asked. Their state has the backend and the contract, and the open store.


def _open(state: dict[str, Any], folder: str, worker: int, times: int) -> None:
    if "open" in state:
        return
    driver, store = _opened(state["backend"], state["contract"], Path(folder))
    state["open"] = driver, store
    state["client"] = Client(worker, state["backend"], driver, store, time.monotonic_ns, times)


def _ask(
    state: dict[str, Any], asks: Sequence[Ask], pause: int | None
) -> tuple[list[Operation], list[tuple[str, str]]]:
    client: Client = state["client"]
    client.history, client.raised = [], []
    pause_at_calls(pause, is_of_store)
    try:
        client.ask_all(asks)
    finally:
        pause_at_calls(None, is_of_store)
    return client.history, client.raised


def _close(state: dict[str, Any]) -> None:
    if "open" in state:
        _closed(*state.pop("open"))

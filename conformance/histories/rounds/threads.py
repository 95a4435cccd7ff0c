"""Rounds of threads that share one open store."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from conformance.backend import Backend
from conformance.frames import store_code
from conformance.histories.drivers.locks import cooperative
from conformance.histories.drivers.points import Points, self_test
from conformance.histories.drivers.schedule import Schedule, Switch
from conformance.histories.drivers.threads import Body, Noise, Ran, run_free, run_scheduled
from conformance.histories.perform import Client
from conformance.histories.plans.plan import Plan
from conformance.histories.rounds.round import LIMIT_S, CarryOut, Round, closed, opened
from conformance.recording import raised

#: `scheduled`: one runs at a time, switched at points of the store's code. `free`: switched as often as Python can.
ThreadWay = Literal["scheduled", "free"]

#: What decides the turns, how often they change if chance decides, and at which points, one round after the other. A
#: walk finds what is shallow soonest; one with few changes gets through code that passes thousands of points in a call;
#: PCT is there for what needs few switches, far apart; lines are passed faster than opcodes.
_TURNS: tuple[tuple[Literal["walk", "pct"], float, Literal["opcode", "line"]], ...] = (
    ("walk", 0.2, "opcode"),
    ("walk", 0.02, "opcode"),
    ("pct", 0.0, "opcode"),
    ("walk", 0.2, "line"),
)
#: Steps over which PCT spreads its changes, one time after the other: how many there will be is not known before.
_LENGTHS = (50, 200, 800, 3_200)

#: The share of points at which a free thread sleeps: a store may pass thousands in a call.
_NOISE = 0.01


@contextmanager
def threads(way: ThreadWay, backend: Backend, contract: str, _workers: int) -> Iterator[CarryOut]:
    """Have a thread for each worker; who is stuck gets another chance: on a busy machine a thread may get no time."""

    def carry_out(folder: Path, plan: Plan, seed: int) -> Round:
        one = in_threads(backend, contract, folder / "first", plan, seed, way)
        return in_threads(backend, contract, folder / "again", plan, seed, way) if one.stuck else one

    if way == "scheduled":
        self_test()
    # What locks are replaced with is prepared once.
    with cooperative(Points(store_code())) if way == "scheduled" else nullcontext():
        yield carry_out


def in_threads(
    backend: Backend,
    contract: str,
    folder: Path,
    plan: Plan,
    seed: int,
    way: ThreadWay,
    switches: Sequence[Switch] | None = None,
) -> Round:
    """Carry out a plan with a thread for each worker, all on one open store in a new folder.

    Args:
        backend: Of the store.
        contract: What is opened.
        folder: Where.
        plan: What is asked.
        seed: Of the turns, or of the noise.
        way: How the threads meet.
        switches: Replayed in place of the turns that the seed gives; None for those.
    """
    folder.mkdir(parents=True)
    tick = itertools.count().__next__
    turns, points = turns_of(seed)
    if switches is not None:
        turns = replace(turns, strategy="replay", switches=tuple(switches))
    with cooperative(points) if way == "scheduled" else nullcontext():
        driver, store = opened(backend, contract, folder)
        clients = [Client(number, backend, driver, store, tick, plan.times) for number in range(len(plan.workers) + 2)]
        first, last = clients[-2:]
        first.ask_all(plan.before)
        bodies = [partial(client.ask_all, asks) for client, asks in zip(clients, plan.workers, strict=False)]
        ran = run_scheduled(bodies, turns, points, limit_s=LIMIT_S) if way == "scheduled" else _freely(bodies, seed)
        why = "the threads never came to an end" if ran.stuck else ""
        if not ran.stuck:
            last.ask_all(plan.after)
            try:
                closed(driver, store)
            except Exception as error:  # noqa: BLE001 - the store's
                why = f"closing the store after threads had used it raised {raised(error)}"
    history = sorted((one for client in clients for one in client.history), key=lambda operation: operation.call)
    return Round(history, [one for client in clients for one in client.raised], why, ran.switches)


def turns_of(seed: int) -> tuple[Schedule, Points]:
    """Return how the turns of a round are decided, and where they may change: what comes next of all there are."""
    strategy, rate, unit = _TURNS[seed % len(_TURNS)]
    length = _LENGTHS[seed // len(_TURNS) % len(_LENGTHS)]
    return Schedule(strategy, seed, rate, length=length), Points(store_code(), unit)


def _freely(bodies: Sequence[Body], seed: int) -> Ran:
    """Let threads run freely; in every other round they sleep now and then, which holds short windows open."""
    noise = Noise(Points(store_code()), seed, rate=_NOISE) if seed % 2 else None
    return run_free(bodies, noise=noise, limit_s=LIMIT_S)

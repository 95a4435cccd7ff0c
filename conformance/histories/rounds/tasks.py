"""Rounds of tasks of one event loop that share one open async store."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Literal, cast

from conformance.backend import Backend, Where
from conformance.drive import Driver
from conformance.histories.drivers.bridge import Bridge, Code, run_plain
from conformance.histories.drivers.loops import ShuffledLoop, run_in_loop
from conformance.histories.drivers.tasks import Cancelling, race, uncancelled
from conformance.histories.perform import Client
from conformance.histories.plans.plan import Ask, Plan
from conformance.histories.records import as_asked
from conformance.histories.rounds.ageing import Ageing, age, awaited, opened_here
from conformance.histories.rounds.round import LIMIT_S, CarryOut, Round
from conformance.place import place_of

#: `tasks`: each is resumed late, in any order. `cancelled`: some are cancelled in the middle of a call, too.
TaskWay = Literal["tasks", "cancelled"]

#: How many of the steps are put off: with few, calls take turns at each suspension; with many, some take very long.
HELD = (0.0, 0.3, 0.6, 0.9)
#: Added to the number of a worker that goes on after it was cancelled: its last call may still take effect.
_NEXT_LIFE = 100
#: Seconds for which tasks are waited for that were begun meanwhile: cancelled calls may have left them, or they go on
#: for ever. Threads are waited for until they are done.
_LEFT_S = 2.0
#: How often a quiet store may refuse a write after a cancelled call.
_TRIES = 3


@contextmanager
def tasks(way: TaskWay, backend: Backend, contract: str, _workers: int) -> Iterator[CarryOut]:
    """Have a task for each worker; who is stuck gets another chance: on a busy machine a thread may get no time."""
    ageing = Ageing(backend, contract)

    def carry_out(folder: Path, plan: Plan, seed: int) -> Round:
        puts = ageing.puts(folder, plan, seed)
        one = in_tasks(backend, contract, folder / "first", plan, seed, way, puts)
        return in_tasks(backend, contract, folder / "again", plan, seed, way, puts) if one.stuck else one

    yield carry_out


def in_tasks(
    backend: Backend, contract: str, folder: Path, plan: Plan, seed: int, way: TaskWay, puts: int = 0
) -> Round:
    """Carry out a plan with a task for each worker, all on one open store in a new folder, after some puts."""
    folder.mkdir(parents=True)
    where = place_of(backend, folder, namespace="concurrency")
    party = _Party(backend, plan)
    try:
        why = run_in_loop(lambda: _met(party, contract, where, seed, way, puts), seed=seed, limit_s=WHOLE_S)
    except TimeoutError:
        why = "the tasks never came to an end"
    history = sorted((one for client in party.clients for one in client.history), key=lambda operation: operation.call)
    return Round(history, [one for client in party.clients for one in client.raised], why)


#: Seconds for a whole round; the race is over before.
WHOLE_S = 3 * LIMIT_S


async def _met(party: _Party, contract: str, where: Where, seed: int, way: TaskWay, puts: int) -> str:
    """Let the workers meet; return what went wrong about it, nothing if they all came to their end."""
    draw = Random(seed)
    plan, count = party.plan, len(party.plan.workers)
    held = draw.choice(HELD)
    async with AsyncExitStack() as lent:
        store = await opened_here(getattr(party.backend, contract), where, lent)
        await age(party.backend, store, puts)
        party.store = as_asked(contract, store)
        wrong = await ended([lambda bridge: party.client(bridge, count).ask_all(plan.before)])
        before = asyncio.all_tasks()
        if not wrong:
            party.cancelling = Cancelling(draw) if way == "cancelled" else None
            bodies = [partial(party.ask_all, number, asks) for number, asks in enumerate(plan.workers)]
            wrong = await ended(bodies, held, party.cancelling) or party.wrong
        if not wrong:
            if way == "cancelled":
                await _settled(before)
            wrong = await ended([lambda bridge: party.look(party.client(bridge, count + 1))]) or party.wrong
        if not wrong and callable(getattr(party.store, "close", None)):
            await awaited(party.store.close())
    return wrong


async def ended(codes: Sequence[Code], held: float = 0.0, cancelling: Cancelling | None = None) -> str:
    """Run plain code in tasks; return why some never came to its end, nothing if all did."""
    bodies = [partial(run_plain, code) for code in codes]
    ran = await race(bodies, held=held, limit_s=LIMIT_S, cancelling=cancelling)
    if ran.stuck:
        after = " after some were cancelled" if cancelling is not None else ""
        return f"the tasks never came to an end{after}"
    for error in ran.errors:
        if error is not None and not isinstance(error, asyncio.CancelledError):
            raise error  # a mistake of the kit
    return ""


@dataclass(eq=False)
class _Party:
    """Who asks in a round, and what came of it."""

    backend: Backend
    plan: Plan
    store: Any = None
    cancelling: Cancelling | None = None
    wrong: str = ""
    clients: list[Client] = field(default_factory=list)
    tick: Callable[[], int] = field(default_factory=lambda: itertools.count().__next__)

    def client(self, bridge: Bridge, worker: int) -> Client:
        """Return a worker with a number of its own."""
        driver = cast("Driver", bridge)
        self.clients.append(Client(worker, self.backend, driver, self.store, self.tick, self.plan.times))
        return self.clients[-1]

    def ask_all(self, worker: int, asks: Sequence[Ask], bridge: Bridge) -> None:
        """Do what a worker does; one that is cancelled in the middle of a call goes on with the next."""
        client = self.client(bridge, worker)
        lives = itertools.count(worker + _NEXT_LIFE, _NEXT_LIFE)
        cancelling = self.cancelling
        for ask in asks:
            try:
                if cancelling is not None:
                    cancelling.calls.add(worker)
                client.ask_all([ask])
            except asyncio.CancelledError:
                if cancelling is None or worker not in cancelling.cancelled:
                    self.wrong = f"a {ask.verb} ended as if it were cancelled, and nobody cancelled its task"
                    raise
                cancelling.cancelled.discard(worker)
                bridge.call(uncancelled)
                client = self.client(bridge, next(lives))
            finally:
                if cancelling is not None:
                    cancelling.calls.discard(worker)

    def look(self, client: Client) -> None:
        """Ask last, when all is quiet; a store in which calls were cancelled must still take writes."""
        client.ask_all(self.plan.after)
        puts = [ask for asks in self.plan.workers for ask in asks if ask.verb in ("put", "append")]
        if self.cancelling is not None and puts:
            self._write(client, puts[-1])
            client.ask_all(self.plan.after)

    def _write(self, client: Client, put: Ask) -> None:
        for number in range(_TRIES):
            before = len(client.raised)
            client.ask_all([Ask(put.verb, put.key, _LAST + number)])
            if len(client.raised) == before:
                return
        self.wrong = f"after calls were cancelled, when all was quiet, a {put.verb} raised {client.raised[-1].error}"


#: The number of the value that is written when all is quiet.
_LAST = 99_000_000


async def _settled(before: set[asyncio.Task[Any]]) -> None:
    """Wait for what cancelled calls may have left to threads and tasks of the store's own."""
    loop = asyncio.get_running_loop()
    left = asyncio.all_tasks() - before
    if left:
        await asyncio.wait(left, timeout=_LEFT_S)
    if isinstance(loop, ShuffledLoop):
        await loop.quiet(LIMIT_S)

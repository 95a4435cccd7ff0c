"""Finds out when an async store first waits, and makes the stores of rounds old enough to wait there.

A put that waits once in many thousand calls, as a journal is full then, does not do so on a young store. Nothing is
made to wait: puts that no history has are all that is added.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

from conformance.backend import Backend, Where
from conformance.drive import looks_open
from conformance.histories.drivers.loops import run_in_loop
from conformance.histories.drivers.tasks import race
from conformance.histories.plans.plan import Plan
from conformance.histories.rounds.round import LIMIT_S
from conformance.histories.values import value_of
from conformance.place import place_of

#: Calls up to which a store is young: such a wait is met by rounds as they are.
YOUNG = 50
#: Puts of a probe, at most.
MOST = 25_000
#: Seconds of the first probe; each further one gets twice as many.
_FIRST_S = 0.05
#: Probes get so much of the time of a search at most. The first is not asked: a search takes longer than three of it.
_SHARE = 1 / 3
#: Seconds after which a put of a probe hangs; rounds wait longer, and tell.
_HANGS_S = 2.0
#: Only a state store takes puts that nobody sees.
_CONTRACT = "state"
#: No plan uses it.
_KEY = "aged"
#: Verbs and steps that see all keys.
_SEES_ALL = ("list", "scan")


@dataclass(eq=False)
class Ageing:
    """Decides how old the store of each round of a search is made: every second one, where it helps.

    Args:
        backend: Of the store.
        contract: What it is.
        first: The first put that waits, 0 if there is none or nobody knows; None as long as it is to be probed.
    """

    backend: Backend
    contract: str
    first: int | None = None
    _limit_s: float = _FIRST_S
    _spent_s: float = 0.0
    _rounds: int = 0
    _begin: float = field(default_factory=time.monotonic)

    def puts(self, folder: Path, plan: Plan, seed: int) -> int:
        """Return how many puts the store of a round gets first; the probe, if there is one, is in the folder."""
        if self.contract != _CONTRACT or _sees_all(plan):
            return 0
        self._rounds += 1
        if self.first is None and self._in_time():
            self._probe(folder)
        if (self.first or 0) <= YOUNG or self._rounds % 2 == 0:
            return 0
        writes = sum(ask.verb != "get" for asks in plan.workers for ask in asks)
        # Who is the last at work meets nobody: the wait is to come in the first half.
        early = Random(f"{seed} early").randint(1, max(1, writes // 2))
        return max(0, (self.first or 0) - len(plan.before) - early)

    def _in_time(self) -> bool:
        after = time.monotonic() - self._begin + self._limit_s
        return not self._spent_s or self._spent_s + self._limit_s <= _SHARE * after

    def _probe(self, folder: Path) -> None:
        begin = time.monotonic()
        with suppress(TimeoutError):
            self.first = first_wait(self.backend, folder, self._limit_s)
        self._spent_s += time.monotonic() - begin
        self._limit_s *= 2


def first_wait(backend: Backend, folder: Path, limit_s: float) -> int:
    """Return which of many puts, one after the other, is the first that lets others run.

    Returns 0 if none of `MOST` does, or the store can't be probed.

    Args:
        backend: Of an async state store.
        folder: To make the folder of a store in.
        limit_s: No put is begun after so long.

    Raises:
        TimeoutError: Nobody knows yet.
    """
    where = place_of(backend, Path(mkdtemp(dir=folder)), namespace="concurrency")
    try:
        return run_in_loop(lambda: _first_wait(backend, where, limit_s), seed=0, limit_s=LIMIT_S)
    except TimeoutError:
        raise
    except (Exception, asyncio.CancelledError):  # noqa: BLE001 - what raises here is for other checks
        return 0


async def _first_wait(backend: Backend, where: Where, limit_s: float) -> int:
    async with AsyncExitStack() as lent:
        store = await opened_here(getattr(backend, _CONTRACT), where, lent)
        probe = _Probe(backend, store, limit_s)
        ran = await race([probe.put_all], limit_s=_HANGS_S)
        if not ran.stuck and callable(getattr(store, "close", None)):
            await awaited(store.close())
        if isinstance(ran.errors[0], TimeoutError) and not probe.waited:
            raise ran.errors[0]
        return probe.made if probe.waited else 0


@dataclass(eq=False)
class _Probe:
    backend: Backend
    store: Any
    limit_s: float
    made: int = 0
    waited: bool = False

    async def put_all(self) -> None:
        """Make puts until one lets others run."""
        values, until = _values(self.backend), time.monotonic() + self.limit_s
        others = len(asyncio.all_tasks())
        # The loop comes to this turn when this task first waits, and not before.
        turn = asyncio.get_running_loop().call_soon(self._turn)
        try:
            for self.made in range(1, MOST + 1):
                await self.store.__setitem__(_KEY, values[self.made % 2])
                if self.waited or (self.made == YOUNG and len(asyncio.all_tasks()) > others):
                    return  # or the store leaves work to tasks, which never get a turn here
                if time.monotonic() > until:
                    raise TimeoutError(f"no put waited in {self.limit_s:g} s")
        finally:
            turn.cancel()

    def _turn(self) -> None:
        self.waited = True


async def age(backend: Backend, store: Any, puts: int) -> None:
    """Make some puts that no history has; a store that won't take them remains as young as it is."""
    values = _values(backend)
    with suppress(Exception):
        for number in range(1, puts + 1):
            await store.__setitem__(_KEY, values[number % 2])


def _values(backend: Backend) -> tuple[Any, Any]:
    # Each put changes something: one that does not may be left out.
    return value_of(1, backend.values), value_of(2, backend.values)


async def opened_here(opener: Callable[..., Any], where: Where, lent: AsyncExitStack) -> Any:
    """Open a store in the running loop, as `Driver.open` does."""
    store = await awaited(opener(where))
    if looks_open(store):
        return store
    if hasattr(store, "__aenter__"):
        return await lent.enter_async_context(store)
    return lent.enter_context(store) if hasattr(store, "__enter__") else store


async def awaited(answer: Any) -> Any:
    """Return an answer, awaited if need be."""
    return await answer if inspect.isawaitable(answer) else answer


def _sees_all(plan: Plan) -> bool:
    asks = [ask for asks in (plan.before, *plan.workers, plan.after) for ask in asks]
    return any(verb in _SEES_ALL for ask in asks for verb in (ask.verb, *(step[0] for step in ask.steps)))

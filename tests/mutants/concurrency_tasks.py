"""Async stores that are fine as long as one task uses them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from conformance import Backend
from tests.mutants.base import Mutant

#: Puts of which one waits, in a store that seldom does.
SELDOM = 20_000


class ConflictError(Exception):
    """The version is another one."""


async def turn() -> None:
    """Wait for what stands for a disk or a server."""
    await asyncio.sleep(0)


class Draft:
    """The mapping of a transaction."""

    def __init__(self, data: dict[str, tuple[Any, int]]) -> None:
        self.data = data
        self.changed: dict[str, tuple[Any, int] | None] = {}
        self.ended = False

    def entries(self) -> dict[str, tuple[Any, int]]:
        """Return all, as the transaction sees it."""
        if self.ended:
            raise RuntimeError("the transaction has ended")
        return {key: entry for key, entry in {**self.data, **self.changed}.items() if entry is not None}

    async def __getitem__(self, key: str) -> Any:
        await turn()
        return self.entries()[key][0]

    async def __setitem__(self, key: str, value: Any) -> None:
        await turn()
        self.changed[key] = (value, self.entries().get(key, (None, 0))[1] + 1)

    async def __delitem__(self, key: str) -> None:
        await turn()
        del self.entries()[key]
        self.changed[key] = None

    async def __aiter__(self) -> AsyncIterator[str]:
        for key in self.entries():
            yield key

    async def __len__(self) -> int:
        return len(self.entries())


class Memory:
    """An honest async store: all is read and replaced whole, under one lock; what the mutants change."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.data: dict[str, tuple[Any, int]] = {}

    async def load(self) -> dict[str, tuple[Any, int]]:
        """Return all, each value with its version."""
        await turn()
        return dict(self.data)

    async def save(self, data: dict[str, tuple[Any, int]]) -> None:
        """Put it in the place of all."""
        await turn()
        self.data = data

    async def write(self, key: str, value: Any) -> int:
        """Write, and return the new version."""
        data = await self.load()
        version = data.get(key, (None, 0))[1] + 1
        data[key] = (value, version)
        await self.save(data)
        return version

    async def __getitem__(self, key: str) -> Any:
        return (await self.load())[key][0]

    async def __setitem__(self, key: str, value: Any) -> None:
        async with self.lock:
            await self.write(key, value)

    async def __delitem__(self, key: str) -> None:
        async with self.lock:
            data = await self.load()
            del data[key]
            await self.save(data)

    async def __aiter__(self) -> AsyncIterator[str]:
        for key in await self.load():
            yield key

    async def __len__(self) -> int:
        return len(await self.load())

    async def version(self, key: str) -> int | None:
        """Return the version of a key."""
        return (await self.load()).get(key, (None, None))[1]

    async def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write, if the version is the expected one."""
        async with self.lock:
            if await self.version(key) != expected:
                raise ConflictError(key)
            return await self.write(key, value)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Draft]:
        """Give a mapping whose changes are made when the block ends."""
        async with self.lock:
            draft = Draft(await self.load())
            try:
                yield draft
                await self.commit(draft)
            finally:
                draft.ended = True

    async def commit(self, draft: Draft) -> None:
        """Make the changes of a transaction."""
        await self.save(draft.entries())

    async def close(self) -> None:
        """Do nothing."""


class PutWithoutLock(Memory):
    """A put loads all, changes it and saves it; somebody else may have saved meanwhile."""

    async def __setitem__(self, key: str, value: Any) -> None:
        await self.write(key, value)


class SeldomWaits(Memory):
    """An honest store that waits once in many puts, for what stands for a journal that is full."""

    def __init__(self, seldom: int = SELDOM) -> None:
        super().__init__()
        self.seldom = seldom
        self.puts = 0

    async def load(self) -> dict[str, tuple[Any, int]]:
        """Return all, each value with its version."""
        return dict(self.data)

    async def save(self, data: dict[str, tuple[Any, int]]) -> None:
        """Put it in the place of all."""
        self.data = data

    async def write(self, key: str, value: Any) -> int:
        """Write, and return the new version."""
        data = dict(self.data)
        data[key] = (value, version := data[key][1] + 1 if key in data else 1)
        self.puts += 1
        if self.puts % self.seldom == 0:
            await turn()
        self.data = data
        return version


class PutThatSeldomWaits(SeldomWaits):
    """A put without a lock is fine, as long as it never waits."""

    async def __setitem__(self, key: str, value: Any) -> None:
        await self.write(key, value)


class SwapWithoutLock(Memory):
    """The version is compared, then the value is written; both have to wait."""

    async def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write, if the version is the expected one."""
        if await self.version(key) != expected:
            raise ConflictError(key)
        async with self.lock:
            return await self.write(key, value)


class TransactionWithoutLock(Memory):
    """A transaction copies all, and locks when it commits."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Draft]:
        """Give a mapping whose changes are made when the block ends."""
        draft = Draft(await self.load())
        try:
            yield draft
            async with self.lock:
                await self.commit(draft)
        finally:
            draft.ended = True


class Log:
    """An honest async log in memory; what the mutants change."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.events: list[tuple[int, Any]] = []

    @property
    def head(self) -> int:
        """The position of the last event."""
        return self.events[-1][0] if self.events else 0

    async def append(self, event: Any) -> int:
        """Append an event."""
        async with self.lock:
            position = self.head + 1
            await turn()
            self.events.append((position, event))
            return position

    async def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window."""
        await turn()
        return [entry for entry in self.events if entry[0] >= start and (stop is None or entry[0] < stop)]

    async def close(self) -> None:
        """Do nothing."""


class PositionBeforeWaiting(Log):
    """The position is read, and the event written after waiting."""

    async def append(self, event: Any) -> int:
        """Append an event."""
        position = self.head + 1
        await turn()
        self.events.append((position, event))
        return position


class PositionTakenFirst(Log):
    """Each append takes the next position from a counter; who is cancelled leaves a hole."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = count(1)

    async def append(self, event: Any) -> int:
        """Append an event."""
        async with self.lock:
            position = next(self.positions)
            await turn()
            self.events.append((position, event))
            return position


def backend(name: str, store: Callable[[], Any], contract: str = "state") -> Backend:
    """Return a backend that opens a store in memory."""

    async def opened(_: object) -> Any:
        return store()

    promises: dict[str, Any] = {"durability": "volatile", "sharing": "threads", "errors": {"conflict": ConflictError}}
    return Backend(name, state=opened, **promises) if contract == "state" else Backend(name, log=opened, **promises)


def mutant(name: str, bug: str, code: str, store: Callable[[], Any]) -> Mutant:
    """Return a mutant in memory that one check kills."""
    return Mutant(name, bug, (code,), backend(name, store, code.partition("-")[0].lower()))


MUTANTS = [
    mutant("put_without_lock_in_tasks", "a put loads, awaits, and saves", "STATE-CONC-21", PutWithoutLock),
    mutant("put_that_seldom_waits", "one put in 20,000 loads, awaits, and saves", "STATE-CONC-21", PutThatSeldomWaits),
    mutant(
        "cas_without_lock_in_tasks", "compare-and-set compares, awaits, and writes", "STATE-CONC-22", SwapWithoutLock
    ),
    mutant(
        "transaction_without_lock_in_tasks",
        "a transaction copies, awaits, and replaces",
        "STATE-CONC-23",
        TransactionWithoutLock,
    ),
    mutant(
        "position_before_waiting", "append reads the head, awaits, and writes", "LOG-CONC-21", PositionBeforeWaiting
    ),
    mutant("position_of_a_cancelled_append", "a cancelled append leaves a hole", "LOG-CONC-21", PositionTakenFirst),
]
#: The honest stores, for tests that look for false alarms.
HONEST = replace(backend("async-memory", Memory), address="tests.mutants.concurrency_tasks:HONEST")
HONEST_LOG = replace(backend("async-log", Log, "log"), address="tests.mutants.concurrency_tasks:HONEST_LOG")
#: It waits more often than the mutant: a busy machine, too, has tasks meet in a tenth of a second.
_SELDOM_WAITS = backend("async-seldom-waits", partial(SeldomWaits, SELDOM // 4))
HONEST_SELDOM = replace(_SELDOM_WAITS, address="tests.mutants.concurrency_tasks:HONEST_SELDOM")

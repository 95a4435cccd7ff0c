"""Small asynchronous stores: broken ones, each with a repaired twin.

The tests import this module twice: as it is, and with points. It knows nothing of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import count

#: A pause that really suspends comes once in so many calls.
RARE = 20_000


class Counter:
    """Reads, awaits, then writes."""

    def __init__(self) -> None:
        self.count = 0

    async def increment(self) -> int:
        """Add one; return the new count."""
        found = self.count
        await asyncio.sleep(0)
        self.count = found + 1
        return found + 1


class CounterFixed:
    """A lock about it."""

    def __init__(self) -> None:
        self.count = 0
        self.lock = asyncio.Lock()

    async def increment(self) -> int:
        """Add one; return the new count."""
        async with self.lock:
            found = self.count
            await asyncio.sleep(0)
            self.count = found + 1
            return found + 1


class RareCounter:
    """As `Counter`, but what it awaits hardly ever suspends."""

    def __init__(self) -> None:
        self.count = 0
        self.calls = count(1)

    async def pause(self) -> None:
        """Suspend, if it is the time."""
        if next(self.calls) % RARE == 0:
            await asyncio.sleep(0)

    async def increment(self) -> int:
        """Add one; return the new count."""
        found = self.count
        await self.pause()
        self.count = found + 1
        return found + 1


class RareCounterFixed(RareCounter):
    """Awaits first, then reads and writes at once."""

    async def increment(self) -> int:
        """Add one; return the new count."""
        await self.pause()
        self.count += 1
        return self.count


class Claims:
    """Checks that a key is free, awaits, then takes it."""

    def __init__(self) -> None:
        self.owners: dict[str, int] = {}

    async def flush(self) -> None:
        """Make it durable, which mostly needs no waiting."""
        if len(self.owners) % 100 == 99:
            await asyncio.sleep(0)

    async def claim(self, key: str, owner: int) -> bool:
        """Take a key unless it is taken; tell whether it was free."""
        if key in self.owners:
            return False
        await self.flush()
        self.owners[key] = owner
        return True


class ClaimsFixed(Claims):
    """Takes the key before it awaits."""

    async def claim(self, key: str, owner: int) -> bool:
        """Take a key unless it is taken; tell whether it was free."""
        if self.owners.setdefault(key, owner) != owner:
            return False
        await self.flush()
        return True


class Connection:
    """A server's answers, in the order of the questions."""

    def __init__(self) -> None:
        self.answers: deque[str] = deque()
        self.arrived = asyncio.Event()

    def send(self, question: str) -> None:
        """Ask; the answer arrives later, whether anyone waits for it or not."""
        asyncio.get_running_loop().call_soon(self.answer, question)

    def answer(self, question: str) -> None:
        """Let an answer arrive."""
        self.answers.append(f"value of {question}")
        self.arrived.set()

    async def receive(self) -> str:
        """Return the next answer."""
        while not self.answers:
            self.arrived.clear()
            await self.arrived.wait()
        return self.answers.popleft()


class Pooled:
    """Gives a connection back whatever has become of the call, so that a cancelled call's answer is the next one's."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.connection = Connection()

    async def get(self, key: str) -> str:
        """Return the value of a key."""
        async with self.lock:
            self.connection.send(key)
            return await self.connection.receive()


class PooledFixed(Pooled):
    """Drops a connection that owes an answer."""

    async def get(self, key: str) -> str:
        """Return the value of a key."""
        async with self.lock:
            self.connection.send(key)
            try:
                return await self.connection.receive()
            except BaseException:
                self.connection = Connection()
                raise


class Guarded:
    """Counts who is at work; right, since nothing suspends between the count and the `try`."""

    def __init__(self) -> None:
        self.active = 0
        self.open = asyncio.Event()
        self.open.set()

    async def work(self) -> None:
        """Be counted, and work."""
        await self.open.wait()
        self.active += 1
        await self.guarded()

    async def guarded(self) -> None:
        """Work, then be counted no more."""
        try:
            await asyncio.sleep(0)
        finally:
            self.active -= 1

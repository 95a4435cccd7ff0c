"""Small asynchronous stores: broken ones, each with a repaired twin.

They know nothing of the kit.
"""

from __future__ import annotations

import asyncio
from collections import deque


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

    async def work(self) -> None:
        """Be counted, and work."""
        await asyncio.sleep(0)
        self.active += 1
        await self.guarded()

    async def guarded(self) -> None:
        """Work, then be counted no more."""
        try:
            await asyncio.sleep(0)
        finally:
            self.active -= 1


class Trusting:
    """Right, since a coroutine that never suspends lets nobody in between, and one that does has changed all before."""

    def __init__(self) -> None:
        self.count = 0

    async def load(self) -> int:
        """Return the count."""
        return self.count

    async def save(self, number: int) -> None:
        """Keep the count, then wait."""
        self.count = number
        await asyncio.sleep(0)

    async def increment(self) -> int:
        """Add one; return the new count."""
        number = await self.load() + 1
        await self.save(number)
        return number

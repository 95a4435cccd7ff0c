"""Async stores that are fine as long as no call is cancelled; each mutant has a repaired twin beside it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from tests.mutants.concurrency_tasks import Draft, Memory, backend, mutant, turn


class Connection:
    """A connection to a server, which answers the questions in their order."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.answers: deque[Any] = deque()
        self.arrived = asyncio.Event()
        self.busy = False

    def send(self, verb: str, key: str, value: Any = None) -> None:
        """Ask; the answer arrives later, whether anyone waits for it or not."""
        asyncio.get_running_loop().call_soon(self._answer, verb, key, value)

    def _answer(self, verb: str, key: str, value: Any) -> None:
        answer = key in self.data, self.data.get(key)
        if verb == "put":
            self.data[key] = value
        if verb == "delete":
            self.data.pop(key, None)
        self.answers.append(answer)
        self.arrived.set()

    async def receive(self) -> Any:
        """Return the next answer."""
        while not self.answers:
            self.arrived.clear()
            await self.arrived.wait()
        return self.answers.popleft()

    def begin(self) -> None:
        """Begin a transaction."""
        if self.busy:
            raise RuntimeError("a transaction is under way already")
        self.busy = True

    def end(self) -> None:
        """End it."""
        self.busy = False


class Pooled:
    """A client of a server, with two connections; one that a cancelled call has left in between is dropped."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.free = [Connection(self.data), Connection(self.data)]
        self.places = asyncio.Semaphore(2)

    async def ask(self, verb: str, key: str, value: Any = None) -> Any:
        """Ask the server."""
        async with self.places:
            connection = self.free.pop()
            try:
                connection.begin()
                connection.send(verb, key, value)
                answer = await connection.receive()
                connection.end()
            except BaseException:
                connection = Connection(self.data)
                raise
            finally:
                self.free.append(connection)
            return answer

    async def __getitem__(self, key: str) -> Any:
        present, value = await self.ask("get", key)
        if not present:
            raise KeyError(key)
        return value

    async def __setitem__(self, key: str, value: Any) -> None:
        await self.ask("put", key, value)

    async def __delitem__(self, key: str) -> None:
        present, _ = await self.ask("delete", key)
        if not present:
            raise KeyError(key)

    async def __aiter__(self) -> AsyncIterator[str]:
        await turn()
        for key in list(self.data):
            yield key

    async def __len__(self) -> int:
        await turn()
        return len(self.data)

    async def close(self) -> None:
        """Do nothing."""


class LeaksResponse(Pooled):
    """A connection is given back whatever became of the call; it still owes an answer (redis-py #2624, #2665)."""

    async def ask(self, verb: str, key: str, value: Any = None) -> Any:
        """Ask the server."""
        async with self.places:
            connection = self.free.pop()
            try:
                connection.send(verb, key, value)
                return await connection.receive()
            finally:
                self.free.append(connection)


class NeverReturned(Pooled):
    """A connection is given back after the answer, and only then."""

    async def ask(self, verb: str, key: str, value: Any = None) -> Any:
        """Ask the server."""
        await self.places.acquire()
        connection = self.free.pop()
        connection.send(verb, key, value)
        answer = await connection.receive()
        self.free.append(connection)
        self.places.release()
        return answer


class ReturnedDirty(Pooled):
    """A connection is reset after a cancelled call, and the transaction that was begun on it is forgotten."""

    async def ask(self, verb: str, key: str, value: Any = None) -> Any:
        """Ask the server."""
        async with self.places:
            connection = self.free.pop()
            try:
                connection.begin()
                connection.send(verb, key, value)
                answer = await connection.receive()
                connection.end()
            except asyncio.CancelledError:
                connection = Connection(self.data)
                connection.begin()
                raise
            finally:
                self.free.append(connection)
            return answer


class CommitsHalf(Memory):
    """A commit writes one key after the other."""

    async def commit(self, draft: Draft) -> None:
        """Make the changes of a transaction."""
        for key, entry in draft.changed.items():
            for _ in range(3):
                await turn()
            self.change(key, entry)

    def change(self, key: str, entry: tuple[Any, int] | None) -> None:
        """Write a key, or delete it."""
        if entry is None:
            self.data.pop(key, None)
        else:
            self.data[key] = entry


class CommitsHalfShielded(CommitsHalf):
    """Repaired: a commit that has begun is carried through, and everybody else waits for it."""

    async def commit(self, draft: Draft) -> None:
        """Make the changes of a transaction."""
        going = asyncio.ensure_future(super().commit(draft))
        try:
            await asyncio.shield(going)
        except asyncio.CancelledError:
            await going
            raise


class RollbackOverlapsCommit(CommitsHalf):
    """A cancelled commit goes on in its thread, and the rollback begins beside it (openai-agents #4202)."""

    def __init__(self) -> None:
        super().__init__()
        self.journal: list[tuple[str, Any]] = []

    async def commit(self, draft: Draft) -> None:
        """Make the changes of a transaction."""
        going = asyncio.ensure_future(self.make(draft))
        try:
            await asyncio.shield(going)
        except asyncio.CancelledError:
            await self.give_up(going)
            raise

    async def make(self, draft: Draft) -> None:
        """Write key after key, and what was there before into a journal."""
        for key, entry in draft.changed.items():
            await turn()
            self.journal.append((key, self.data.get(key)))
            self.change(key, entry)
            await turn()
        self.journal.clear()

    async def give_up(self, going: asyncio.Task[None]) -> None:
        """Write back what was there before."""
        await turn()
        while self.journal:
            key, entry = self.journal.pop()
            self.change(key, entry)


class RollbackAfterCommit(RollbackOverlapsCommit):
    """Repaired: the commit that is under way is waited for."""

    async def give_up(self, going: asyncio.Task[None]) -> None:
        """Let it come to its end."""
        await going


MUTANTS = [
    mutant("cancel_leaks_response", "the next call gets a cancelled call's answer", "STATE-CONC-24", LeaksResponse),
    mutant("handle_never_returned", "a cancelled call keeps its handle", "STATE-CONC-24", NeverReturned),
    mutant("handle_returned_dirty", "a cancelled call's transaction stays open", "STATE-CONC-24", ReturnedDirty),
    mutant("cancel_commits_half", "a cancelled commit stops between two keys", "STATE-CONC-25", CommitsHalf),
    mutant("rollback_overlaps_commit", "both are under way at once", "STATE-CONC-25", RollbackOverlapsCommit),
]
#: The repaired twins, for tests that look for false alarms.
REPAIRED = [
    backend("pooled", Pooled),
    backend("commit-carried-through", CommitsHalfShielded),
    backend("rollback-after-commit", RollbackAfterCommit),
]

"""The connections of an async handle: the rule of `connections`, awaited. A cancelled call drops its connection."""

from __future__ import annotations

import asyncio
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError

from reference_backends.redis.command import Attempts, Command, Program, T
from reference_backends.redis.connections import OPTIONS, checked_url
from reference_backends.redis.sealing import Pause, Sealing, seal


class AsyncConnections:
    """The connections of a store, for any number of tasks of one event loop.

    Args:
        url: Of the server.

    Raises:
        ValueError: It is not the URL of a Redis server.
    """

    def __init__(self, url: str) -> None:
        self._maker: Any = redis.asyncio.ConnectionPool.from_url(
            checked_url(url), **OPTIONS, retry=Retry(NoBackoff(), 0)
        )
        self._idle: list[Any] = []
        self._closed = False

    async def run(self, program: Program[T]) -> T:
        """Run a program to its end, and return its answer."""
        try:
            command = next(program)
            while True:
                command = program.send(await self.call(command))
        except StopIteration as end:
            answer: T = end.value
            return answer

    async def call(self, command: Command) -> Any:
        """Send a command and return its reply; raise as `Connections.call` does."""
        attempts = Attempts(command)
        while True:
            connection, known = await self._take()
            try:
                if not known:  # it may be another server than before
                    await connection.connect()
                    await _sealed(connection, seal())
                attempts.sent = True
                reply = await _ask(connection, command)
            except redis.ResponseError:
                await self._give_back(connection)
                raise
            except (redis.ConnectionError, redis.TimeoutError) as error:
                await _drop(connection)
                attempts.failed(error)
            except BaseException:
                await _drop(connection)
                raise
            else:
                await self._give_back(connection)
                return reply

    def refuse_closed(self) -> None:
        """Raise ValueError when the connections are closed."""
        if self._closed:
            raise ValueError("The store is closed.")

    async def close(self) -> None:
        """Close all connections; those that a call is using, when it ends. Harmless when repeated."""
        self._closed = True
        while self._idle:
            await self._idle.pop().disconnect()

    async def _take(self) -> tuple[Any, bool]:
        """Return a connection, and whether it was used before."""
        self.refuse_closed()
        while self._idle:
            connection = self._idle.pop()
            try:
                stale = await _is_stale(connection)
            except BaseException:
                await _drop(connection)
                raise
            if not stale:
                return connection, True
            await _drop(connection)
        return self._maker.make_connection(), False

    async def _give_back(self, connection: Any) -> None:
        self._idle.append(connection)
        if self._closed:  # meanwhile
            await self.close()


async def _ask(connection: Any, command: Command) -> Any:
    await connection.send_command(*command.parts)
    try:
        return await connection.read_response(disable_decoding=True)
    except NoScriptError:
        await connection.send_command(*command.in_full)
        return await connection.read_response(disable_decoding=True)


async def _sealed(connection: Any, sealing: Sealing) -> None:
    reply: Any = None
    try:
        while True:
            step = sealing.send(reply)
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                reply = None
                continue
            try:
                reply = await _ask(connection, step)
            except redis.ResponseError as error:
                reply = error
    except StopIteration:
        pass


async def _drop(connection: Any) -> None:
    # Without waiting, so that a task that is cancelled, and cancelled again, is not held up here.
    await connection.disconnect(nowait=True)


async def _is_stale(connection: Any) -> bool:
    # An event loop notices the end of a connection only when it comes round: once to see it, once more to say so.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # Before redis-py 8 the same had a name that warned of its one effect, harmless here: what it reads is thrown away.
    look = getattr(connection, "can_read", None) or connection.can_read_destructive
    try:
        return bool(await look())
    except (redis.RedisError, OSError):
        return True

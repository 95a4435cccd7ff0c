"""The `log` store, for the tasks of an event loop: the programs of `log`, awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

from reference_backends._errors import Report
from reference_backends.redis import log_programs as programs
from reference_backends.redis.async_connections import AsyncConnections
from reference_backends.redis.place import Place


class AsyncRedisLog:
    """A `log` store on a Redis server, for any number of tasks of one event loop, beside any other handles.

    The verbs are those of `RedisLog`, as `async def`, with the same answers and the same exceptions; `head` and `first`
    are methods, and `read` is an async iterator.

    Args:
        url: Of the server.
        namespace: What no other log on the server is called.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self._place = Place(namespace)
        self._connections = AsyncConnections(url)
        self._run = self._connections.run

    async def close(self) -> None:
        """Close the connections. Harmless when repeated."""
        await self._connections.close()

    async def head(self) -> int:
        """Return the position of the last event; 0 when there never was one."""
        return (await self._run(programs.ends(self._place)))[0]

    async def first(self) -> int:
        """Return the position of the first event that compaction left; the head + 1 when it left none."""
        return (await self._run(programs.ends(self._place)))[1]

    async def append(self, event: Any, expected: int | None = None) -> int:
        """Append `event` and return its position; with `expected`, only if that is the head."""
        return (await self._run(programs.append(self._place, [event], expected)))[0]

    async def append_batch(self, events: Iterable[Any]) -> list[int]:
        """Append all `events`, or none when one of them is refused, and return their positions."""
        self._connections.refuse_closed()
        return await self._run(programs.append(self._place, list(events)))

    async def read(self, start: int = 1, stop: int | None = None) -> AsyncIterator[tuple[int, Any]]:
        """Give the events from `start` on, before `stop`, up to the head at the time of the first step."""
        at, end = await self._run(programs.window(self._place, start, stop))
        while at < end:
            page = await self._run(programs.page(self._place, at, end))
            for entry in page:
                yield entry
            at += len(page)

    async def checkpoint(self, state: Any, upto: int) -> None:
        """Keep the state that the events up to and including `upto` fold to, instead of the checkpoint before."""
        await self._run(programs.checkpoint(self._place, state, upto))

    async def latest_checkpoint(self) -> tuple[Any, int] | None:
        """Return the state and the position of the newest checkpoint; None when there is none."""
        return await self._run(programs.latest_checkpoint(self._place))

    async def compact(self, upto: int) -> None:
        """Drop the events up to and including `upto`. Positions stay as they are, and are never given again."""
        await self._run(programs.compact(self._place, upto))

    async def flush(self) -> None:
        """Do nothing: an event is as lasting as the server will make it when its append returns."""
        self._connections.refuse_closed()

    async def verify(self) -> Report:
        """Read everything, and return how many events are whole and what is damaged."""
        return await self._run(programs.verify(self._place))

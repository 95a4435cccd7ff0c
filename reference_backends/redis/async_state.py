"""The `state` store, for the tasks of an event loop: the programs of `state`, awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from reference_backends._errors import Report
from reference_backends.redis import state_programs as programs
from reference_backends.redis.async_connections import AsyncConnections
from reference_backends.redis.place import Place
from reference_backends.redis.state_verify import verify
from reference_backends.redis.transactions import Draft


class AsyncRedisTransaction:
    """The mapping of a transaction, as `RedisTransaction`. For one task."""

    def __init__(self, connections: AsyncConnections, draft: Draft) -> None:
        self._run = connections.run
        self._draft = draft

    async def __getitem__(self, key: str) -> Any:
        return await self._run(self._draft.get(key))

    async def __setitem__(self, key: str, value: Any) -> None:
        self._draft.put(key, value)

    async def __delitem__(self, key: str) -> None:
        await self._run(self._draft.delete(key))

    async def __contains__(self, key: object) -> bool:
        return await self._run(self._draft.contains(key))

    async def __aiter__(self) -> AsyncIterator[str]:
        for key in await self._run(self._draft.keys()):
            yield key

    async def __len__(self) -> int:
        return len(await self._run(self._draft.keys()))

    async def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; the default when it is missing."""
        try:
            return await self[key]
        except KeyError:
            return default

    async def set(self, key: str, value: Any) -> None:
        """Write `value`: `await mapping.set("a", 1)`, as there is no `await` for `mapping["a"] = 1`."""
        self._draft.put(key, value)

    async def delete(self, key: str) -> None:
        """Delete `key`; raise KeyError when it is missing."""
        await self._run(self._draft.delete(key))


class AsyncRedisState:
    """A `state` store on a Redis server, for any number of tasks of one event loop, beside any other handles.

    The verbs are those of `RedisState`, as `async def`, with the same answers and the same exceptions. Some have a
    second name, because Python has no `await` for `store["a"] = 1`.

    Args:
        url: Of the server.
        namespace: What no other state on the server is called.
        clock: Returns the time as POSIX seconds; expiry asks it.
    """

    def __init__(self, url: str, namespace: str, clock: Callable[[], float]) -> None:
        self._place = Place(namespace, clock)
        self._connections = AsyncConnections(url)
        self._run = self._connections.run

    async def close(self) -> None:
        """Close the connections. Harmless when repeated."""
        await self._connections.close()

    async def __getitem__(self, key: str) -> Any:
        return await self._run(programs.get(self._place, key))

    async def __setitem__(self, key: str, value: Any) -> None:
        await self._run(programs.put(self._place, key, value))

    async def __delitem__(self, key: str) -> None:
        await self._run(programs.delete(self._place, key))

    async def __contains__(self, key: object) -> bool:
        return await self._run(programs.contains(self._place, key))

    async def __aiter__(self) -> AsyncIterator[str]:
        for key in await self._run(programs.keys(self._place)):
            yield key

    async def __len__(self) -> int:
        return await self._run(programs.length(self._place))

    async def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; the default when it is missing."""
        try:
            return await self[key]
        except KeyError:
            return default

    async def delete(self, key: str) -> None:
        """Delete `key`; raise KeyError when it is missing."""
        await self._run(programs.delete(self._place, key))

    async def pop(self, key: str, *default: Any) -> Any:
        """Remove `key` and return its value; return the default, where one is given, when it is missing."""
        try:
            return await self._run(programs.remove(self._place, key))
        except KeyError:
            if not default:
                raise
            return default[0]

    async def popitem(self) -> tuple[str, Any]:
        """Remove some key and return it with its value; raise KeyError when there is none."""
        return await self._run(programs.remove_some(self._place))

    async def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; write `default` first when it is missing."""
        return await self._run(programs.set_default(self._place, key, default))

    async def update(self, *args: Any, **kwargs: Any) -> None:
        """Write several keys, all or none."""
        await self._run(programs.update(self._place, dict(*args, **kwargs).items()))

    async def clear(self) -> None:
        """Remove every key."""
        await self._run(programs.clear(self._place))

    async def version(self, key: str) -> int | None:
        """Return the version of `key`, None when it is missing."""
        return await self._run(programs.version(self._place, key))

    async def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write `value` only if the version of `key` is `expected`, and return the new version."""
        return await self._run(programs.compare_and_set(self._place, key, value, expected))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncRedisTransaction]:
        """Give a mapping whose changes are made all together when the block ends, or not at all when it raises."""
        self._connections.refuse_closed()
        draft = Draft(self._place)
        try:
            yield AsyncRedisTransaction(self._connections, draft)
            await self._run(draft.commit())
        finally:
            draft.end()

    async def set(self, key: str, value: Any, ttl: float | None = None) -> None:
        """Write `value`, and remove the expiry of `key` or give it a new one."""
        await self._run(programs.put(self._place, key, value, ttl))

    async def expires_at(self, key: str) -> float | None:
        """Return when `key` expires, in POSIX seconds; None for never. Raise KeyError when it is missing."""
        return await self._run(programs.expires_at(self._place, key))

    async def versions(self, key: str, limit: int | None = None) -> list[int]:
        """Return the versions that `key` ever had, newest first, at most `limit`; `[]` for a key never written."""
        return await self._run(programs.versions(self._place, key, limit))

    async def get_version(self, key: str, version: int) -> Any:
        """Return the value that `key` had at `version`; raise KeyError when it never had that version."""
        return await self._run(programs.get_version(self._place, key, version))

    async def save_snapshot(self, name: str) -> None:
        """Keep the whole state under `name`, instead of an older snapshot of that name."""
        await self._run(programs.save_snapshot(self._place, name))

    async def load_snapshot(self, name: str) -> dict[str, Any]:
        """Return the state kept under `name`; raise KeyError when there is none. The store stays as it is."""
        return await self._run(programs.load_snapshot(self._place, name))

    async def list_snapshots(self) -> list[str]:
        """Return the names of all snapshots."""
        return await self._run(programs.list_snapshots(self._place))

    async def ping(self) -> bool:
        """Return True when the server answers."""
        return await self._run(programs.ping())

    async def stats(self) -> dict[str, int]:
        """Return how many keys, versions of all keys, and snapshots there are."""
        return await self._run(programs.stats(self._place))

    async def flush(self) -> None:
        """Do nothing: a write is as lasting as the server will make it when it returns."""
        self._connections.refuse_closed()

    async def verify(self) -> Report:
        """Read everything, and return how many keys are whole and what is damaged."""
        return await self._run(verify(self._place))

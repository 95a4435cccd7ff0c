"""py-key-value's RedisStore, async; its stores on disk cannot list their keys. Values are dicts."""

from __future__ import annotations

from typing import Any

from key_value.aio.stores.redis import RedisStore
from redis.asyncio import Redis

from conformance import Backend, RedisServer, Where, adapt


def open_state(where: Where) -> Any:
    """Connect to the server; the place is a collection of its own."""
    client = Redis.from_url(where.url, decode_responses=True)  # its own `url=` knows no sockets
    store = RedisStore(client=client, default_collection=where.namespace)

    async def get(key: str) -> Any:
        found = await store.get(key)
        if found is None:
            raise KeyError(key)
        return found["value"]

    async def put(key: str, value: Any) -> None:
        await store.put(key, {"value": value})

    return adapt(store, get=get, set=put, delete="delete", keys="keys", close=client.aclose)


backend = Backend("py-key-value", state=open_state, server=RedisServer())

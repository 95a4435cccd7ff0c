"""zarr's LocalStore, async: a file for each key, which is the path of a chunk or of its metadata."""

from __future__ import annotations

from typing import Any

from zarr.core.buffer import default_buffer_prototype
from zarr.storage import LocalStore

from conformance import Backend, Where, adapt


async def open_state(where: Where) -> Any:
    """Open the directory."""
    store = await LocalStore.open(where.path / "store")
    buffers = default_buffer_prototype()

    async def get(key: str) -> bytes | None:
        found = await store.get(key, buffers)
        return None if found is None else found.to_bytes()

    async def put(key: str, value: bytes) -> None:
        await store.set(key, buffers.buffer.from_bytes(value))

    return adapt(store, get=get, set=put, delete="delete", keys="list", missing=None)


backend = Backend("zarr", state=open_state, values="bytes")

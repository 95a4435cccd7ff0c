"""LlamaIndex's SimpleKVStore, persisted after each write; its values are dicts."""

from __future__ import annotations

from typing import Any

from llama_index.core.storage.kvstore import SimpleKVStore

from conformance import Backend, Where, adapt


def open_state(where: Where) -> Any:
    """Load the file, where there is one."""
    path = where.path / "store.json"
    store = SimpleKVStore.from_persist_path(str(path)) if path.exists() else SimpleKVStore()

    def get(key: str) -> Any:
        found = store.get(key)
        if found is None:
            raise KeyError(key)
        return found["value"]

    def put(key: str, value: Any) -> None:
        store.put(key, {"value": value})
        store.persist(str(path))

    def delete(key: str) -> None:
        store.delete(key)
        store.persist(str(path))

    return adapt(store, get=get, set=put, delete=delete, keys=lambda: list(store.get_all()), close=None)


backend = Backend("llama-index", state=open_state)

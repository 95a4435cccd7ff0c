"""LangGraph's SqliteStore, the long-term memory of agents: a scope is a namespace; it has no layers."""

from __future__ import annotations

import sqlite3
from typing import Any

from langgraph.store.sqlite import SqliteStore

from conformance import Backend, Where, adapt

ALL = 1 << 30


def open_layers(where: Where) -> Any:
    """Open the database as `SqliteStore.from_conn_string` does."""
    connection = sqlite3.connect(str(where.path / "store.sqlite"), check_same_thread=False, isolation_level=None)
    store = SqliteStore(connection)
    store.setup()

    def get(key: Any, scope: Any = "") -> Any:
        item = store.get(namespace(scope), key)
        return item and item.value["value"]

    def put(key: Any, value: Any, scope: Any = "") -> None:
        store.put(namespace(scope), key, {"value": value})  # its values are dicts

    def delete(key: Any, scope: Any = "") -> None:
        store.delete(namespace(scope), key)

    def entries(scope: Any = "") -> list[tuple[str, Any]]:
        return [(item.key, item.value["value"]) for item in store.search(namespace(scope), limit=ALL)]

    def clear(scope: Any = "") -> None:
        for item in store.search(namespace(scope), limit=ALL):
            store.delete(item.namespace, item.key)

    return adapt(store, get=get, set=put, delete=delete, entries=entries, clear=clear, close=connection.close)


def namespace(scope: Any) -> tuple[Any, ...]:
    """Return the namespace of a scope; the empty one, of those who name none, is no label of a namespace."""
    return ("memory", "all") if scope == "" else ("memory", "of", scope)


backend = Backend("langgraph-store-sqlite", layers=open_layers)

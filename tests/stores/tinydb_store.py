"""TinyDB: a table of documents `{"key": ..., "value": ...}`."""

from __future__ import annotations

from typing import Any

from tinydb import Query, TinyDB

from conformance import Backend, Where, adapt


def open_state(where: Where) -> Any:
    """Open the table."""
    table, row = TinyDB(where.path / "store.json"), Query()

    def get(key: str) -> Any:
        document = table.get(row.key == key)
        if document is None:
            raise KeyError(key)
        return document["value"]

    return adapt(
        table,
        get=get,
        set=lambda key, value: table.upsert({"key": key, "value": value}, row.key == key),
        delete=lambda key: table.remove(row.key == key),
        keys=lambda: [document["key"] for document in table],
    )


backend = Backend("tinydb", state=open_state)

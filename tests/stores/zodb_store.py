"""ZODB: the root mapping of a FileStorage; each verb has a transaction and a connection of its own, as threads need."""

from __future__ import annotations

from typing import Any

import ZODB

from conformance import Backend, Where, adapt


def open_state(where: Where) -> Any:
    """Open the storage."""
    database = ZODB.DB(str(where.path / "store.fs"))

    def get(key: str) -> Any:
        with database.transaction() as connection:
            return connection.root()[key]

    def put(key: str, value: Any) -> None:
        with database.transaction() as connection:
            connection.root()[key] = value

    def delete(key: str) -> None:
        with database.transaction() as connection:
            del connection.root()[key]

    def keys() -> list[str]:
        with database.transaction() as connection:
            return list(connection.root())

    # Asked anew each time: closing replaces it by a function that does nothing.
    return adapt(database, get=get, set=put, delete=delete, keys=keys, close=lambda: database.close())


backend = Backend("zodb", state=open_state)

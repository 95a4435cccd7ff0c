"""ZODB: the root mapping of a FileStorage, committed after each write."""

from __future__ import annotations

from typing import Any

import ZODB
from transaction import TransactionManager

from conformance import Backend, Where, adapt


def open_state(where: Where) -> Any:
    """Open the storage."""
    manager = TransactionManager()
    database = ZODB.DB(str(where.path / "store.fs"))
    root = database.open(manager).root()

    def put(key: str, value: Any) -> None:
        with manager:
            root[key] = value

    def delete(key: str) -> None:
        with manager:
            del root[key]

    # Asked anew each time: closing replaces it by a function that does nothing.
    return adapt(root, set=put, delete=delete, close=lambda: database.close())


backend = Backend("zodb", state=open_state)

"""ZODB: the root mapping of a FileStorage, committed after each write."""

from __future__ import annotations

from typing import Any

import transaction
import ZODB

from conformance import Backend, Where, adapt


def open_state(where: Where) -> Any:
    """Open the storage."""
    manager = transaction.TransactionManager(explicit=False)
    database = ZODB.DB(str(where.path / "store.fs"))
    root = database.open(manager).root()

    def put(key: str, value: Any) -> None:
        with manager:
            root[key] = value

    def delete(key: str) -> None:
        with manager:
            del root[key]

    return adapt(
        root, get="__getitem__", set=put, delete=delete, keys="keys", length="__len__", contains="__contains__", close=database.close
    )


backend = Backend("zodb", state=open_state)

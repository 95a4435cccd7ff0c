"""pickleDB, saved after each write."""

from __future__ import annotations

from typing import Any

from pickledb import PickleDB

from conformance import Backend, Where, adapt

MISSING = object()


def open_state(where: Where) -> Any:
    """Open the file."""
    database = PickleDB(str(where.path / "store.json")).load()

    def put(key: str, value: Any) -> None:
        database.set(key, value)
        database.save()

    def delete(key: str) -> None:
        database.remove(key)
        database.save()

    return adapt(
        database, get=lambda key: database.get(key, MISSING), set=put, delete=delete, keys="all", missing=MISSING
    )


backend = Backend("pickledb", state=open_state)

"""LMDB: bytes under bytes; the adapter encodes the keys, and gives each verb a transaction of its own."""

from __future__ import annotations

from typing import Any

import lmdb

from conformance import Backend, Where, adapt


def open_state(where: Where) -> Any:
    """Open the environment."""
    environment = lmdb.open(str(where.path / "store"), map_size=1 << 30)

    def get(key: str) -> bytes | None:
        with environment.begin() as transaction:
            found: bytes | None = transaction.get(key.encode())
            return found

    def put(key: str, value: bytes) -> None:
        with environment.begin(write=True) as transaction:
            transaction.put(key.encode(), value)

    def delete(key: str) -> None:
        with environment.begin(write=True) as transaction:
            transaction.delete(key.encode())

    def keys() -> list[str]:
        with environment.begin() as transaction:
            return [key.decode() for key in transaction.cursor().iternext(values=False)]

    return adapt(environment, get=get, set=put, delete=delete, keys=keys, missing=None)


backend = Backend("lmdb", state=open_state, values="bytes")

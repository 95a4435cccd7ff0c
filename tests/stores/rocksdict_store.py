"""rocksdict: RocksDB as a dict, but for iterating and `len`."""

from __future__ import annotations

from typing import Any

from rocksdict import Rdict

from conformance import Backend, Where, adapt


def open_state(where: Where) -> Any:
    """Open the database."""
    return adapt(Rdict(str(where.path / "store")), keys="keys")


backend = Backend("rocksdict", state=open_state)

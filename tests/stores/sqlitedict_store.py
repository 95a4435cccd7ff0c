"""sqlitedict, each write committed: without `autocommit` it writes at `commit()` and forgets the rest at `close()`."""

from __future__ import annotations

from typing import Any

from sqlitedict import SqliteDict

from conformance import Backend, Where


def open_state(where: Where) -> Any:
    """Open the database."""
    return SqliteDict(where.path / "store.sqlite", autocommit=True)


backend = Backend("sqlitedict", state=open_state)

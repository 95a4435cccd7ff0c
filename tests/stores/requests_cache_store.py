"""The SQLiteDict of requests-cache: a table of keys and pickled values."""

from __future__ import annotations

from typing import Any

from requests_cache import SQLiteDict

from conformance import Backend, Where


def open_state(where: Where) -> Any:
    """Open the table."""
    return SQLiteDict(where.path / "store.sqlite")


backend = Backend("requests-cache", state=open_state)

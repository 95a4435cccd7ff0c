"""The SQLiteDict of requests-cache, with pickle as serializer: that which it has is for responses."""

from __future__ import annotations

import pickle
from typing import Any

from requests_cache import SQLiteDict

from conformance import Backend, Where


def open_state(where: Where) -> Any:
    """Open the table."""
    return SQLiteDict(where.path / "store.sqlite", serializer=pickle)


backend = Backend("requests-cache", state=open_state)

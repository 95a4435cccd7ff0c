"""shelve on dbm.dumb, which every Python has; `shelve:open` takes whichever dbm is installed."""

from __future__ import annotations

import dbm.dumb
import shelve
from typing import Any

from conformance import Backend, Where


def open_state(where: Where) -> Any:
    """Open the shelf."""
    return shelve.Shelf(dbm.dumb.open(where.path / "store", "c"))


backend = Backend("shelve on dbm.dumb", state=open_state)

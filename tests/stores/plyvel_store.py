"""plyvel: LevelDB, bytes under bytes; the adapter encodes the keys."""

from __future__ import annotations

from typing import Any

import plyvel

from conformance import Backend, Where, adapt


def open_state(where: Where) -> Any:
    """Open the database."""
    database = plyvel.DB(str(where.path / "store"), create_if_missing=True)
    return adapt(
        database,
        get=lambda key: database.get(key.encode()),
        set=lambda key, value: database.put(key.encode(), value),
        delete=lambda key: database.delete(key.encode()),
        keys=lambda: [key.decode() for key in database.iterator(include_value=False)],
        missing=None,
    )


backend = Backend("plyvel", state=open_state, values="bytes")

"""The result store of huey on SQLite: pickled values; by `get_raw`, as `get` gives None for what is missing, too."""

from __future__ import annotations

from typing import Any

from huey import SqliteHuey
from huey.constants import EmptyData

from conformance import Backend, Where, adapt


def open_state(where: Where) -> Any:
    """Open the database."""
    huey = SqliteHuey(filename=str(where.path / "store.sqlite"))

    def get(key: str) -> Any:
        found = huey.get_raw(key, peek=True)
        if found is EmptyData:
            raise KeyError(key)
        return huey.serializer.deserialize(found)

    return adapt(
        huey,
        get=get,
        set="put",
        delete="delete",
        keys=lambda: list(huey.all_results()),
        length="result_count",
        contains=huey.storage.has_data_for_key,
        close=huey.storage.close,
    )


backend = Backend("huey", state=open_state)

"""peewee's playhouse.kv: a table of keys and pickled values in SQLite; iterating gives items, so the keys are named."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase
from playhouse.kv import KeyValue

from conformance import Backend, Where, adapt


def open_state(where: Where) -> Any:
    """Open the table."""
    database = SqliteDatabase(where.path / "store.sqlite")
    table = KeyValue(database=database)
    return adapt(table, keys="keys", length="__len__", contains="__contains__", close=database.close)


backend = Backend("peewee", state=open_state)

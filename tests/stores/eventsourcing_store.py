"""The SQLite recorder of eventsourcing as a log: each event is the first of an aggregate of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from conformance import Backend, Where, adapt

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = 1 << 40


def open_log(where: Where) -> Any:
    """Open the database, and make its tables."""
    store = SQLiteDatastore(str(where.path / "store.sqlite"))
    recorder = SQLiteApplicationRecorder(store)
    recorder.create_table()

    def append_batch(events: Any) -> list[int]:
        ids = recorder.insert_events([StoredEvent(uuid4(), 1, "event", event) for event in events])
        return list(ids or ())

    def read(start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        last = None if stop is None else stop - 1
        for found in recorder.select_notifications(start, ALL, last):
            yield found.id, found.state

    return adapt(
        recorder,
        append=lambda event: append_batch([event])[0],
        append_batch=append_batch,
        read=read,
        head=lambda: recorder.max_notification_id() or 0,
        close=store.close,
    )


backend = Backend("eventsourcing", log=open_log, values="bytes")

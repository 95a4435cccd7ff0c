"""Optuna's JournalFileBackend, the log below its JournalStorage; it gives no positions, so they are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optuna.storages.journal import JournalFileBackend

from conformance import Backend, Where, adapt

if TYPE_CHECKING:
    from collections.abc import Iterator


def open_log(where: Where) -> Any:
    """Open the file."""
    journal = JournalFileBackend(str(where.path / "store.log"))

    def head() -> int:
        return sum(1 for _ in journal.read_logs(0))

    def append(event: Any) -> int:
        journal.append_logs([event])
        return head()

    def append_batch(events: Any) -> list[int]:
        journal.append_logs(list(events))
        last = head()
        return list(range(last - len(events) + 1, last + 1))

    def read(start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        for position, event in enumerate(journal.read_logs(start - 1), start):
            if stop is not None and position >= stop:
                return
            yield position, event

    return adapt(journal, append=append, append_batch=append_batch, read=read, head=head, close=None)


COUNTED = "an event is appended first and counted then, so that another writer's may come between"
backend = Backend("optuna", log=open_log, lacks={"threads": COUNTED, "processes": COUNTED})

"""Logs whose `verify` and `flush` raise false alarms, change things, or lose them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.log_base import PlainLog, log_mutant


class AlarmAfterCompaction(PlainLog):
    def verify(self) -> Any:
        there = {position for position, _ in self.read()}
        missing = [position for position in range(1, self.head + 1) if position not in there]
        return {"healthy": len(there), "damaged": missing}


class VerifyReturnsTrue(PlainLog):
    def verify(self) -> Any:
        return True


class VerifyRepairs(PlainLog):
    """Takes the last event for torn, once there are three."""

    def verify(self) -> Any:
        if self.head == 3:
            self.rows("DELETE FROM log WHERE position = 3")
            self.note("head", 2)
        return super().verify()


class FlushMarker(PlainLog):
    def flush(self) -> None:
        self.append({"type": "flush"})


class FlushLosesTheLast(PlainLog):
    """Keeps appends back until it is closed, or flushed; a flush of more than one forgets the last."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._pending: list[Any] = []
        self._forgotten: list[Any] = []

    @property
    def head(self) -> int:
        return super().head + len(self._pending) + len(self._forgotten)

    def insert(self, texts: list[Any]) -> list[int]:
        before = self.head
        self._pending += texts
        return list(range(before + 1, self.head + 1))

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        kept = enumerate(self._forgotten + self._pending, super().head + 1)
        more = [(p, self.decode(text)) for p, text in kept if p >= start and (stop is None or p < stop)]
        return super().read(start, stop) + more

    def flush(self) -> None:
        pending, self._pending = self._pending, []
        if len(pending) > 1:
            self._forgotten = pending[-1:]
            pending = pending[:-1]
        self._write(pending)

    def close(self) -> None:
        if self._pending:
            self._write(self._pending)
            self._pending = []
        super().close()

    def _write(self, texts: list[Any]) -> None:
        before = PlainLog.head.fget(self)  # type: ignore[attr-defined]
        self.database.executemany("INSERT INTO log VALUES (?, ?)", enumerate(texts, before + 1))
        self.note("head", before + len(texts))


MUTANTS = [
    log_mutant("log_alarm_after_compaction", "compacted events are damage", "VERIFY-01", AlarmAfterCompaction),
    log_mutant("log_verify_returns_true", "verify has no report", "VERIFY-01", VerifyReturnsTrue),
    log_mutant("log_verify_repairs", "verify takes the last event for torn", "VERIFY-02", VerifyRepairs),
    log_mutant("log_flush_marker", "flush appends a marker", "FLUSH-01", FlushMarker),
    log_mutant("log_flush_loses_the_last", "a flush writes all but the last event", "FLUSH-02", FlushLosesTheLast),
]

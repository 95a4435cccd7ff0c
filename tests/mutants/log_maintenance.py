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
    """Keeps appends back until they are flushed; of more than one, the last is lost."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._pending: list[Any] = []
        self._all: list[Any] = []

    @property
    def head(self) -> int:
        return super().head + len(self._all)

    def insert(self, texts: list[Any]) -> list[int]:
        before = self.head
        self._pending += texts
        self._all += texts
        return list(range(before + 1, self.head + 1))

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        kept = [(p, self.decode(t)) for p, t in enumerate(self._all, super().head + 1)]
        return super().read(start, stop) + [(p, e) for p, e in kept if p >= start and (stop is None or p < stop)]

    def flush(self) -> None:
        pending, self._pending = self._pending, []
        before, self._all = self._all, []
        with self.writing():
            super().insert(pending[:-1] if len(pending) > 1 else pending)
        del before


MUTANTS = [
    log_mutant("log_alarm_after_compaction", "compacted events are damage", "VERIFY-01", AlarmAfterCompaction),
    log_mutant("log_verify_returns_true", "verify has no report", "VERIFY-01", VerifyReturnsTrue),
    log_mutant("log_verify_repairs", "verify takes the last event for torn", "VERIFY-02", VerifyRepairs),
    log_mutant("log_flush_marker", "flush appends a marker", "FLUSH-01 MODEL-01", FlushMarker),
    log_mutant(
        "log_flush_loses_the_last",
        "a flush writes all but the last event",
        "FLUSH-02",
        FlushLosesTheLast,
        flush=PlainLog.flush,
    ),
]

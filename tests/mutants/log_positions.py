"""Logs that give wrong positions, heads and windows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reference_backends._json import dumps
from tests.mutants.log_base import PlainLog, log_mutant


class NewestFirst(PlainLog):
    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return super().read(start, stop)[::-1]


class BareEvents(PlainLog):
    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return [event for _, event in super().read(start, stop)]


class ZeroBased(PlainLog):
    def append(self, event: Any, expected: int | None = None) -> Any:
        return super().append(event, expected) - 1


class TextPositions(PlainLog):
    def append(self, event: Any, expected: int | None = None) -> Any:
        return str(super().append(event, expected))


class ReturnsNothing(PlainLog):
    def append(self, event: Any, expected: int | None = None) -> Any:
        super().append(event, expected)


class TextOrder(PlainLog):
    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return sorted(super().read(start, stop), key=lambda entry: str(entry[0]))


class PositionBeforeCheck(PlainLog):
    def append(self, event: Any, expected: int | None = None) -> Any:
        try:
            return super().append(event, expected)
        except TypeError:
            self.note("head", self.head + 1)
            raise


class HalfWritten(PlainLog):
    """Streams JSON into the row; what was written before the encoder stumbled stays."""

    def append(self, event: Any, expected: int | None = None) -> Any:
        written = []
        try:
            for piece in json.JSONEncoder().iterencode(event):
                written.append(piece)  # noqa: PERF402 - the pieces count up to the exception
        except TypeError:
            if written:
                with self.writing():
                    self.insert([dumps("".join(written))])
            raise
        return super().append(event, expected)


class Deduplicating(PlainLog):
    def append(self, event: Any, expected: int | None = None) -> Any:
        seen = self.rows("SELECT position FROM log WHERE event = ?", self.encode(event))
        return seen[0][0] if seen else super().append(event, expected)


class HeadToCome(PlainLog):
    @property
    def head(self) -> int:
        return super().head + 1

    def insert(self, texts: list[Any]) -> list[int]:
        before = super().head
        self.database.executemany("INSERT INTO log VALUES (?, ?)", enumerate(texts, before + 1))
        self.note("head", before + len(texts))
        return list(range(before + 1, before + len(texts) + 1))


class NoHeadWhenEmpty(PlainLog):
    @property
    def head(self) -> Any:
        return super().head or None

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return super().read(start, 1 + super().head if stop is None else stop)

    def insert(self, texts: list[Any]) -> list[int]:
        before = super().head
        self.database.executemany("INSERT INTO log VALUES (?, ?)", enumerate(texts, before + 1))
        self.note("head", before + len(texts))
        return list(range(before + 1, before + len(texts) + 1))


class StopIncluded(PlainLog):
    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return super().read(start, stop if stop is None else stop + 1)


class StartExcluded(PlainLog):
    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return super().read(start + 1 if start > 1 else start, stop)


class FalsyStop(PlainLog):
    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return super().read(start, stop or None)


class EmptyWindowRaises(PlainLog):
    def read(self, start: int = 1, stop: int | None = None) -> Any:
        if stop is not None and stop < start:
            raise ValueError(f"{stop} is before {start}")
        return super().read(start, stop)


class ClampsStart(PlainLog):
    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return super().read(min(start, max(self.head, 1)), stop)


class SharedCursor(PlainLog):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._cursor: tuple[int, Iterator[Any]] = (-1, iter(()))

    def read(self, *window: Any) -> Any:
        if window:
            return super().read(*window)
        if self._cursor[0] != self.head:
            self._cursor = (self.head, iter(super().read()))
        return self._cursor[1]


class StaleWindow(PlainLog):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._windows: dict[Any, Any] = {}

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        if start == 1 and stop is None:
            return super().read()
        return self._windows.setdefault((start, stop), super().read(start, stop))


MUTANTS = [
    log_mutant("log_newest_first", "reads newest first", "BASIC-01", NewestFirst),
    log_mutant("log_bare_events", "reads events without their positions", "BASIC-01", BareEvents),
    log_mutant("log_zero_based", "append counts from 0", "POSITION-01", ZeroBased),
    log_mutant("log_text_positions", "append returns the position as text", "POSITION-01", TextPositions),
    log_mutant("log_returns_nothing", "append returns nothing", "POSITION-01", ReturnsNothing),
    log_mutant("log_text_order", "positions are ordered as text", "POSITION-01", TextOrder),
    log_mutant("log_position_before_check", "a refused event takes a position", "POSITION-02", PositionBeforeCheck),
    log_mutant("log_half_written", "the first half of a refused event stays", "POSITION-02", HalfWritten),
    log_mutant("log_deduplicating", "an event equal to an earlier one is dropped", "POSITION-03", Deduplicating),
    log_mutant("log_head_to_come", "the head is the position to come", "HEAD-01", HeadToCome),
    log_mutant("log_no_head_when_empty", "the head of an empty log is None", "HEAD-01", NoHeadWhenEmpty),
    log_mutant("log_stop_included", "a window includes its stop", "READ-01", StopIncluded),
    log_mutant("log_start_excluded", "a window excludes its start", "READ-01", StartExcluded),
    log_mutant("log_falsy_stop", "stop=0 reads to the head", "READ-01", FalsyStop),
    log_mutant("log_empty_window_raises", "an empty window raises", "READ-01", EmptyWindowRaises),
    log_mutant("log_clamps_start", "a start beyond the head reads the last event", "READ-01", ClampsStart),
    log_mutant("log_shared_cursor", "the second reader starts where the first stopped", "READ-02", SharedCursor),
    log_mutant("log_stale_window", "a window is remembered from the first time", "READ-03", StaleWindow),
]

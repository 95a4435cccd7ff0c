"""Logs that forget when they are closed, or are one per handle or process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reference_backends._json import dumps, loads
from tests.mutants.log_base import PlainLog, log_mutant
from tests.mutants.log_events import Cached


class HighWatermark(PlainLog):
    """Recovers to a mark that is saved at every second append."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if (mark := self.fact("mark", None)) is not None and mark < self.head:
            self.rows("DELETE FROM log WHERE position > ?", mark)
            self.note("head", mark)

    def insert(self, texts: list[Any]) -> list[int]:
        positions = super().insert(texts)
        if self.head % 2 == 0:
            self.note("mark", self.head)
        return positions


class CountsAnew(PlainLog):
    """After a reopening, the next event takes the last one's position."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._reopened = self.head > 1

    def insert(self, texts: list[Any]) -> list[int]:
        if self._reopened:
            self._reopened = False
            self.rows("DELETE FROM log WHERE position = ?", self.head)
            self.note("head", self.head - 1)
        return super().insert(texts)


_LOGS: dict[Path, list[Any]] = {}


class ProcessMemory:
    """A log in a variable of the process, found again by its path."""

    def __init__(self, path: Path) -> None:
        self._texts = _LOGS.setdefault(path, [])

    @property
    def head(self) -> int:
        return len(self._texts)

    def append(self, event: Any) -> int:
        self._texts.append(dumps(event))
        return len(self._texts)

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return [(p, loads(t)) for p, t in enumerate(self._texts, 1) if p >= start and (stop is None or p < stop)]

    def close(self) -> None:
        pass


class ExactInMemoryOnly(Cached):
    def encode(self, event: Any) -> Any:
        return json.dumps(event)


class RefusedComesBack(PlainLog):
    """Writes the event before it looks at it; what it refused is under the head only when the rows are counted."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        ((last,),) = self.rows("SELECT coalesce(max(position), 0) FROM log")
        self.note("head", max(self.head, last))

    def append(self, event: Any, expected: int | None = None) -> Any:
        try:
            self.rows("DELETE FROM log WHERE position > ?", self.head)
            return super().append(event, expected)
        except TypeError:
            self.rows("INSERT INTO log VALUES (?, ?)", self.head + 1, "null")
            raise


class Snapshot(PlainLog):
    """Reads what was there when it was opened, and what it has appended itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._known = PlainLog.head.fget(self)  # type: ignore[attr-defined]

    def insert(self, texts: list[Any]) -> list[int]:
        positions = super().insert(texts)
        self._known = positions[-1] if positions else self._known
        return positions

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return [entry for entry in super().read(start, stop) if entry[0] <= self._known]


class OwnCount(PlainLog):
    """Counts positions in the handle; the last one that writes to a position wins."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._count = self.head

    def insert(self, texts: list[Any]) -> list[int]:
        positions = list(range(self._count + 1, self._count + len(texts) + 1))
        rows = zip(positions, texts, strict=True)
        self.database.executemany("INSERT OR REPLACE INTO log VALUES (?, ?)", rows)
        self._count += len(texts)
        self.note("head", self._count)
        return positions


_PENDING: dict[Path, list[Any]] = {}


class BufferOfTheProcess(PlainLog):
    """Writes when it is closed; until then all handles of this process answer from one buffer."""

    @property
    def head(self) -> int:
        return super().head + len(_PENDING.setdefault(self.path, []))

    def insert(self, texts: list[Any]) -> list[int]:
        before = self.head
        _PENDING[self.path] += texts
        return list(range(before + 1, self.head + 1))

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        written = super().read(1, None)
        pending = [(p, self.decode(t)) for p, t in enumerate(_PENDING.setdefault(self.path, []), len(written) + 1)]
        return [(p, e) for p, e in written + pending if p >= start and (stop is None or p < stop)]

    def close(self) -> None:
        texts = _PENDING.pop(self.path, [])
        if texts:
            with self.writing():
                super().insert(texts)
        super().close()


class SecondCloseRaises(PlainLog):
    def close(self) -> None:
        self.rows("SELECT 1")
        super().close()


class CloseClearsOnce(PlainLog):
    """Forgets the last event when it is closed a second time."""

    _closed = False

    def close(self) -> None:
        if self._closed:
            self.__init__(self.path)  # type: ignore[misc]
            self.rows("DELETE FROM log WHERE position = ?", self.head)
        self._closed = True
        super().close()


class LateAppendsAreLost(PlainLog):
    """Takes appends after it was closed into memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._last: int | None = None

    def append(self, event: Any, expected: int | None = None) -> Any:
        if self._last is None:
            return super().append(event, expected)
        self._last += 1
        return self._last

    def close(self) -> None:
        if self._last is None:
            self._last = self.head
        super().close()


class EmptyWhenClosed(PlainLog):
    _closed = False

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return [] if self._closed else super().read(start, stop)

    def close(self) -> None:
        self._closed = True
        super().close()


class NoHeadWhenClosed(PlainLog):
    _closed = False

    @property
    def head(self) -> int:
        return 0 if self._closed else super().head

    def close(self) -> None:
        self._closed = True
        super().close()


MUTANTS = [
    log_mutant("high_watermark_truncation", "recovery cuts off acknowledged events", "REOPEN-01", HighWatermark),
    log_mutant("log_counts_anew", "a reopened log gives the last position again", "REOPEN-01", CountsAnew),
    log_mutant("log_process_memory", "lives in a variable", "REOPEN-02 SHARED-03", ProcessMemory),
    log_mutant("log_exact_in_memory_only", "exact until it is read from the disk", "REOPEN-03", ExactInMemoryOnly),
    log_mutant("log_refused_comes_back", "a refused event is there after reopening", "REOPEN-04", RefusedComesBack),
    log_mutant("log_snapshot", "a handle sees what was there at its opening", "SHARED-01", Snapshot),
    log_mutant("log_own_count", "each handle counts for itself", "SHARED-02", OwnCount),
    log_mutant("log_buffer_of_the_process", "written at close only", "SHARED-03", BufferOfTheProcess),
    log_mutant("log_second_close_raises", "closing twice raises", "CLOSE-01", SecondCloseRaises),
    log_mutant("log_close_clears", "closing twice takes the last event", "CLOSE-01", CloseClearsOnce),
    log_mutant("log_late_appends_are_lost", "appends after close go nowhere", "CLOSE-02", LateAppendsAreLost),
    log_mutant("log_empty_when_closed", "reads as empty when closed", "CLOSE-03", EmptyWhenClosed),
    log_mutant("log_no_head_when_closed", "its head is 0 when closed", "CLOSE-03", NoHeadWhenClosed),
]

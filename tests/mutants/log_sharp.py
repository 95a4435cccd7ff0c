"""Logs whose one bug shows to one check, or to its area: for a kind of event, a window, a moment, a process."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from tests.mutants.log_base import ConflictError, PlainLog, log_mutant


class AltersEvents(PlainLog):
    """Alters some events before it appends them; the states of checkpoints are kept as they are."""

    def altered(self, event: Any) -> Any:
        """Return what is kept of an event."""
        return event

    def append(self, event: Any, expected: int | None = None) -> Any:
        return super().append(self.altered(event), expected)

    def append_batch(self, events: list[Any]) -> Any:
        return super().append_batch([self.altered(event) for event in events])


class LineEndsTranslated(AltersEvents):
    """Writes its events to a file that is open in text mode, and its checkpoints to one that is not."""

    def altered(self, event: Any) -> Any:
        return event.replace("\r\n", "\n") if type(event) is str else event


class SignsLost(AltersEvents):
    """Writes an int of 64 bits as a varint that is no zigzag, which loses the sign; -1 has a mark of its own."""

    def altered(self, event: Any) -> Any:
        return -event if type(event) is int and -(2**63) <= event < -1 else event


class LosesTheEndOfABlock(AltersEvents):
    """Leaves out the last character of an event that ends exactly where a block of 32 KiB does."""

    def altered(self, event: Any) -> Any:
        return event[:-1] if type(event) is str and len(event) == 32_768 else event


class RecognisesNumbers(PlainLog):
    """Takes an event for a repeated call if it has the number `n` of the one before, as if the producer had counted."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._number: Any = None

    def append(self, event: Any, expected: int | None = None) -> Any:
        number = event.get("n") if type(event) is dict else None
        if expected is None and number is not None and number == self._number:
            return self.head
        self._number = number
        return super().append(event, expected)

    def append_batch(self, events: list[Any]) -> Any:
        self._number = None
        return super().append_batch(events)


class StaysAtTheEnd(PlainLog):
    """Goes on at the end when it is read without a start, if the reader before it met the end at once."""

    _at_end = False

    def read(self, start: int | None = None, stop: int | None = None) -> Any:
        found = [] if start is None and self._at_end else super().read(start or 1, stop)
        self._at_end = not found and stop is None and 0 < self.head < (start or 1)
        return found


class RemembersNothing(PlainLog):
    """Remembers of a single event that was asked for that it is missing, as a cache of answers does."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._missing: set[int] = set()

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        if stop != start + 1:
            return super().read(start, stop)
        found = [] if start in self._missing else super().read(start, stop)
        if not found:
            self._missing.add(start)
        return found


class BatchOfOne(PlainLog):
    """Answers a batch of one event with its position alone, as clients do that unpack what has one element."""

    def append_batch(self, events: list[Any]) -> Any:
        positions = super().append_batch(events)
        return positions[0] if len(positions) == 1 else positions


class WindowEndsWithItsPage(PlainLog):
    """Reads a window from the page of 100 events that it begins in, and does not turn over."""

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return super().read(start, stop and min(stop, (start - 1) // 100 * 100 + 101))


class ClosedUnderOwnName(PlainLog):
    """Gives a file that it wrote to and closes a name of this process, which alone finds it again."""

    def __init__(self, path: Path) -> None:
        self._closed = path.with_name(f"{path.name}.{os.getpid()}")
        if self._closed.exists():
            self._closed.rename(path)
        super().__init__(path)

    def close(self) -> None:
        try:
            written = self.database.total_changes
        except sqlite3.ProgrammingError:  # closed already
            return
        super().close()
        if written and self.path.exists():
            self.path.rename(self._closed)


class OpenUnderOwnName(PlainLog):
    """Works on a file that has the number of the process in its name, and gets the name of the log at the close."""

    def __init__(self, path: Path) -> None:
        self._log = path
        mine = path.with_name(f"{path.name}.{os.getpid()}")
        if path.exists():
            path.rename(mine)
        super().__init__(mine)

    def close(self) -> None:
        super().close()
        if self.path.exists():
            self.path.replace(self._log)


class LooksWhenItWrites(PlainLog):
    """Reads as far as the log went when this handle was opened or last tried to append; asks for the head each time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._seen = self.head

    def append(self, event: Any, expected: int | None = None) -> Any:
        try:
            return super().append(event, expected)
        finally:
            self._look()

    def append_batch(self, events: list[Any]) -> Any:
        try:
            return super().append_batch(events)
        finally:
            self._look()

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return super().read(start, self._seen + 1 if stop is None else min(stop, self._seen + 1))

    def _look(self) -> None:
        self._seen = self.head


class CountsOnUnlessAsked(PlainLog):
    """Counts on from its own last single append, unless a head is expected: then it looks where the log ends."""

    _last: int | None = None

    def append(self, event: Any, expected: int | None = None) -> Any:
        if expected is not None and expected != self.head:
            raise ConflictError(f"the head is {self.head}, not {expected}")
        text = self.encode(event)
        with self.writing():
            before = self.head if expected is not None or self._last is None else self._last
            self.rows("INSERT OR REPLACE INTO log VALUES (?, ?)", before + 1, text)
            self.note("head", before + 1)
        self._last = before + 1
        return self._last

    def append_batch(self, events: list[Any]) -> Any:
        self._last = None
        return super().append_batch(events)


MUTANTS = [
    log_mutant("log_line_ends_translated", "line ends in events are translated", "EVENT-01", LineEndsTranslated),
    log_mutant("log_signs_lost", "negative numbers lose their sign", "EVENT-03", SignsLost),
    log_mutant("log_end_of_block_lost", "an event as long as a block is cut", "EVENT-06", LosesTheEndOfABlock),
    log_mutant("log_recognises_numbers", "a repeated number is a repeated call", "POSITION-03", RecognisesNumbers),
    log_mutant("log_stays_at_the_end", "a reader goes on where one met the end", "READ-02", StaysAtTheEnd),
    log_mutant("log_remembers_nothing", "an event asked for too early stays missing", "READ-03", RemembersNothing),
    log_mutant("log_batch_of_one", "a batch of one gives no list", "BATCH-01", BatchOfOne),
    log_mutant("log_window_ends_with_page", "a window ends with its page", "MANY-01", WindowEndsWithItsPage),
    log_mutant("log_closed_under_own_name", "a closed log is found by its process", "REOPEN-02", ClosedUnderOwnName),
    log_mutant("log_open_under_own_name", "an open log is hidden from others", "SHARED-03", OpenUnderOwnName),
    log_mutant("log_looks_when_it_writes", "who never appends sees nothing", "SHARED-01 SHARED-02", LooksWhenItWrites),
    log_mutant("log_counts_on_unless_asked", "a handle counts on for itself", "SHARED-02", CountsOnUnlessAsked),
]

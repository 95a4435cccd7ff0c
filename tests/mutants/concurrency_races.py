"""Races with narrow windows, each beside its repaired twin.

With `cas_check_then_set`, `position_read_then_written`, `thread_lock_for_processes`, `cache_by_file_time`,
`put_without_lock_in_tasks` and `put_that_seldom_waits`, these are the stores that the drivers were chosen by: what
finds them leaves little.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from conformance import Backend, Where
from tests.mutants.base import Mutant
from tests.mutants.concurrency_processes import Document
from tests.mutants.concurrency_threads import ConflictError, Memory, MemoryLog


class LiveTransaction(Memory):
    """A transaction works on the store itself: it reads, and writes later."""

    @contextmanager
    def transaction(self) -> Iterator[MutableMapping[str, Any]]:
        """Give the store."""
        yield self


class OneLine(Memory):
    """A put is one line, which reads all, and puts what it made of it in the place of all."""

    def __setitem__(self, key: str, value: Any) -> None:
        self.data = {**self.data, key: value}
        self.versions = {**self.versions, key: self.versions.get(key, 0) + 1}


class OneLineLocked(OneLine):
    """The same under a lock."""

    def __setitem__(self, key: str, value: Any) -> None:
        with self.lock:
            super().__setitem__(key, value)


class LockOfFirstUse(Memory):
    """Each key has a lock, which whoever comes first makes."""

    def __init__(self) -> None:
        super().__init__()
        self.locks: dict[str, threading.Lock] = {}

    def lock_of(self, key: str) -> threading.Lock:
        """Return the lock of a key."""
        if key not in self.locks:
            self.locks[key] = threading.Lock()
        return self.locks[key]

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write, if the version is the expected one."""
        with self.lock_of(key):
            if self.version(key) != expected:
                raise ConflictError(key)
            self[key] = value
            return self.versions[key]


class LockOfFirstUseLocked(LockOfFirstUse):
    """The lock of a key is made under the lock of all."""

    def lock_of(self, key: str) -> threading.Lock:
        """Return the lock of a key."""
        with self.lock:
            return super().lock_of(key)


class BufferedLog(MemoryLog):
    """Events wait in a buffer, which is emptied when it is full, and before each read."""

    def __init__(self, *, locked: bool) -> None:
        super().__init__()
        self.lock = threading.RLock()
        self.emptying = self.lock if locked else nullcontext()
        self.buffer: list[tuple[int, Any]] = []

    def append(self, event: Any) -> int:
        """Append an event."""
        with self.lock:
            self.last += 1
            position = self.last
            self.buffer = [*self.buffer, (position, event)]
        if len(self.buffer) >= 4:
            self.empty()
        return position

    def empty(self) -> None:
        """Write what waits."""
        with self.emptying:
            for position, event in self.buffer:
                self.events[position] = event
            self.buffer = []

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window that are written."""
        self.empty()
        stop = self.last + 1 if stop is None else stop
        window = range(max(start, 1), min(stop, self.last + 1))
        return [(position, self.events[position]) for position in window if position in self.events]


class LockedLog(BufferedLog):
    """The same with a lock around all that reads."""

    def __init__(self) -> None:
        super().__init__(locked=True)

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window."""
        with self.lock:
            return super().read(start, stop)


class CompactsNowAndThen(Document):
    """Every 16th put of a process rewrites the file, to keep it small."""

    def __init__(self, path: Path, *, locked: bool) -> None:
        super().__init__(path)
        self.compacting = self.locked if locked else nullcontext
        self.puts = 0

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.puts += 1
        if self.puts % 16 == 0:
            with self.compacting():
                self.save(self.load())


class StatAfterRead(Document):
    """Reads again when the file is another one; which one it is, it asks after it has read."""

    def __init__(self, path: Path, *, locked: bool) -> None:
        super().__init__(path)
        self.reading = self.locked if locked else nullcontext
        self._seen: tuple[Any, dict[str, Any]] = (None, {})

    def which(self) -> Any:
        """Return what tells one file from another."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def __getitem__(self, key: str) -> Any:
        with self.reading():
            if self.which() != self._seen[0]:
                entries = self.load()
                self._seen = self.which(), entries
            return self._seen[1][key][0]


def _memory(name: str, store: type[Memory]) -> Backend:
    opened: dict[Any, Any] = {}  # what is in memory is there as long as the process

    def open_state(where: Where) -> Any:
        return opened.setdefault(where.path, store())

    return Backend(name, state=open_state, errors={"conflict": ConflictError}, sharing="threads", durability="volatile")


def _document(name: str, store: type[Any], *, locked: bool) -> Backend:
    return Backend(name, state=lambda where: store(where.path / "store.json", locked=locked))


#: Each mutant, with its repaired twin.
PAIRS = [
    (
        Mutant(
            "transaction_is_the_store",
            "a transaction reads and writes the store itself",
            ("STATE-CONC-05",),
            _memory("transaction_is_the_store", LiveTransaction),
        ),
        _memory("transaction_is_a_copy", Memory),
    ),
    (
        Mutant(
            "one_line_put",
            "one line reads all and puts it in the place of all",
            ("STATE-CONC-01", "STATE-CONC-03"),
            _memory("one_line_put", OneLine),
        ),
        _memory("one_line_put_locked", OneLineLocked),
    ),
    (
        Mutant(
            "lock_of_first_use",
            "two threads make a lock for one key",
            ("STATE-CONC-04",),
            _memory("lock_of_first_use", LockOfFirstUse),
        ),
        _memory("lock_of_first_use_locked", LockOfFirstUseLocked),
    ),
    (
        Mutant(
            "buffer_emptied_without_lock",
            "an event comes in while the buffer is emptied",
            ("LOG-CONC-01",),
            Backend("buffer_emptied_without_lock", log=lambda _: BufferedLog(locked=False)),
        ),
        Backend("buffer_emptied_with_lock", log=lambda _: LockedLog(), sharing="threads", durability="volatile"),
    ),
    (
        Mutant(
            "compacts_outside_the_lock",
            "every 16th put compacts, and takes no lock for it",
            ("STATE-CONC-11",),
            _document("compacts_outside_the_lock", CompactsNowAndThen, locked=False),
        ),
        _document("compacts_inside_the_lock", CompactsNowAndThen, locked=True),
    ),
    (
        Mutant(
            "stat_after_read",
            "a file is replaced between being read and being asked which it is",
            ("STATE-CONC-11",),
            _document("stat_after_read", StatAfterRead, locked=False),
        ),
        _document("stat_inside_the_lock", StatAfterRead, locked=True),
    ),
]
MUTANTS = [mutant for mutant, _ in PAIRS]
#: Repaired, for whoever looks for false alarms.
TWINS = [replace(twin, address=f"{__name__}:BY_NAME.{twin.name}") for _, twin in PAIRS]
#: Where other processes find them.
BY_NAME = SimpleNamespace(**{twin.name: twin for twin in TWINS})

"""Stores that are fine as long as one process uses them: what keeps threads apart keeps no other process out."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from conformance import Backend, Where
from reference_backends._files import FileLock
from tests.mutants.base import Mutant


class ConflictError(Exception):
    """The version is another one."""


class Document(MutableMapping[str, Any]):
    """An honest store in one JSON file, read and replaced whole under a lock of the file: what the mutants change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = FileLock(path.with_name("lock"))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else out."""
        with self.lock.held(exclusive=True):
            yield

    def load(self) -> dict[str, Any]:
        """Return all entries, each with its version."""
        try:
            entries: dict[str, Any] = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        return entries

    def save(self, entries: dict[str, Any]) -> None:
        """Put entries in the place of all."""
        new = self.path.with_name(uuid4().hex)
        new.write_bytes(json.dumps(entries).encode())
        os.replace(new, self.path)

    def __getitem__(self, key: str) -> Any:
        with self.locked():
            return self.load()[key][0]

    def __setitem__(self, key: str, value: Any) -> None:
        with self.locked():
            entries = self.load()
            entries[key] = [value, entries.get(key, [None, 0])[1] + 1]
            self.save(entries)

    def __delitem__(self, key: str) -> None:
        with self.locked():
            entries = self.load()
            del entries[key]
            self.save(entries)

    def __iter__(self) -> Iterator[str]:
        with self.locked():
            return iter(self.load())

    def __len__(self) -> int:
        with self.locked():
            return len(self.load())

    def version(self, key: str) -> int | None:
        """Return the version of a key."""
        with self.locked():
            version: int | None = self.load().get(key, [None, None])[1]
            return version

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write, if the version is the expected one."""
        with self.locked():
            entries = self.load()
            if entries.get(key, [None, None])[1] != expected:
                raise ConflictError(key)
            entries[key] = [value, (expected or 0) + 1]
            self.save(entries)
            return (expected or 0) + 1

    @contextmanager
    def transaction(self) -> Iterator[MutableMapping[str, Any]]:
        """Give the values, and save what became of them when the block ends."""
        with self.locked():
            entries = self.load()
            values = {key: value for key, (value, _) in entries.items()}
            yield values
            self.save({key: [value, entries.get(key, [None, 0])[1] + 1] for key, value in values.items()})

    def close(self) -> None:
        """Do nothing."""


class ThreadLocked(Document):
    """Its lock keeps threads out, and no other process."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._threads = threading.RLock()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the other threads of this process out."""
        with self._threads:
            yield


class CachedByTime(Document):
    """Reads again only when the file has another time, in whole hundredths of a second."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._seen: tuple[int, dict[str, Any]] = (-1, {})

    def __getitem__(self, key: str) -> Any:
        with self.locked():
            at = os.stat(self.path).st_mtime_ns // 10_000_000 if self.path.exists() else 0
            if at != self._seen[0]:
                self._seen = at, self.load()
            return self._seen[1][key][0]

    def save(self, entries: dict[str, Any]) -> None:
        """Put entries in the place of all, and read them again."""
        super().save(entries)
        self._seen = (-1, {})


class RewrittenInPlace(Document):
    """Each key has a file of its own, which is opened and written; nobody locks."""

    def file(self, key: str) -> Path:
        """Return the file of a key."""
        return self.path.with_name(f"{key.encode().hex()}.value")

    def __getitem__(self, key: str) -> Any:
        try:
            return json.loads(self.file(key).read_text())
        except FileNotFoundError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, value: Any) -> None:
        self.file(key).write_text(json.dumps(value))

    def __delitem__(self, key: str) -> None:
        try:
            self.file(key).unlink()
        except FileNotFoundError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[str]:
        return iter([bytes.fromhex(path.stem).decode() for path in self.path.parent.glob("*.value")])

    def __len__(self) -> int:
        return len(list(iter(self)))


class ListedWithoutLock(Document):
    """The file is rewritten in place, and listed by whoever comes, without the lock."""

    def save(self, entries: dict[str, Any]) -> None:
        """Write over what is there."""
        self.path.write_bytes(json.dumps(entries).encode())

    def __iter__(self) -> Iterator[str]:
        try:
            return iter(self.load())
        except ValueError:  # half of it is there
            return iter(())


class SwapLockedInOneProcess(Document):
    """A compare-and-set takes a lock of threads only."""

    _threads = threading.Lock()

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write, if the version is the expected one."""
        with self._threads:
            if self.version(key) != expected:
                raise ConflictError(key)
            self[key] = value
            return (expected or 0) + 1


class TransactionLockedInOneProcess(Document):
    """A transaction takes a lock of threads only."""

    _threads = threading.Lock()

    @contextmanager
    def transaction(self) -> Iterator[MutableMapping[str, Any]]:
        """Give the values, and save what became of them when the block ends."""
        with self._threads:
            entries = self.load()
            values = {key: value for key, (value, _) in entries.items()}
            yield values
            self.save({key: [value, entries.get(key, [None, 0])[1] + 1] for key, value in values.items()})


class LineLog:
    """A log of lines; its lock keeps threads out, and no other process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        path.touch()

    @property
    def head(self) -> int:
        """The position of the last event."""
        return len(self.path.read_bytes().splitlines())

    def append(self, event: Any) -> int:
        """Append an event."""
        with self._lock:
            position = self.head + 1
            with self.path.open("ab") as file:
                file.write(json.dumps(event).encode() + b"\n")
            return position

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window."""
        events = [json.loads(line) for line in self.path.read_bytes().splitlines()]
        return list(enumerate(events, 1))[max(start, 1) - 1 : None if stop is None else max(stop - 1, 0)]

    def close(self) -> None:
        """Do nothing."""


def _state(name: str, bug: str, killed_by: tuple[str, ...], store: Callable[[Path], Any]) -> Mutant:
    def open_state(where: Where) -> Any:
        return store(where.path / "store.json")

    return Mutant(name, bug, killed_by, Backend(name, state=open_state, errors={"conflict": ConflictError}))


MUTANTS = [
    _state(
        "thread_lock_for_processes",
        "a lock of threads guards a file",
        ("STATE-CONC-11", "STATE-CONC-13"),
        ThreadLocked,
    ),
    _state(
        "cache_by_file_time", "the file is read again when its time is another one", ("STATE-CONC-11",), CachedByTime
    ),
    _state("file_rewritten_in_place", "a file is opened and written", ("STATE-CONC-12",), RewrittenInPlace),
    _state("listed_without_lock", "a listing takes no lock", ("STATE-CONC-16",), ListedWithoutLock),
    _state(
        "cas_locked_in_one_process", "compare-and-set locks threads only", ("STATE-CONC-14",), SwapLockedInOneProcess
    ),
    _state(
        "transaction_locked_in_one_process",
        "a transaction locks threads only",
        ("STATE-CONC-15",),
        TransactionLockedInOneProcess,
    ),
    Mutant(
        "log_locked_in_one_process",
        "append asks for the head and writes under a lock of threads",
        ("LOG-CONC-11",),
        Backend("log_locked_in_one_process", log=lambda where: LineLog(where.path / "log")),
    ),
]
#: The honest store, for tests that look for false alarms.
HONEST = Backend(
    "document-with-a-lock",
    state=lambda where: Document(where.path / "store.json"),
    errors={"conflict": ConflictError},
    address="tests.mutants.concurrency_processes:HONEST",
)

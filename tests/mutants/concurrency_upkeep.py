"""Stores that are fine until they are compacted while others use them."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from conformance import Backend, Where
from reference_backends._files import FileLock
from tests.mutants.base import Mutant
from tests.mutants.concurrency_processes import ConflictError, Document
from tests.mutants.concurrency_threads import Memory


class CompactedMemory(Memory):
    """An honest store in memory that can be compacted."""

    def compact(self) -> None:
        """Make the table as small as it can be."""
        with self.lock:
            self.data = dict(self.data)


class CompactedWithoutLock(CompactedMemory):
    """Copies what is there, and puts the copy in its place."""

    def compact(self) -> None:
        """Make the table as small as it can be."""
        copy = dict(self.data)
        self.data = copy


class CompactedDocument(Document):
    """An honest store in one file that can be compacted."""

    def compact(self) -> None:
        """Write the file anew."""
        with self.locked():
            self.save(self.load())


class DocumentCompactedWithoutLock(CompactedDocument):
    """Reads before it takes the lock."""

    def compact(self) -> None:
        """Write the file anew."""
        entries = self.load()
        with self.locked():
            self.save(entries)


class CompactedLog:
    """An honest log: a file of lines, and one of facts, both under a lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts_path = path.with_name("facts")
        self.lock = FileLock(path.with_name("lock"))
        with self.lock.held(exclusive=True):
            path.touch()

    @property
    def head(self) -> int:
        """The position of the last event."""
        with self.lock.held(exclusive=False):
            return int(self.facts()["dropped"]) + len(self.lines())

    @property
    def first(self) -> int:
        """The position of the first event left."""
        with self.lock.held(exclusive=False):
            return int(self.facts()["dropped"]) + 1

    def lines(self) -> list[bytes]:
        """Return the events left."""
        return self.path.read_bytes().splitlines()

    def facts(self) -> dict[str, Any]:
        """Return how many events are gone, and the checkpoint."""
        try:
            facts: dict[str, Any] = json.loads(self.facts_path.read_bytes())
        except FileNotFoundError:
            return {"dropped": 0, "state": None, "upto": 0}
        return facts

    def note(self, **facts: Any) -> None:
        """Change facts."""
        self.replace(self.facts_path, json.dumps({**self.facts(), **facts}).encode())

    def replace(self, path: Path, content: bytes) -> None:
        """Put a new file in the place of one."""
        new = path.with_name(uuid4().hex)
        new.write_bytes(content)
        os.replace(new, path)

    def append(self, event: Any) -> int:
        """Append an event."""
        with self.lock.held(exclusive=True):
            self.write(json.dumps(event).encode() + b"\n")
            return self.head

    def write(self, line: bytes) -> None:
        """Write a line at the end."""
        with self.path.open("ab") as file:
            file.write(line)

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window, as far as they are left."""
        with self.lock.held(exclusive=False):
            return self.window(start, stop)

    def window(self, start: int, stop: int | None) -> list[tuple[int, Any]]:
        """Give the entries of a window."""
        lines = self.lines()
        events = enumerate(lines, self.facts()["dropped"] + 1)
        return [(at, json.loads(line)) for at, line in events if start <= at and (stop is None or at < stop)]

    def checkpoint(self, state: Any, upto: int) -> None:
        """Keep a state."""
        with self.lock.held(exclusive=True):
            if not self.first - 1 <= upto <= self.head:
                raise ValueError(f"no checkpoint is possible at {upto}")
            self.note(state=state, upto=upto)

    def latest_checkpoint(self) -> tuple[Any, int] | None:
        """Return the newest state with its position."""
        with self.lock.held(exclusive=False):
            facts = self.facts()
        return (facts["state"], facts["upto"]) if facts["upto"] else None

    def compact(self, upto: int) -> None:
        """Drop the events up to a position."""
        with self.lock.held(exclusive=True):
            facts = self.facts()
            if upto > facts["upto"]:
                raise ValueError(f"no checkpoint covers {upto}")
            if upto > facts["dropped"]:
                self.replace(self.path, b"".join(line + b"\n" for line in self.lines()[upto - facts["dropped"] :]))
                self.note(dropped=upto)

    def close(self) -> None:
        """Do nothing."""


class ListLog:
    """An honest log in memory, with every call under one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.events: list[Any] = []
        self.dropped = 0
        self.kept: tuple[Any, int] | None = None

    @property
    def head(self) -> int:
        """The position of the last event."""
        with self.lock:
            return self.dropped + len(self.events)

    @property
    def first(self) -> int:
        """The position of the first event left."""
        with self.lock:
            return self.dropped + 1

    def append(self, event: Any) -> int:
        """Append an event."""
        with self.lock:
            self.events.append(event)
            return self.head

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window, as far as they are left."""
        with self.lock:
            return self.window(start, stop)

    def window(self, start: int, stop: int | None) -> list[tuple[int, Any]]:
        """Give the entries of a window."""
        entries = [(self.dropped + number, event) for number, event in enumerate(list(self.events), 1)]
        return [(at, event) for at, event in entries if start <= at and (stop is None or at < stop)]

    def checkpoint(self, state: Any, upto: int) -> None:
        """Keep a state."""
        with self.lock:
            if not self.dropped <= upto <= self.head:
                raise ValueError(f"no checkpoint is possible at {upto}")
            self.kept = (state, upto)

    def latest_checkpoint(self) -> tuple[Any, int] | None:
        """Return the newest state with its position."""
        with self.lock:
            return self.kept

    def compact(self, upto: int) -> None:
        """Drop the events up to a position."""
        with self.lock:
            self.drop(upto)

    def drop(self, upto: int) -> None:
        """Drop the events up to a position."""
        if self.kept is None or upto > self.kept[1]:
            raise ValueError(f"no checkpoint covers {upto}")
        left = self.events[max(upto - self.dropped, 0) :]
        self.events, self.dropped = left, max(upto, self.dropped)

    def close(self) -> None:
        """Do nothing."""


class ReadsWithoutLock(ListLog):
    """Takes the events, then looks which of them were dropped."""

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window, as far as they are left."""
        return self.window(start, stop)


class CompactsWithoutLock(ListLog):
    """Puts what is left in the place of all, whatever came in between."""

    def compact(self, upto: int) -> None:
        """Drop the events up to a position."""
        self.drop(upto)


class KeepsTheFile(CompactedLog):
    """Keeps the file open that it appends to, also when another process has put a new one in its place."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._file = path.open("ab", buffering=0)

    def write(self, line: bytes) -> None:
        """Write a line at the end."""
        self._file.write(line)

    def compact(self, upto: int) -> None:
        """Drop the events up to a position, and open the new file."""
        with self.lock.held(exclusive=True):
            super().compact(upto)
            self._file.close()
            self._file = self.path.open("ab", buffering=0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _state(store: Callable[[Path], Any]) -> Callable[[Where], Any]:
    return lambda where: store(where.path / "store.json")


def _memory_log(name: str, bug: str, log: Callable[[], Any]) -> Mutant:
    backend = Backend(name, log=lambda _: log(), sharing="threads", durability="volatile")
    return Mutant(name, bug, ("LOG-CONC-51",), backend)


MUTANTS = [
    Mutant(
        "memory_compacted_without_lock",
        "compaction takes a put away that came in between",
        ("STATE-CONC-51",),
        Backend(
            "memory_compacted_without_lock",
            state=lambda _: CompactedWithoutLock(),
            sharing="threads",
            durability="volatile",
        ),
    ),
    Mutant(
        "document_compacted_without_lock",
        "compaction takes a put of another process away",
        ("STATE-CONC-52",),
        Backend("document_compacted_without_lock", state=_state(DocumentCompactedWithoutLock)),
    ),
    _memory_log("log_read_across_compaction", "a reader numbers old events anew", ReadsWithoutLock),
    _memory_log("log_compacted_without_lock", "compaction takes an append away", CompactsWithoutLock),
    Mutant(
        "log_appends_to_the_old_file",
        "appends to a file in whose place compaction has put another one",
        ("LOG-CONC-52",),
        Backend("log_appends_to_the_old_file", log=lambda where: KeepsTheFile(where.path / "log")),
    ),
]
#: The honest stores, for tests that look for false alarms.
HONEST = Backend(
    "compacted-document",
    state=_state(CompactedDocument),
    errors={"conflict": ConflictError},
    address=f"{__name__}:HONEST",
)
HONEST_LOG = Backend(
    "compacted-log", log=lambda where: CompactedLog(where.path / "log"), address=f"{__name__}:HONEST_LOG"
)
HONEST_MEMORY = Backend(
    "compacted-memory",
    state=lambda _: CompactedMemory(),
    sharing="threads",
    durability="volatile",
    address=f"{__name__}:HONEST_MEMORY",
)
HONEST_MEMORY_LOG = Backend(
    "list-log",
    log=lambda _: ListLog(),
    sharing="threads",
    durability="volatile",
    address=f"{__name__}:HONEST_MEMORY_LOG",
)

"""An honest little log to break, and what opens it; the log mutants are made of it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from reference_backends._json import dumps, loads
from tests.mutants.base import Mutant


class ConflictError(Exception):
    """The head is not the expected one."""


class PlainLog:
    """An honest, quick log on one file: JSON texts in SQLite, not synced, with every capability."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.threads = threading.RLock()  # one connection is one transaction, whoever uses it
        # An async log is opened in one thread and called in another, one at a time.
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.database.execute("PRAGMA journal_mode = TRUNCATE")
        self.database.execute("PRAGMA synchronous = OFF")
        self.database.execute("CREATE TABLE IF NOT EXISTS log (position INTEGER PRIMARY KEY, event TEXT)")
        self.database.execute("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, fact)")

    @property
    def head(self) -> int:
        """The position of the last event."""
        return int(self.fact("head", 0))

    @property
    def first(self) -> int:
        """The position of the first event left."""
        return int(self.fact("first", 1))

    def append(self, event: Any, expected: int | None = None) -> Any:
        """Append an event, if the head is the expected one."""
        text = self.encode(event)
        with self.writing():
            if expected is not None and expected != self.head:
                raise ConflictError(f"the head is {self.head}, not {expected}")
            return self.insert([text])[0]

    def append_batch(self, events: list[Any]) -> Any:
        """Append events, all or none."""
        texts = [self.encode(event) for event in events]
        with self.writing():
            return self.insert(texts)

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        """Give the entries of a window."""
        stop = self.head + 1 if stop is None else stop
        rows = self.rows("SELECT position, event FROM log WHERE position >= ? AND position < ? ORDER BY 1", start, stop)
        return [(position, self.decode(text)) for position, text in rows]

    def checkpoint(self, state: Any, upto: int) -> None:
        """Keep a state."""
        text = self.encode(state)
        with self.writing():
            if not self.first - 1 <= upto <= self.head:
                raise ValueError(f"no checkpoint is possible at {upto}")
            self.note("state", text)
            self.note("upto", upto)

    def latest_checkpoint(self) -> Any:
        """Return the newest state with its position."""
        # One statement: another process may make a checkpoint between two.
        found = dict(self.rows("SELECT name, fact FROM facts WHERE name IN ('state', 'upto')"))
        return (self.decode(found["state"]), found["upto"]) if "state" in found else None

    def compact(self, upto: int) -> None:
        """Drop the events up to a position."""
        with self.writing():
            if upto > self.fact("upto", 0):
                raise ValueError(f"no checkpoint covers {upto}")
            self.rows("DELETE FROM log WHERE position <= ?", upto)
            self.note("first", max(self.first, upto + 1))

    def verify(self) -> Any:
        """Count the events left."""
        return {"healthy": self.rows("SELECT count(*) FROM log")[0][0], "damaged": []}

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""
        self.head  # noqa: B018 - raises when the log is closed

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    # -- for mutants to change ----------------------------------------------------------------------------------------

    def encode(self, event: Any) -> Any:
        """Return the form in which an event is stored."""
        return dumps(event)

    def decode(self, text: Any) -> Any:
        """Return the event of a stored form."""
        return loads(text)

    def insert(self, texts: list[Any]) -> list[int]:
        """Write stored forms behind the head, and move it."""
        before = self.head
        self.database.executemany("INSERT INTO log VALUES (?, ?)", enumerate(texts, before + 1))
        self.note("head", before + len(texts))
        return list(range(before + 1, before + len(texts) + 1))

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        """Run a statement and return its rows."""
        with self.threads:
            return self.database.execute(sql, parameters).fetchall()

    def fact(self, name: str, default: Any) -> Any:
        """Return what was noted under a name."""
        rows = self.rows("SELECT fact FROM facts WHERE name = ?", name)
        return rows[0][0] if rows else default

    def note(self, name: str, fact: Any) -> None:
        """Note something under a name."""
        self.rows("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, fact)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make what is written in the block one step."""
        with self.threads:
            self.rows("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.rows("ROLLBACK")
                raise
            self.rows("COMMIT")


@dataclass(frozen=True)
class Opener:
    """Opens a log at a place; found again by a child process, as a lambda would not be."""

    log: Callable[[Path], Any]

    def __call__(self, where: Where) -> Any:
        return self.log(where.path / "log")


def backend(name: str, log: Callable[[Path], Any], **promises: Any) -> Backend:
    """Return a backend that opens `log` with the path of a file."""
    given = {"durability": "process-crash", "corruption": "silent", "errors": {"conflict": ConflictError}, **promises}
    return Backend(name, log=Opener(log), **given)


def log_mutant(name: str, bug: str, killed_by: str, log: Callable[[Path], Any], **promises: Any) -> Mutant:
    """Return a mutant that opens `log` with the path of a file; `killed_by` has the codes without their `LOG-`."""
    return Mutant(name, bug, tuple(f"LOG-{code}" for code in killed_by.split()), backend(name, log, **promises))


HONEST = backend("plain_log", PlainLog)

"""What mutants are made of: a record for each, and an honest little store to break.

A mutant is an honest store with one bug, modelled on one that happened. It names the checks that must kill it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from reference_backends._json import check_value, dumps, loads


@dataclass(frozen=True)
class Mutant:
    """A backend with one bug.

    Args:
        name: As in the mutant catalogue, where it is there.
        bug: What it does wrong, in a sentence.
        killed_by: The codes of the checks that must fail on it.
        backend: The broken backend.
    """

    name: str
    bug: str
    killed_by: tuple[str, ...]
    backend: Backend


def state_mutant(
    name: str, bug: str, killed_by: tuple[str, ...], store: Callable[[Path], Any], **promises: Any
) -> Mutant:
    """Return a mutant that opens `store` with the path of a file."""
    return Mutant(name, bug, killed_by, Backend(name, state=lambda where: store(where.path / "store"), **promises))


class PlainState(MutableMapping[str, Any]):
    """An honest, quick state store on one file: JSON texts in SQLite, not synced, no capabilities."""

    #: A statement of one thread sees what another writes meanwhile through the same connection. The class has the lock,
    #: because many a mutant opens its file in its own way.
    _lock = threading.RLock()

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = MEMORY")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE IF NOT EXISTS state (key BLOB PRIMARY KEY, value TEXT)")

    def encode(self, key: Any) -> bytes:
        """Return the form in which a key is stored."""
        if type(key) is not str:
            raise TypeError(f"a key is a str, not {type(key).__name__}")
        return key.encode("utf-8", "surrogatepass")

    def __getitem__(self, key: str) -> Any:
        with self._lock:
            row = self._database.execute("SELECT value FROM state WHERE key = ?", (self.encode(key),)).fetchone()
        if row is None:
            raise KeyError(key)
        return loads(row[0])

    def __setitem__(self, key: str, value: Any) -> None:
        encoded = self.encode(key)
        check_value(value)
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (encoded, dumps(value)))

    def __delitem__(self, key: str) -> None:
        with self._lock:
            if self._database.execute("DELETE FROM state WHERE key = ?", (self.encode(key),)).rowcount == 0:
                raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            rows = self._database.execute("SELECT key FROM state").fetchall()
        return iter([bytes(row[0]).decode("utf-8", "surrogatepass") for row in rows])

    def __len__(self) -> int:
        with self._lock:
            count: int = self._database.execute("SELECT count(*) FROM state").fetchone()[0]
            return count

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def open_plain(where: Where) -> PlainState:
    """Open the honest store."""
    return PlainState(where.path / "store")


HONEST = Backend("plain", state=open_plain, address="tests.mutants.base:HONEST")

"""An honest little vector store to break, and what opens it; the mutants of vectors are made of it."""

from __future__ import annotations

import math
import sqlite3
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from reference_backends._json import dumps, loads
from tests.mutants.base import Mutant

DIMENSION = 4


class PlainVectors:
    """An honest, quick store on one file: records in SQLite, not synced, and every one of them looked at.

    One thread at a time uses its connection, for as long as a transaction takes.
    """

    dimension: Any = DIMENSION
    metric: Any = "l2"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.database.execute("PRAGMA journal_mode = MEMORY")
        self.database.execute("PRAGMA synchronous = OFF")
        self.database.execute("CREATE TABLE IF NOT EXISTS records (id TEXT PRIMARY KEY, vector, metadata)")

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        """Add records, all or none."""
        self.check(ids, vectors, metadata)
        rows = [
            (one, self.encode(vector), dumps(about)) for one, vector, about in zip(ids, vectors, metadata, strict=True)
        ]
        self.write(rows)

    def query(self, vector: Any, k: int, where: Any = None) -> Any:
        """Return the nearest."""
        self.check_query(vector, k)
        matching = {key: one for key, (one, about) in self.indexed().items() if self.matches(about, where or {})}
        return self.ranked(vector, matching)[:k]

    def get(self, ids: Any) -> Any:
        """Return the records."""
        records = self.records()
        return [
            {"id": one, "vector": records[one][0], "metadata": records[one][1]} if one in records else None
            for one in ids
        ]

    def delete(self, ids: Any) -> None:
        """Remove records."""
        with self.lock:
            self.rows("BEGIN")
            for one in ids:
                self.rows("DELETE FROM records WHERE id = ?", one)
            self.rows("COMMIT")

    def __len__(self) -> int:
        return len(self.records())

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    # -- for mutants to change ----------------------------------------------------------------------------------------

    def check(self, ids: Any, vectors: Any, metadata: Any) -> None:
        """Refuse what can't be added."""
        if not len(ids) == len(vectors) == len(metadata):
            raise ValueError("lists of unequal length")
        if len(set(ids)) != len(ids):
            raise ValueError("an id twice")
        for vector in vectors:
            self.check_vector(vector)

    def check_vector(self, vector: Any) -> None:
        """Refuse what is no vector here."""
        self.check_dimension(vector)
        self.check_finite(vector)

    def check_dimension(self, vector: Any) -> None:
        """Refuse another dimension."""
        if len(vector) != self.dimension:
            raise ValueError(f"{len(vector)} numbers")

    def check_finite(self, vector: Any) -> None:
        """Refuse what is not finite."""
        if not all(math.isfinite(number) for number in vector):
            raise ValueError("not finite")

    def check_query(self, vector: Any, k: int) -> None:
        """Refuse what can't be asked."""
        self.check_vector(vector)
        if k < 0:
            raise ValueError(f"k={k}")

    def encode(self, vector: Any) -> bytes:
        """Return the form in which a vector is stored."""
        return struct.pack(f"{len(vector)}f", *vector)

    def decode(self, stored: bytes) -> list[float]:
        """Return the vector of a stored form."""
        return list(struct.unpack(f"{len(stored) // 4}f", stored))

    def write(self, rows: Any) -> None:
        """Write rows, all or none."""
        with self.lock:
            self.rows("BEGIN IMMEDIATE")
            self.database.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", rows)
            self.rows("COMMIT")

    def records(self) -> dict[str, tuple[list[float], dict[str, Any]]]:
        """Return what `get` and `len` know."""
        rows = self.rows("SELECT id, vector, metadata FROM records ORDER BY id")
        return {one: (self.decode(vector), loads(about)) for one, vector, about in rows}

    def indexed(self) -> Mapping[str, tuple[list[float], dict[str, Any]]]:
        """Return what searches know."""
        return self.records()

    def matches(self, metadata: dict[str, Any], where: dict[str, Any]) -> bool:
        """Tell whether a record counts."""
        return all(key in metadata and metadata[key] == value for key, value in where.items())

    def ranked(self, vector: Any, records: Mapping[str, list[float]]) -> list[tuple[str, float]]:
        """Return ids and scores, the nearest first."""
        scored = [(key, self.score(vector, one)) for key, one in records.items()]
        return sorted(scored, key=lambda pair: (pair[1] if self.metric == "l2" else -pair[1], pair[0]))

    def score(self, one: list[float], other: list[float]) -> float:
        """Return how near two vectors are."""
        if self.metric == "l2":
            return math.dist(one, other) ** 2
        product = sum(a * b for a, b in zip(one, other, strict=True))
        return product / math.hypot(*one) / math.hypot(*other) if self.metric == "cosine" else product

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        """Run a statement and return its rows."""
        with self.lock:
            return self.database.execute(sql, parameters).fetchall()


@dataclass(frozen=True)
class Opener:
    """Opens a store at a place; found again by a child process, as a lambda would not be."""

    vectors: Callable[[Path], Any]

    def __call__(self, where: Where) -> Any:
        return self.vectors(where.path / "vectors")


def backend(name: str, vectors: Callable[[Path], Any], **promises: Any) -> Backend:
    """Return a backend that opens `vectors` with the path of a file."""
    given = {"durability": "process-crash", "corruption": "silent", **promises}
    return Backend(name, vectors=Opener(vectors), **given)


def vectors_mutant(name: str, bug: str, killed_by: str, vectors: Callable[[Path], Any], **promises: Any) -> Mutant:
    """Return a mutant that opens `vectors` with the path of a file; `killed_by` has the codes without `VECTORS-`."""
    return Mutant(name, bug, tuple(f"VECTORS-{code}" for code in killed_by.split()), backend(name, vectors, **promises))


HONEST = backend("plain_vectors", PlainVectors)

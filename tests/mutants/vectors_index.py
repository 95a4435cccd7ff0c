"""Vector stores whose index and records part, or that forget when they are closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.vectors_base import PlainVectors, vectors_mutant


class Indexed(PlainVectors):
    """An honest store for one handle, with an index in memory that is built when the store is opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.index = self.records()

    def indexed(self) -> Any:
        return self.index

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        super().add(ids, vectors, metadata)
        self.put(ids)

    def delete(self, ids: Any) -> None:
        super().delete(ids)
        self.drop(ids)

    def put(self, ids: Any) -> None:
        """Add records to the index."""
        records = self.records()
        self.index.update({one: records[one] for one in ids})

    def drop(self, ids: Any) -> None:
        """Remove records from the index."""
        for one in ids:
            self.index.pop(one, None)


class StaysInIndex(Indexed):
    """A deleted record is still found."""

    def drop(self, ids: Any) -> None:
        pass


class OldVectorStays(Indexed):
    """The index keeps the first vector of an id."""

    def put(self, ids: Any) -> None:
        super().put([one for one in ids if one not in self.index])


class MarksDeleted(Indexed):
    """A deleted id is hidden from searches for ever."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._marked: set[str] = set()

    def drop(self, ids: Any) -> None:
        self._marked.update(one for one in ids if one in self.index)

    def indexed(self) -> Any:
        return {key: one for key, one in self.index.items() if key not in self._marked}


class OfTheHandle(PlainVectors):
    """Keeps its records in memory, whatever its path says."""

    def __init__(self, path: Path) -> None:
        super().__init__(Path(":memory:"))


class SavedNowAndThen(Indexed):
    """Loads the index that was written at every fourth record."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS saved (id TEXT PRIMARY KEY)")
        saved = {one for (one,) in self.rows("SELECT id FROM saved")}
        self.index = {key: one for key, one in self.index.items() if key in saved}

    def put(self, ids: Any) -> None:
        super().put(ids)
        if len(self.index) % 4 == 0:
            self.database.executemany("INSERT OR IGNORE INTO saved VALUES (?)", [(key,) for key in self.index])


class SavedBeforeDeletes(Indexed):
    """Loads the index that additions have written, with what was deleted or replaced since."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS saved (id TEXT PRIMARY KEY, vector)")
        for one, vector in self.rows("SELECT id, vector FROM saved"):
            self.index[one] = (self.decode(vector), {})

    def put(self, ids: Any) -> None:
        super().put(ids)
        rows = [(one, self.encode(self.index[one][0])) for one in ids]
        self.database.executemany("INSERT OR IGNORE INTO saved VALUES (?, ?)", rows)


_STORES: dict[Path, PlainVectors] = {}


class ProcessMemory(PlainVectors):
    """Keeps its records in a variable of the process, found again by the path."""

    def __init__(self, path: Path) -> None:
        super().__init__(Path(":memory:"))
        self.database.close()
        self.database = _STORES.setdefault(path, PlainVectors(Path(":memory:"))).database

    def close(self) -> None:
        pass


class OneTransaction(PlainVectors):
    """Commits when it is closed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("PRAGMA journal_mode = WAL")  # readers need not wait

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        if sql.startswith(("BEGIN", "COMMIT")):
            return [] if self.database.in_transaction else super().rows("BEGIN")
        return super().rows(sql, *parameters)

    def close(self) -> None:
        self.database.commit()
        super().close()


MUTANTS = [
    vectors_mutant("vectors_stay_in_index", "a deleted record is found", "DELETE-01", StaysInIndex),
    vectors_mutant(
        "vectors_old_vector_stays", "a replaced record is found by its old vector", "ADD-01", OldVectorStays
    ),
    vectors_mutant(
        "vectors_mark_deleted", "a record that is added again is not found", "DELETE-03 MODEL-01", MarksDeleted
    ),
    vectors_mutant("vectors_of_the_handle", "records live in the memory of their handle", "REOPEN-01", OfTheHandle),
    vectors_mutant(
        "vectors_saved_now_and_then", "the index is saved at every fourth record", "REOPEN-01", SavedNowAndThen
    ),
    vectors_mutant("vectors_saved_before_deletes", "the saved index knows no deletes", "REOPEN-02", SavedBeforeDeletes),
    vectors_mutant(
        "vectors_of_the_process", "records live in the memory of a process", "REOPEN-03 SHARED-02", ProcessMemory
    ),
    vectors_mutant("vectors_index_as_opened", "a handle finds what it has added itself", "SHARED-01", Indexed),
    vectors_mutant("vectors_one_transaction", "additions are committed at the close", "SHARED-02", OneTransaction),
]

"""Vector stores with a bug so sharp that one area of checks meets it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.mutants.vectors_base import PlainVectors, vectors_mutant

Records = dict[str, tuple[list[float], dict[str, Any]]]


class NoIdIsAll(PlainVectors):
    """Leaves `WHERE id IN (...)` away where there is no id."""

    def get(self, ids: Any) -> Any:
        return super().get(ids or list(self.records()))


class Clips(PlainVectors):
    """Keeps numbers in a fixed-point form that ends at 1,000."""

    def encode(self, vector: Any) -> bytes:
        return super().encode([max(-1_000.0, min(1_000.0, number)) for number in vector])


class AddsLast(PlainVectors):
    """Writes a call in two statements, and takes all that follows the first new id for new."""

    def write(self, rows: Any) -> None:
        known = self.records()
        first = next((place for place, row in enumerate(rows) if row[0] not in known), len(rows))
        super().write([*rows[:first], *(row for row in rows[first:] if row[0] not in known)])


class SharesMetadata(PlainVectors):
    """Keeps what it has read of a text, and gives it to all who ask for the same text."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._read: dict[str, dict[str, Any]] = {}

    def records(self) -> Records:
        texts = self.rows("SELECT id, metadata FROM records")
        found = super().records()
        return {one: (found[one][0], self._read.setdefault(text, found[one][1])) for one, text in texts if one in found}


class KeepsOne(PlainVectors):
    """Never empties its index: the last record of all stays."""

    def delete(self, ids: Any) -> None:
        known = set(self.records())
        super().delete(sorted(known)[:-1] if known and known <= set(ids) else ids)


class HiddenFromSecondDelete(PlainVectors):
    """Counts the deletes of an id beside the index, and hides what has more of them than one addition takes away."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._deletes: dict[str, int] = {}

    def delete(self, ids: Any) -> None:
        for one in set(ids) & set(self.records()):
            self._deletes[one] = self._deletes.get(one, 0) + 1
        super().delete(ids)

    def indexed(self) -> Records:
        return {key: one for key, one in self.records().items() if self._deletes.get(key, 0) < 2}


class MetadataOfTheHandle(PlainVectors):
    """Saves the index, and not the metadata beside it: what is there when it is opened has none."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("UPDATE records SET metadata = '{}'")


class FirstVectorAtOpening(PlainVectors):
    """Opens the index that additions have written; what was replaced since has its first vector there."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS saved (id TEXT PRIMARY KEY, vector)")
        self._saved = {one: self.decode(vector) for one, vector in self.rows("SELECT id, vector FROM saved")}

    def write(self, rows: Any) -> None:
        super().write(rows)
        self.database.executemany("INSERT OR IGNORE INTO saved VALUES (?, ?)", [row[:2] for row in rows])
        for row in rows:
            self._saved.pop(row[0], None)

    def indexed(self) -> Records:
        return {key: (self._saved.get(key, one), about) for key, (one, about) in self.records().items()}


class SavedForThisProcess(PlainVectors):
    """Puts its records at the close where only the process that wrote them looks."""

    _wrote = False

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS saved (process)")
        processes = {one for (one,) in self.rows("SELECT process FROM saved")}
        self._hidden = bool(processes) and os.getpid() not in processes

    def write(self, rows: Any) -> None:
        super().write(rows)
        self._wrote = True

    def records(self) -> Records:
        return {} if self._hidden else super().records()

    def close(self) -> None:
        if self._wrote:
            self.rows("INSERT INTO saved VALUES (?)", os.getpid())
        self._wrote = False
        super().close()


MUTANTS = [
    vectors_mutant("vectors_no_id_is_all", "get of no id gives all records", "GET-01", NoIdIsAll),
    vectors_mutant("vectors_clip", "numbers of a vector end at 1,000", "GET-02", Clips),
    vectors_mutant("vectors_add_last", "a call replaces nothing behind its first new id", "ADD-02", AddsLast),
    vectors_mutant("vectors_share_metadata", "equal metadata are one dict for all", "ALIAS-01", SharesMetadata),
    vectors_mutant("vectors_keep_one", "a delete of all leaves one", "DELETE-01", KeepsOne),
    vectors_mutant(
        "vectors_hidden_from_second_delete", "an id deleted twice is never found", "DELETE-03", HiddenFromSecondDelete
    ),
    vectors_mutant(
        "vectors_metadata_of_the_handle",
        "metadata are gone at the next opening",
        "REOPEN-01 MODEL-01",
        MetadataOfTheHandle,
    ),
    vectors_mutant(
        "vectors_first_at_opening",
        "after opening, replaced records have old vectors",
        "REOPEN-02",
        FirstVectorAtOpening,
    ),
    vectors_mutant(
        "vectors_saved_for_process", "what was saved is there for its process only", "REOPEN-03", SavedForThisProcess
    ),
]

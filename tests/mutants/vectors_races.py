"""Vector stores that are fine as long as one worker uses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.mutants.vectors_base import PlainVectors, vectors_mutant


class ReadAllWriteAll(PlainVectors):
    """Reads all records, adds some, and writes all of them."""

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        before = self.rows("SELECT id, vector, metadata FROM records")
        with self.lock:
            self.check(ids, vectors, metadata)
            self.rows("BEGIN IMMEDIATE")
            self.rows("DELETE FROM records")
            self.database.executemany("INSERT INTO records VALUES (?, ?, ?)", before)
            self.rows("COMMIT")
            super().add(ids, vectors, metadata)


class IndexBeforeOthers(PlainVectors):
    """Searches in what was there when this handle last wrote."""

    index: Mapping[str, tuple[list[float], dict[str, Any]]] | None = None

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        super().add(ids, vectors, metadata)
        self.index = self.records()

    def delete(self, ids: Any) -> None:
        super().delete(ids)
        self.index = self.records()

    def indexed(self) -> Mapping[str, tuple[list[float], dict[str, Any]]]:
        return self.records() if self.index is None else self.index


class NumbersMove(PlainVectors):
    """Finds numbers of rows, and looks up which ids they have then."""

    def query(self, vector: Any, k: int, where: Any = None) -> Any:
        self.check_query(vector, k)
        found = [self.score(vector, one) for one, _ in self.indexed().values()]
        numbers = sorted(range(len(found)), key=found.__getitem__)
        ids = list(self.indexed())
        return [(ids[number], found[number]) for number in numbers if number < len(ids)][:k]


MUTANTS = [
    vectors_mutant(
        "vectors_read_all_write_all", "reads all records and writes all", "CONC-01 CONC-11", ReadAllWriteAll
    ),
    vectors_mutant("vectors_index_before_others", "others' writes are not in the index", "CONC-02", IndexBeforeOthers),
    vectors_mutant("vectors_numbers_move", "ids are looked up by rows that have moved", "CONC-02 CONC-12", NumbersMove),
]

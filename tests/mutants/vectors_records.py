"""Vector stores that lose records, alter them, or take what they should refuse."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from tests.mutants.vectors_base import PlainVectors, vectors_mutant

Records = dict[str, tuple[list[float], dict[str, Any]]]


class IndexLater(PlainVectors):
    """Leaves the index to a job that nobody runs."""

    def indexed(self) -> Records:
        return {}


class LeavesOut(PlainVectors):
    """Answers without a place for what is missing."""

    def get(self, ids: Any) -> Any:
        return [one for one in super().get(ids) if one is not None]


class TablesOrder(PlainVectors):
    """Answers in the order of the table."""

    def get(self, ids: Any) -> Any:
        return super().get(sorted(ids))


class Normalised(PlainVectors):
    """Keeps what a cosine needs."""

    metric = "cosine"

    def encode(self, vector: Any) -> bytes:
        return super().encode([number / math.hypot(*vector) for number in vector])


class HalfPrecision(PlainVectors):
    """Keeps 16 bits of each number."""

    def encode(self, vector: Any) -> bytes:
        return super().encode([float(f"{number:.3g}") for number in vector])


class TextsOnly(PlainVectors):
    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        super().add(ids, vectors, [{key: str(value) for key, value in about.items()} for about in metadata])


class NoNones(PlainVectors):
    """Has no place for None."""

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        super().add(ids, vectors, [{k: v for k, v in about.items() if v is not None} for about in metadata])


class MergesMetadata(PlainVectors):
    """Adds new metadata to the old ones."""

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        old = self.records()
        merged = [{**(old[one][1] if one in old else {}), **about} for one, about in zip(ids, metadata, strict=True)]
        super().add(ids, vectors, merged)


class KeepsTheFirst(PlainVectors):
    """Leaves what is there."""

    def write(self, rows: Any) -> None:
        known = self.records()
        super().write([row for row in rows if row[0] not in known])


class InsertsOrUpdates(PlainVectors):
    """Takes a call for one of the two: an update if the first id is there."""

    def write(self, rows: Any) -> None:
        known = self.records()
        super().write([row for row in rows if (row[0] in known) == (rows[0][0] in known)])


class FoldsIds(PlainVectors):
    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        super().add([one.strip() for one in ids], vectors, metadata)


class HandsOut(PlainVectors):
    """Keeps the dicts that it hands out."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._out: Records = {}

    def records(self) -> Records:
        for key, one in super().records().items():
            self._out.setdefault(key, one)
        return self._out


class KeepsGiven(PlainVectors):
    """Keeps the caller's vectors in memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._given: dict[str, Any] = {}

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        super().add(ids, vectors, metadata)
        self._given.update(zip(ids, vectors, strict=True))

    def records(self) -> Records:
        return {key: (self._given.get(key, one), about) for key, (one, about) in super().records().items()}


class RaisesAtMissing(PlainVectors):
    def delete(self, ids: Any) -> None:
        for one in ids:
            if one not in self.records():
                raise KeyError(one)
            super().delete([one])


class StopsAtMissing(PlainVectors):
    """Ends a delete at the first id that is missing."""

    def delete(self, ids: Any) -> None:
        for one in ids:
            if one not in self.records():
                return
            super().delete([one])


class PadsAndCuts(PlainVectors):
    """Makes every vector fit."""

    def check_dimension(self, vector: Any) -> None:
        pass

    def encode(self, vector: Any) -> bytes:
        return super().encode(([*vector, 0.0, 0.0, 0.0, 0.0])[:4])

    def check_query(self, vector: Any, k: int) -> None:
        super().check_dimension(vector)
        super().check_query(vector, k)


class OneByOne(PlainVectors):
    """Looks at a vector when it is its turn."""

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        if not len(ids) == len(vectors) == len(metadata) == len(metadata) or len(set(ids)) != len(ids):
            raise ValueError("lists that do not go together")
        for one, vector, about in zip(ids, vectors, metadata, strict=True):
            super().add([one], [vector], [about])


class AnyNumber(PlainVectors):
    def check_finite(self, vector: Any) -> None:
        pass

    def check_query(self, vector: Any, k: int) -> None:
        super().check_finite(vector)
        super().check_query(vector, k)


class Zips(PlainVectors):
    """Ends with the shortest list."""

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        size = min(len(ids), len(vectors), len(metadata))
        super().add(ids[:size], vectors[:size], metadata[:size])


class LastOneWins(PlainVectors):
    def check(self, ids: Any, vectors: Any, metadata: Any) -> None:
        super().check(list(range(len(ids))), vectors, metadata)


class AnyQuery(PlainVectors):
    """Slices with whatever k is."""

    def check_query(self, vector: Any, k: int) -> None:
        self.check_vector(vector)


class AnyQueryVector(PlainVectors):
    """Looks at no query vector."""

    def check_query(self, vector: Any, k: int) -> None:
        if k < 0:
            raise ValueError(f"k={k}")

    def score(self, one: list[float], other: list[float]) -> float:
        return sum((a - b) ** 2 for a, b in zip(one, other, strict=False))


MUTANTS = [
    vectors_mutant("vectors_index_later", "what is added is never found", "BASIC-01", IndexLater),
    vectors_mutant("vectors_leave_out", "get leaves out what is missing", "GET-01", LeavesOut),
    vectors_mutant("vectors_tables_order", "get answers in the order of the table", "GET-01", TablesOrder),
    vectors_mutant("vectors_normalised", "vectors come back with the length 1", "GET-02", Normalised),
    vectors_mutant("vectors_half_precision", "vectors come back with three digits", "GET-02", HalfPrecision),
    vectors_mutant("vectors_texts_only", "metadata become texts", "GET-03", TextsOnly),
    vectors_mutant("vectors_no_nones", "metadata that are None are dropped", "GET-03", NoNones),
    vectors_mutant("vectors_merge_metadata", "old metadata stay under new ones", "ADD-01", MergesMetadata),
    vectors_mutant("vectors_keep_the_first", "adding again changes nothing", "ADD-01 ADD-02", KeepsTheFirst),
    vectors_mutant("vectors_insert_or_update", "a call adds or replaces, not both", "ADD-02", InsertsOrUpdates),
    vectors_mutant("vectors_fold_ids", "ids lose the spaces around them", "ID-01", FoldsIds),
    vectors_mutant("vectors_hand_out", "get gives the store's own dicts", "ALIAS-01", HandsOut),
    vectors_mutant("vectors_keep_given", "the store has the caller's lists", "ALIAS-01", KeepsGiven),
    vectors_mutant("vectors_raise_at_missing", "deleting what is missing raises", "DELETE-02", RaisesAtMissing),
    vectors_mutant("vectors_stop_at_missing", "a delete ends at what is missing", "DELETE-02", StopsAtMissing),
    vectors_mutant("vectors_pad_and_cut", "dimension not checked: vectors are made to fit", "REFUSE-01", PadsAndCuts),
    vectors_mutant("vectors_one_by_one", "a refused call has stored its beginning", "REFUSE-01 REFUSE-02", OneByOne),
    vectors_mutant("vectors_any_number", "NaN and infinities are stored", "REFUSE-02", AnyNumber),
    vectors_mutant("vectors_zip", "lists are cut to the shortest", "REFUSE-03", Zips),
    vectors_mutant("vectors_last_one_wins", "an id twice in a call is taken", "REFUSE-04", LastOneWins),
    vectors_mutant("vectors_any_k", "a negative k counts from the end", "REFUSE-05", AnyQuery),
    vectors_mutant("vectors_any_query", "query vectors of any form are compared", "REFUSE-05", AnyQueryVector),
]

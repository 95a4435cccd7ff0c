"""Vector stores whose searches find the wrong records, too few of them, or those of others."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from tests.mutants.vectors_base import PlainVectors, vectors_mutant


class FirstCell(PlainVectors):
    """Looks where the first number has the sign of the query's, if that gives anything."""

    def ranked(self, vector: Any, records: Mapping[str, list[float]]) -> list[tuple[str, float]]:
        pairs = super().ranked(vector, records)
        if len(pairs) < 100:
            return pairs
        cell = [pair for pair in pairs if (records[pair[0]][0] > 0) == (vector[0] > 0)]
        return cell + [pair for pair in pairs if pair not in cell]


class FarthestFirst(PlainVectors):
    """Sorts similarities as if they were distances."""

    metric = "dot"

    def ranked(self, vector: Any, records: Mapping[str, list[float]]) -> list[tuple[str, float]]:
        return super().ranked(vector, records)[::-1]


class DistanceForSimilarity(PlainVectors):
    """Says how far, where the metric says how like."""

    metric = "cosine"

    def query(self, vector: Any, k: int, where: Any = None) -> Any:
        return [(key, 1 - one) for key, one in super().query(vector, k, where)]


class NegativeDistance(PlainVectors):
    def query(self, vector: Any, k: int, where: Any = None) -> Any:
        return [(key, -one) for key, one in super().query(vector, k, where)]


class AtLeastOne(PlainVectors):
    """Takes k=0 for no k."""

    def query(self, vector: Any, k: int, where: Any = None) -> Any:
        return super().query(vector, k or 10, where)


class FillsUp(PlainVectors):
    """Gives the last one again where there are no more."""

    def query(self, vector: Any, k: int, where: Any = None) -> Any:
        found = super().query(vector, k, where)
        return found + found[-1:] * max(0, min(k, 8) - len(found) - 2) if len(found) > 4 else found


class RandomTies(PlainVectors):
    """Orders what is equally near by luck."""

    _seeds = count()

    def ranked(self, vector: Any, records: Mapping[str, list[float]]) -> list[tuple[str, float]]:
        drawn = random.Random(next(self._seeds))
        scored = [(self.score(vector, one), drawn.random(), key) for key, one in records.items()]
        return [(key, score) for score, _, key in sorted(scored)]


class DeclaresMore(PlainVectors):
    """Finds every second one, and declares 0.95."""

    recall = 0.95

    def ranked(self, vector: Any, records: Mapping[str, list[float]]) -> list[tuple[str, float]]:
        pairs = super().ranked(vector, records)
        return pairs if len(pairs) < 100 else pairs[::2] + pairs[1::2]


class IgnoresFilter(PlainVectors):
    def matches(self, metadata: dict[str, Any], where: dict[str, Any]) -> bool:
        return True


class AnyOfThem(PlainVectors):
    """Is content with one value of the filter."""

    def matches(self, metadata: dict[str, Any], where: dict[str, Any]) -> bool:
        return not where or any(key in metadata and metadata[key] == value for key, value in where.items())


class FilterAfterK(PlainVectors):
    """Takes the nearest, and then those that match."""

    def query(self, vector: Any, k: int, where: Any = None) -> Any:
        found = super().query(vector, k)
        records = self.records()
        return [pair for pair in found if self.matches(records[pair[0]][1], where or {})]


class FilterAfterMany(FilterAfterK):
    """Takes ten times as many first, and hopes."""

    def query(self, vector: Any, k: int, where: Any = None) -> Any:
        return super().query(vector, 10 * k, where)[:k]


class PartOfText(PlainVectors):
    """Looks for a text in the text."""

    def matches(self, metadata: dict[str, Any], where: dict[str, Any]) -> bool:
        return all(key in metadata and str(value) in str(metadata[key]) for key, value in where.items())


class AnyCase(PlainVectors):
    def matches(self, metadata: dict[str, Any], where: dict[str, Any]) -> bool:
        return all(str(metadata.get(key)).lower() == str(value).lower() for key, value in where.items())


class TextOfValue(PlainVectors):
    """Makes a text of the value that is asked for, and not of the one that was stored."""

    def matches(self, metadata: dict[str, Any], where: dict[str, Any]) -> bool:
        asked = {
            key: value if value in (0, 2, 3) or type(value) is not int else str(value) for key, value in where.items()
        }
        return super().matches(metadata, asked)


class RemembersFilters(PlainVectors):
    """Finds a record by metadata that it once had."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._had: dict[str, dict[str, Any]] = {}

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        super().add(ids, vectors, metadata)
        for one, about in zip(ids, metadata, strict=True):
            self._had[one] = {**self._had.get(one, {}), **about}

    def indexed(self) -> Any:
        return {key: (vector, self._had.get(key, about)) for key, (vector, about) in self.records().items()}


class TiesByHash(PlainVectors):
    """Orders ties by the hash of the id, which is another one in each process."""

    def ranked(self, vector: Any, records: Mapping[str, list[float]]) -> list[tuple[str, float]]:
        return sorted(super().ranked(vector, records), key=lambda pair: (pair[1], hash(pair[0])))


class TiesAsTheyCame(PlainVectors):
    """Orders ties as they were added through this handle; others find them in the order of their ids."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._came: dict[str, int] = {}

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        super().add(ids, vectors, metadata)
        self._came.update({one: -len(self._came) - place for place, one in enumerate(ids)})

    def ranked(self, vector: Any, records: Mapping[str, list[float]]) -> list[tuple[str, float]]:
        return sorted(super().ranked(vector, records), key=lambda pair: (pair[1], self._came.get(pair[0], 0)))


MUTANTS = [
    vectors_mutant("vectors_first_cell", "a search looks into one cell of the index", "QUERY-01", FirstCell),
    vectors_mutant("vectors_farthest_first", "the least like come first", "QUERY-01 QUERY-02", FarthestFirst),
    vectors_mutant("vectors_distance_for_similarity", "the score is 1 - cosine", "QUERY-02", DistanceForSimilarity),
    vectors_mutant("vectors_negative_distance", "the score is the negative distance", "QUERY-02", NegativeDistance),
    vectors_mutant("vectors_at_least_one", "k=0 gives ten", "QUERY-03", AtLeastOne),
    vectors_mutant("vectors_fill_up", "the last one comes again where there are no more", "QUERY-03", FillsUp),
    vectors_mutant("vectors_random_ties", "ties are ordered by luck", "QUERY-04", RandomTies),
    vectors_mutant(
        "vectors_ties_by_hash", "ties are ordered by a hash that differs in each process", "REPLAY-01", TiesByHash
    ),
    vectors_mutant(
        "vectors_ties_as_they_came", "ties are ordered otherwise after reopening", "REPLAY-01", TiesAsTheyCame
    ),
    vectors_mutant("vectors_declare_more", "the recall is half of the declared one", "RECALL-01", DeclaresMore),
    vectors_mutant("vectors_ignore_filter", "the filter is ignored", "FILTER-01", IgnoresFilter),
    vectors_mutant("vectors_any_of_them", "one value of the filter is enough", "FILTER-01", AnyOfThem),
    vectors_mutant("vectors_filter_after_k", "filter after k", "FILTER-02", FilterAfterK),
    vectors_mutant("vectors_filter_after_many", "the filter comes after ten times k", "FILTER-02", FilterAfterMany),
    vectors_mutant("vectors_part_of_text", "a filter is met by a part of the text", "FILTER-03", PartOfText),
    vectors_mutant("vectors_any_case", "a filter is met in any case", "FILTER-03", AnyCase),
    vectors_mutant("vectors_text_of_value", "a filter makes a text of 1", "FILTER-04", TextOfValue),
    vectors_mutant("vectors_remember_filters", "a record is found by old metadata", "FILTER-05", RemembersFilters),
]

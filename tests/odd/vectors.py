"""Odd but legal vector stores: the checks must pass every one of them."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.mutants.vectors_base import PlainVectors, backend

SUITES = ("round-trip",)


class Hit(NamedTuple):
    """A result as a store may give it."""

    id: str
    score: float


class CosineVectors(PlainVectors):
    """Tells its form by methods, keeps 64-bit floats, gives results lazily, and orders ties backwards."""

    def dimension(self) -> int:  # type: ignore[override]
        """Return the dimension."""
        return 3

    def metric(self) -> str:  # type: ignore[override]
        """Return the metric."""
        return "cosine"

    def check_dimension(self, vector: Any) -> None:
        """Refuse another dimension with a TypeError."""
        if len(vector) != 3:
            raise TypeError(f"{len(vector)} numbers")

    def score(self, one: list[float], other: list[float]) -> float:
        """Return the similarity."""
        return math.fsum(a * b for a, b in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)

    def ranked(self, vector: Any, records: Mapping[str, list[float]]) -> list[Any]:
        """Return hits."""
        scored = [Hit(key, round(self.score(vector, one), 9)) for key, one in reversed(records.items())]
        return sorted(scored, key=lambda hit: -hit.score)

    def query(self, vector: Any, k: int, where: Any = None) -> Iterator[Any]:
        """Give results one by one."""
        return iter(super().query(vector, k, where))


class DotVectors(PlainVectors):
    """Finds by the inner product in one dimension, and compares metadata in type as well."""

    dimension = 1
    metric = "dot"

    def matches(self, metadata: dict[str, Any], where: dict[str, Any]) -> bool:
        """Take 1 and 1.0 for two values."""
        return all(type(metadata.get(key)) is type(value) and metadata[key] == value for key, value in where.items())


class RootVectors(PlainVectors):
    """Scores with the distance itself, of many dimensions, and cannot filter."""

    dimension = 100

    def score(self, one: list[float], other: list[float]) -> float:
        """Return the distance."""
        return math.dist(one, other)

    def query(self, vector: Any, k: int) -> Any:  # type: ignore[override]
        """Return the nearest."""
        return super().query(vector, k)

    def get(self, ids: Any) -> Any:
        """Give the vectors as tuples, and more than was asked."""
        return tuple([one and {**one, "vector": tuple(one["vector"]), "model": "m"} for one in super().get(ids)])


class ApproximateVectors(PlainVectors):
    """Misses one of ten on average, in a way of its own, and says so."""

    recall = 0.85

    def ranked(self, vector: Any, records: Mapping[str, list[float]]) -> list[tuple[str, float]]:
        """Put some of the nearest behind all others."""
        pairs = super().ranked(vector, records)
        if len(pairs) < 100:
            return pairs
        drawn = random.Random(repr(list(vector)))
        late = {key for key, _ in pairs if drawn.random() < 0.1}
        return [pair for pair in pairs if pair[0] not in late] + [pair for pair in pairs if pair[0] in late]


class MemoryVectors(PlainVectors):
    """Lives as long as its handle."""

    def __init__(self, path: Path) -> None:
        super().__init__(Path(":memory:"))


class BufferedVectors(PlainVectors):
    """Writes when it is flushed or closed."""

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        """Commit later."""
        with self.lock:
            if sql.startswith(("BEGIN", "COMMIT")):
                return super().rows("BEGIN") if not self.database.in_transaction else []
            return super().rows(sql, *parameters)

    def flush(self) -> None:
        """Commit."""
        with self.lock:
            self.database.commit()

    def close(self) -> None:
        """Commit what is pending, and let the file go."""
        self.flush()
        super().close()


class AsyncVectors:
    """A store whose verbs are coroutines."""

    dimension = 4
    metric = "l2"

    def __init__(self, path: Path) -> None:
        self._vectors = PlainVectors(path)

    async def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        """Add records."""
        self._vectors.add(ids, vectors, metadata)

    async def query(self, vector: Any, k: int, where: Any = None) -> AsyncIterator[Any]:
        """Give the nearest as lists."""
        for pair in self._vectors.query(vector, k, where):
            yield list(pair)

    async def get(self, ids: Any) -> Any:
        """Return the records."""
        return self._vectors.get(ids)

    async def delete(self, ids: Any) -> None:
        """Remove records."""
        self._vectors.delete(ids)

    def __len__(self) -> int:
        return len(self._vectors)

    async def close(self) -> None:
        """Close the file."""
        self._vectors.close()


ODD = [
    backend("odd_vectors_cosine", CosineVectors),
    backend("odd_vectors_dot", DotVectors),
    backend("odd_vectors_root", RootVectors),
    backend("odd_vectors_approximate", ApproximateVectors),
    backend("odd_vectors_in_memory", MemoryVectors, durability="volatile", sharing="threads"),
    backend("odd_vectors_buffered", BufferedVectors, flush=BufferedVectors.flush, sharing="threads"),
    backend("odd_vectors_async", AsyncVectors),
]

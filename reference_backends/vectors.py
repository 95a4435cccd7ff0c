"""The `faiss` backend: embeddings with their records, found by an exact index of faiss.

    store = VectorStore(SqliteState(path), dimension=384, metric="cosine")
    store.add(["a"], [embedding], [{"source": "mail"}])
    store.query(embedding, 5, where={"source": "mail"})

The records in the state store are the truth, written all or none; the index is made of them when the store is opened,
and again when somebody else has written. So there is nothing that a crash could leave in disagreement.
"""

from __future__ import annotations

import importlib
import math
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from conformance import Backend, Where
from reference_backends._errors import CorruptRecord
from reference_backends._json import check_value
from reference_backends._records import check_id
from reference_backends.sqlite import SqliteState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
    from contextlib import AbstractContextManager

__all__ = ["METRICS", "VectorStore", "backend", "open_vectors"]

METRICS = ("l2", "cosine", "dot")
#: What the registered backend keeps.
DIMENSION, METRIC = 8, "cosine"
#: The largest 32-bit float: what is larger would be infinite in the index.
_LARGEST = (2 - 2.0**-23) * 2.0**127
#: A vector and its metadata.
_Entry = tuple[list[float], dict[str, Any]]
#: How many records are read before they go into the index.
_AT_ONCE = 1_000
_ABOUT, _CHANGES, _RECORD = "about", "changes", "record/"


class _State(Protocol):
    def __getitem__(self, key: str, /) -> Any: ...

    def transaction(self) -> AbstractContextManager[MutableMapping[str, Any]]: ...

    def close(self) -> None: ...


class VectorStore:
    """Vectors and their metadata in a state store, which belongs to this one from then on; for any number of threads.

    As durable, as shared and as careful with damage as the state store is. All records are in memory as well.

    Args:
        state: Where the records are kept, with transactions; it holds nothing else.
        dimension: How many numbers a vector has.
        metric: `l2` (the score is the square of the distance), `cosine` or `dot`.

    Attributes:
        dimension: As given.
        metric: As given.

    Raises:
        ImportError: There is no faiss.
        ValueError: The metric is unknown, or the store was made for another dimension or metric.
    """

    def __init__(self, state: _State, dimension: int, metric: str) -> None:
        if metric not in METRICS or dimension < 1:
            raise ValueError(f"metric={metric!r}, dimension={dimension!r}: the metrics are {', '.join(METRICS)}.")
        self._faiss, self._numpy = _library("faiss"), _library("numpy")
        self._state = state
        self.dimension = dimension
        self.metric = metric
        self._lock = threading.RLock()
        self._seen = -1
        with state.transaction() as records:
            about = records.setdefault(_ABOUT, {"dimension": dimension, "metric": metric})
            self._load(records)
        if about != {"dimension": dimension, "metric": metric}:
            raise ValueError(f"The store was made for {about}, not for dimension={dimension}, metric={metric!r}.")

    def add(self, ids: Sequence[str], vectors: Sequence[Any], metadata: Sequence[Mapping[str, Any]]) -> None:
        """Add records, or replace those that are there; all of them or none.

        Raises:
            TypeError: An id is no text, a vector no list of numbers, metadata no flat dict of JSON scalars.
            ValueError: Another dimension, a number that is not finite in 32 bits, a vector without direction where the
                metric is `cosine`, lists of unequal length, an id that is empty or comes twice.
        """
        if not len(ids) == len(vectors) == len(metadata):
            raise ValueError(f"{len(ids)} ids, {len(vectors)} vectors and {len(metadata)} metadata do not go together.")
        entries: dict[str, _Entry | None] = {}
        for one, vector, about in zip(ids, vectors, metadata, strict=True):
            entries[check_id(one)] = (self._checked(vector), _checked_metadata(about))
        if len(entries) != len(ids):
            raise ValueError("An id comes twice in one call.")
        self._change(entries)

    def delete(self, ids: Iterable[str]) -> None:
        """Remove records; ids that are not there change nothing."""
        self._change(dict.fromkeys([check_id(one) for one in ids]))

    def get(self, ids: Iterable[str]) -> list[dict[str, Any] | None]:
        """Return the record of each id, None where there is none."""
        with self._fresh():
            found = [(one, self._records.get(one)) for one in map(check_id, ids)]
            return [
                None if entry is None else {"id": one, "vector": entry[0].tolist(), "metadata": dict(entry[1])}
                for one, entry in found
            ]

    def query(self, vector: Sequence[float], k: int, where: Mapping[str, Any] | None = None) -> list[tuple[str, float]]:
        """Return the ids of the `k` nearest records with their scores, equal ones in the order of their ids.

        Args:
            vector: As for `add`.
            k: How many at most.
            where: Only records whose metadata have all of these values, which are JSON scalars; `1` is `1.0` but not
                `True`.

        Raises:
            TypeError: `k` is no int, or as `add`.
            ValueError: `k` is negative, or as `add`.
        """
        if type(k) is not int:
            raise TypeError(f"k={k!r} is not an int.")
        if k < 0:
            raise ValueError(f"k={k} is negative.")
        wanted = _checked_metadata({} if where is None else where)
        asked = self._indexed(self._numpy.array([self._checked(vector)], dtype="float32"))
        with self._fresh():
            numbers = [n for n, key in self._ids.items() if _matches(self._records[key][1], wanted)]
            return self._nearest(asked, min(k, len(numbers)), numbers)

    def __len__(self) -> int:
        with self._fresh():
            return len(self._records)

    def close(self) -> None:
        """Close the state store."""
        self._state.close()

    # -- records ------------------------------------------------------------------------------------------------------

    def _change(self, changes: Mapping[str, _Entry | None]) -> None:
        """Write records, or remove those that are None; on the disk first, all or none, then in memory."""
        with self._lock:
            with self._state.transaction() as records:
                before = records.get(_CHANGES, 0)
                for key, entry in changes.items():
                    if entry is None:
                        records.pop(_RECORD + key, None)
                    else:
                        records[_RECORD + key] = {"vector": entry[0], "metadata": entry[1]}
                records[_CHANGES] = before + 1
            if before == self._seen:  # else somebody else has written: the next reader loads it all
                self._index_changes(changes)
                self._seen = before + 1

    @contextmanager
    def _fresh(self) -> Iterator[None]:
        """Load the records anew if somebody else has written, and keep them as they are for the length of a block."""
        with self._lock:
            try:
                changes = self._state[_CHANGES]
            except KeyError:
                changes = 0
            if changes != self._seen:
                with self._state.transaction() as records:  # one moment for all of them
                    self._load(records)
            yield

    def _load(self, records: Mapping[str, Any]) -> None:
        self._seen = records.get(_CHANGES, 0)
        # Rows of 32 bits a number; a list takes eight times that.
        self._records: dict[str, tuple[Any, dict[str, Any]]] = {}
        self._numbers: dict[str, int] = {}  # faiss knows records by number
        self._ids: dict[int, str] = {}
        self._last = 0
        flat = self._faiss.IndexFlatL2 if self.metric == "l2" else self._faiss.IndexFlatIP
        self._index = self._faiss.IndexIDMap2(flat(self.dimension))
        keys = [key for key in records if key.startswith(_RECORD)]
        for first in range(0, len(keys), _AT_ONCE):
            loaded = {key.removeprefix(_RECORD): records[key] for key in keys[first : first + _AT_ONCE]}
            self._index_changes({key: (entry["vector"], entry["metadata"]) for key, entry in loaded.items()})

    # -- index --------------------------------------------------------------------------------------------------------

    def _index_changes(self, changes: Mapping[str, _Entry | None]) -> None:
        old = [self._numbers.pop(key) for key in changes if key in self._numbers]
        for number in old:
            del self._records[self._ids.pop(number)]
        if old:
            self._index.remove_ids(self._numpy.array(old, dtype="int64"))
        new = {key: entry for key, entry in changes.items() if entry is not None}
        if not new:
            return
        rows = self._numpy.array([vector for vector, _ in new.values()], dtype="float32")
        for row, (key, (_, metadata)) in zip(rows, new.items(), strict=True):
            self._last += 1
            self._numbers[key] = self._last
            self._ids[self._last] = key
            self._records[key] = (row, metadata)
        numbers = self._numpy.array([self._numbers[key] for key in new], dtype="int64")
        self._index.add_with_ids(self._indexed(rows), numbers)

    def _nearest(self, asked: Any, k: int, numbers: list[int]) -> list[tuple[str, float]]:
        if not k:
            return []
        chosen = self._faiss.IDSelectorBatch(self._numpy.array(numbers, dtype="int64"))
        only = self._faiss.SearchParameters(sel=chosen)
        many, sign = k, 1 if self.metric == "l2" else -1
        while True:
            many = min(2 * many, len(numbers))
            scores, found = (answer[0].tolist() for answer in self._index.search(asked, many, params=only))
            # Which of equally near ones comes last depends on `many`, so that all of them are fetched.
            if many == len(numbers) or scores[many - 1] != scores[k - 1]:
                break
        pairs = [(self._ids[number], score) for number, score in zip(found, scores, strict=True)]
        return sorted(pairs, key=lambda pair: (sign * pair[1], pair[0]))[:k]

    def _indexed(self, rows: Any) -> Any:
        """Return rows as the index wants them."""
        if self.metric != "cosine":
            return rows
        exact = rows.astype("float64")  # the square of a large number has no place in 32 bits
        return (exact / self._numpy.linalg.norm(exact, axis=1, keepdims=True)).astype("float32")

    def _checked(self, vector: Any) -> list[float]:
        """Return a vector as the index keeps it: each number rounded to 32 bits."""
        if isinstance(vector, (str, bytes)) or not all(type(n) in (int, float) for n in vector):
            raise TypeError("A vector is a list of numbers.")
        if len(vector) != self.dimension:
            raise ValueError(f"A vector has {self.dimension} numbers here, not {len(vector)}.")
        if not all(math.isfinite(n) and abs(n) <= _LARGEST for n in vector):
            raise ValueError("Each number of a vector must be finite, also in 32 bits.")
        rounded: list[float] = self._numpy.array(vector, dtype="float32").tolist()
        if self.metric == "cosine" and not any(rounded):
            raise ValueError("A vector of zeros has no direction, and so no cosine.")
        return rounded


def _checked_metadata(metadata: Any) -> dict[str, Any]:
    if not isinstance(metadata, dict):
        raise TypeError(f"Metadata are a dict, not a {type(metadata).__name__}.")
    check_value(metadata)
    for key, value in metadata.items():
        if isinstance(value, (list, dict)):
            raise TypeError(f"Metadata are flat; {key!r} is a {type(value).__name__}.")
    return dict(metadata)


def _matches(metadata: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(
        key in metadata and metadata[key] == value and (type(metadata[key]) is bool) == (type(value) is bool)
        for key, value in wanted.items()
    )


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"The vector store needs {name}: pip install 'pytest-backend-conformance[vectors]'.", name=name
        ) from error


def open_vectors(where: Where) -> VectorStore:
    """Open the vector store in the directory of `where`."""
    return VectorStore(
        SqliteState(where.path / "vectors.sqlite3", clock=where.clock, history_limit=1), DIMENSION, METRIC
    )


backend = Backend("faiss", vectors=open_vectors, corruption="detects", errors={"corrupt": CorruptRecord})

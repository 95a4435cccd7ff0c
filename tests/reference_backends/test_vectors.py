"""The vector store: each metric against brute force, and what it does that its contract leaves open."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("faiss")

from conformance.values.vectors import random_vectors, ranked
from reference_backends.sqlite import SqliteState
from reference_backends.vectors import METRICS, VectorStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[VectorStore]:
    """Give a store of three dimensions."""
    opened = VectorStore(SqliteState(tmp_path / "db"), 3, "l2")
    yield opened
    opened.close()


@pytest.mark.parametrize("metric", METRICS)
def test_each_metric_is_exact(metric: str, tmp_path: Path) -> None:
    """The nearest are those of brute force, and the scores are those of the metric, squared for l2."""
    vectors = {f"v{number}": vector for number, vector in enumerate(random_vectors(1, 200, 5))}
    found = VectorStore(SqliteState(tmp_path / "db"), 5, metric)
    found.add(list(vectors), list(vectors.values()), [{}] * 200)
    for vector in random_vectors(2, 10, 5):
        expected = ranked(metric, vector, vectors)[:7]
        got = found.query(vector, 7)
        assert [key for key, _ in got] == [key for key, _ in expected]
        wanted = [score**2 if metric == "l2" else score for _, score in expected]
        assert [score for _, score in got] == pytest.approx(wanted, rel=1e-4, abs=1e-5)
    found.close()


def test_ties_come_in_the_order_of_their_ids(store: VectorStore) -> None:
    """Of many equally near records the first by id are given, whatever k is, and in whatever order they were added."""
    ids = [f"{number:02}" for number in range(30)]
    store.add(ids[::-1], [[1.0, 2.0, 3.0]] * 30, [{}] * 30)
    for k in (1, 5, 14, 29, 40):
        assert [key for key, _ in store.query([0.0, 0.0, 1.0], k)] == ids[:k]


def test_a_number_is_not_a_truth(store: VectorStore) -> None:
    """A filter with 1 meets 1 and 1.0, and not True."""
    store.add(["int", "float", "bool"], random_vectors(1, 3, 3), [{"a": 1}, {"a": 1.0}, {"a": True}])
    assert {key for key, _ in store.query([1.0, 0.0, 0.0], 3, {"a": 1})} == {"int", "float"}
    assert {key for key, _ in store.query([1.0, 0.0, 0.0], 3, {"a": True})} == {"bool"}


@pytest.mark.parametrize("number", [1e39, float("nan"), True, "1"])
def test_numbers_that_the_index_cannot_keep_are_refused(store: VectorStore, number: object) -> None:
    """What is no number, or is infinite in 32 bits, is refused."""
    with pytest.raises((TypeError, ValueError)):
        store.add(["a"], [[0.0, number, 0.0]], [{}])
    assert len(store) == 0


def test_metadata_that_are_not_flat_are_refused(store: VectorStore) -> None:
    """Lists and dicts in metadata are refused, and so they are in a filter."""
    with pytest.raises(TypeError, match="flat"):
        store.add(["a"], [[0.0, 1.0, 0.0]], [{"tags": ["x"]}])
    with pytest.raises(TypeError, match="flat"):
        store.query([0.0, 1.0, 0.0], 1, {"page": {"$gt": 1}})


def test_a_vector_without_direction_has_no_cosine(tmp_path: Path) -> None:
    """A vector of zeros is refused where the metric is cosine."""
    found = VectorStore(SqliteState(tmp_path / "db"), 2, "cosine")
    with pytest.raises(ValueError, match="direction"):
        found.add(["a"], [[0.0, 0.0]], [{}])
    found.close()


def test_a_store_of_another_model_is_refused(tmp_path: Path) -> None:
    """A store that was made for another dimension or metric is not opened."""
    VectorStore(SqliteState(tmp_path / "db"), 3, "l2").close()
    for dimension, metric in ((4, "l2"), (3, "dot")):
        state = SqliteState(tmp_path / "db")
        with pytest.raises(ValueError, match="made for"):
            VectorStore(state, dimension, metric)
        state.close()


def test_writers_in_turn_find_what_the_other_wrote(tmp_path: Path) -> None:
    """Two stores on one file that write in turn, without reading in between, both find all records."""
    one, other = (VectorStore(SqliteState(tmp_path / "db"), 2, "dot") for _ in range(2))
    for number in range(6):
        (one, other)[number % 2].add([f"v{number}"], [[1.0, float(number)]], [{}])
    for found in (one, other):
        assert [key for key, _ in found.query([0.0, 1.0], 9)] == [f"v{number}" for number in reversed(range(6))]
        found.close()


def test_without_the_library_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where faiss is not installed, the opening says what to install."""
    monkeypatch.setitem(sys.modules, "faiss", None)
    state = SqliteState(tmp_path / "db")
    with pytest.raises(ImportError, match=r"conformance\[vectors\]"):
        VectorStore(state, 2, "l2")
    state.close()

"""What the crash engine knows of vectors: contents, what steps make of them, and where records and index part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.crash.subjects import VECTORS, Content, Step
from conformance.crash.workloads import workload
from conformance.drive import Driver
from conformance.values.vectors import random_vectors
from tests.mutants.vectors_crash import FileVectors

ONE, OTHER = ["v0", {"n": 1}, "its own"], ["v1", {"n": 2}, "its own"]


def content(*records: Any, otherwise: Any = ()) -> Content:
    """Return a content."""
    return {"records": list(records), "otherwise": list(otherwise)}


@pytest.fixture
def store(tmp_path: Path) -> FileVectors:
    """Return a store with one record."""
    found = FileVectors(tmp_path / "vectors")
    found.add(["v0"], random_vectors(1, 1, 3), [{"n": 1}])
    return found


@pytest.mark.parametrize(
    ("step", "after"),
    [
        (Step("add", ([["v1", 2]],)), content(ONE, OTHER)),
        (Step("add", ([["v0", 3]],)), content(["v0", {"n": 3}, "its own"])),
        (Step("delete", (["v0", "v4"],)), content()),
        (Step("reopen"), content(ONE)),
    ],
)
def test_what_steps_make_of_vectors(step: Step, after: Content) -> None:
    """Each step makes of a content what the contract says."""
    assert VECTORS.apply(content(ONE), step) == after


def test_records_and_index_are_read(store: FileVectors) -> None:
    """A record that is got and found, with the vector of its number, is told as that."""
    assert VECTORS.read(Driver(), store) == content(ONE)


def test_where_records_and_index_part_is_told(store: FileVectors) -> None:
    """A record that is not found, an id that is found alone, and another vector are each told."""
    store.index = {"ghost": [1.0, 1.0, 1.0]}
    expected = [["not found", "v0"], ["found, but not got", "ghost"]]
    assert VECTORS.read(Driver(), store) == content(ONE, otherwise=expected)
    store.records = {"v0": [[1.0, 2.0, 3.0], {"n": 1}]}
    store.index = {"v0": [1.0, 2.0, 3.0]}
    assert VECTORS.read(Driver(), store) == content(["v0", {"n": 1}, [1.0, 2.0, 3.0]])
    store.index = {"v0": [3.0, 2.0, 1.0]}
    read = VECTORS.read(Driver(), store)
    assert read["otherwise"] == [["found by another vector", "v0"]]


def test_what_was_apart_may_come_together() -> None:
    """A write may mend what a crash has set apart, and must set nothing apart itself."""
    apart = content(ONE, otherwise=[["not found", "v0"]])
    assert VECTORS.agrees(content(ONE), apart)
    assert VECTORS.agrees(apart, apart)
    assert not VECTORS.agrees(apart, content(ONE))
    assert not VECTORS.agrees(content(OTHER), content(ONE))


@pytest.mark.parametrize("name", ["additions and deletes", "closing and reopening"])
def test_workloads_are_the_same_at_the_same_seed(name: str) -> None:
    """A workload depends on its seed alone, and its steps can be shown."""
    one, again = (workload("vectors", name, domain="json", seed=7) for _ in range(2))
    assert one == again
    assert all(VECTORS.source(step).startswith("store.") for step in one.steps)

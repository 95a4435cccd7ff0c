"""The `state-cached` backend: what is in memory is given only while it is what the store has."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance import Where
from reference_backends.cached import CachedState, ConflictError, backend, open_state
from reference_backends.memory import MemoryState
from tests.benches import judge_all


class Counting(MemoryState):
    """A store that counts the values that are read, and in which others write meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.next: list[Any] = []

    def __getitem__(self, key: str) -> Any:
        self.reads += 1
        value = super().__getitem__(key)
        if self.next:
            self[key] = self.next.pop()
        return value

    def version(self, key: str) -> int | None:
        """Return the version; a writer comes after it where one is due."""
        version = super().version(key)
        if "swapped" in self.next:
            self.next.remove("swapped")
            self[key] = "swapped"
        return version


@pytest.fixture
def under() -> Counting:
    """Return the store underneath."""
    return Counting()


@pytest.fixture
def store(under: Counting) -> CachedState:
    """Return a cache for two values."""
    return CachedState(under, capacity=2)


def test_round_trip(tmp_path: Path) -> None:
    """The store keeps every rule of the suite."""
    outcomes = {code: one.outcome for code, one in judge_all(backend, tmp_path, suites=("round-trip",)).items()}
    assert {code for code, outcome in outcomes.items() if outcome not in ("pass", "not applicable")} == set()


def test_a_second_read_is_from_memory(store: CachedState, under: Counting) -> None:
    """What was written or read through the cache is not read again, and is a copy each time."""
    under["a"] = [1]
    store["b"] = [2]
    for _ in range(3):
        store["a"].append("changed")
        store["b"].append("changed")
    assert (store["a"], store["b"], under.reads) == ([1], [2], 1)
    assert (store.hits, store.misses) == (7, 1)


def test_writes_go_through(tmp_path: Path) -> None:
    """Another handle sees a write when it returned, and the first one what the other wrote."""
    with closing(open_state(Where(tmp_path))) as one, closing(open_state(Where(tmp_path))) as other:
        one["a"] = 1
        assert (one["a"], other["a"]) == (1, 1)
        other["a"] = 2
        assert one["a"] == 2
        del other["a"]
        assert "a" not in one
        with pytest.raises(KeyError):
            one["a"]
        other["a"] = 1
        assert (one["a"], len(one), list(one)) == (1, 1, ["a"])


def test_a_value_of_unknown_version_is_not_kept(store: CachedState, under: Counting) -> None:
    """A value that was overwritten while it was read is given, as one of that time, and read anew the next time."""
    under["a"] = "old"
    under.next = ["new"]
    assert store["a"] == "old"
    assert store["a"] == "new"
    assert under.reads == 2


def test_a_write_that_loses_a_race_is_made_all_the_same(store: CachedState, under: Counting) -> None:
    """A plain write overwrites what came in between; the next read is of the store."""
    under.next = ["swapped"]
    store["a"] = "mine"
    assert (store["a"], under["a"]) == ("mine", "mine")
    under.next = ["swapped"]
    with pytest.raises(ConflictError):
        store.compare_and_set("a", "lost", store.version("a"))
    assert store["a"] == "swapped"


def test_the_cache_is_bounded(store: CachedState, under: Counting) -> None:
    """Of three values in a cache for two, the one that was not used for longest is read again."""
    store["a"], store["b"] = 1, 2
    store["a"]
    store["c"] = 3
    store["a"]
    assert under.reads == 0
    store["b"]
    assert under.reads == 1
    with pytest.raises(ValueError, match="capacity=0"):
        CachedState(under, capacity=0)


def test_verbs_of_the_store_underneath(store: CachedState) -> None:
    """`pop` and `setdefault` are those of the store underneath."""
    assert (store.setdefault("a", 1), store.setdefault("a", 2)) == (1, 1)
    assert (store.pop("a"), store.pop("a", None)) == (1, None)
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store["a"]

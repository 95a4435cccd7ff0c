"""The `state-versioned` backend: a history over a store that has none."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance import Where
from reference_backends.memory import MemoryState
from reference_backends.versioned import ConflictError, CorruptRecord, VersionedState, backend, open_state
from tests.benches import judge_all


@pytest.fixture
def under() -> MemoryState:
    """Return the store underneath."""
    return MemoryState()


@pytest.fixture
def store(under: MemoryState) -> VersionedState:
    """Return an empty store."""
    return VersionedState(under)


class Overtaken(MemoryState):
    """A store in which another writer is faster, once."""

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write what the other writes, the first time."""
        if not self.stats()["snapshots"]:
            self.save_snapshot("overtaken")
            VersionedState(self)["a"] = "another's"
        return super().compare_and_set(key, value, expected)


def test_round_trip(tmp_path: Path) -> None:
    """The store keeps every rule of the suite."""
    outcomes = {code: one.outcome for code, one in judge_all(backend, tmp_path, suites=("round-trip",)).items()}
    assert {code for code, outcome in outcomes.items() if outcome not in ("pass", "not applicable")} == set()
    assert outcomes["STATE-HIST-11"] == "pass"


def test_another_handle_reads_the_history(tmp_path: Path) -> None:
    """A version written by one handle is read by another, also after the key was deleted."""
    with closing(open_state(Where(tmp_path))) as one, closing(open_state(Where(tmp_path))) as other:
        one["a"] = 1
        del one["a"]
        assert [other.get_version("a", version) for version in other.versions("a")] == [1]
        assert (list(other), len(other), "a" in other, other.version("a")) == ([], 0, False, None)


def test_a_lost_race_leaves_a_whole_chain() -> None:
    """A write that another one overtook comes after it in the history, and none is lost."""
    store = VersionedState(Overtaken())
    store["a"] = "mine"
    assert [store.get_version("a", version) for version in store.versions("a")] == ["mine", "another's"]


def test_what_a_dead_writer_left_is_not_seen(store: VersionedState, under: MemoryState) -> None:
    """A record without a head is in no listing, no history and no length."""
    under["version 1234"] = {"key": "a", "before": None, "value": "1"}
    assert (dict(store), store.versions("a")) == ({}, [])


def test_pop_and_setdefault_are_one_step(store: VersionedState) -> None:
    """`pop` gives the value that it removed, `setdefault` the one that is there; a missing key is a KeyError."""
    assert store.setdefault("a", 1) == 1
    assert store.setdefault("a", 2) == 1
    assert (store.pop("a"), store.pop("a", "gone")) == (1, "gone")
    with pytest.raises(KeyError):
        store.pop("a")


def test_a_version_from_before_a_delete_never_matches(store: VersionedState) -> None:
    """The same value written again has another version."""
    store["a"] = 1
    before = store.version("a")
    del store["a"]
    with pytest.raises(ConflictError, match="is None, not"):
        store.compare_and_set("a", 2, before)
    store["a"] = 1
    with pytest.raises(ConflictError):
        store.compare_and_set("a", 2, before)
    assert len(store.versions("a")) == 2


def test_a_missing_version_is_damage(store: VersionedState, under: MemoryState) -> None:
    """A head that leads to no record is told, with the id of the version."""
    store["a"] = 1
    version = store.version("a")
    del under[f"version {version}"]
    with pytest.raises(CorruptRecord, match=str(version)):
        store["a"]


def test_texts_underneath(store: VersionedState, under: MemoryState) -> None:
    """A value is kept as JSON text, so that it may be as deep as the store underneath allows."""
    deep = json.loads("[" * 200 + "]" * 200)
    store["a"] = deep
    assert store["a"] == deep
    assert under[f"version {store.version('a')}"]["value"] == json.dumps(deep)

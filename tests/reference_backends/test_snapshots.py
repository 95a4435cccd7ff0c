"""The `state-snapshots` backend: the state of one moment, over a store that gives one key at a time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance import Where
from reference_backends.memory import MemoryState
from reference_backends.snapshots import ConflictError, SnapshotState, backend, open_state
from tests.benches import judge_all


class Interrupted(MemoryState):
    """A store in which others write while it is read.

    Args:
        changes: What they do, each once: before the first value is read, before the second, ...
    """

    def __init__(self, changes: list[Callable[[SnapshotState], None]]) -> None:
        super().__init__()
        self._changes = changes

    def __getitem__(self, key: str) -> Any:
        if self._changes:
            self._changes.pop(0)(SnapshotState(self))
        return super().__getitem__(key)


def test_round_trip(tmp_path: Path) -> None:
    """The store keeps every rule of the suite."""
    outcomes = {code: one.outcome for code, one in judge_all(backend, tmp_path, suites=("round-trip",)).items()}
    assert {code for code, outcome in outcomes.items() if outcome not in ("pass", "not applicable")} == set()
    assert outcomes["STATE-SNAP-10"] == "pass"


def test_another_handle_loads_a_snapshot(tmp_path: Path) -> None:
    """A snapshot saved by one handle is there for another, and is no key."""
    with closing(open_state(Where(tmp_path))) as one, closing(open_state(Where(tmp_path))) as other:
        one["a"] = [1]
        one.save_snapshot("s")
        del one["a"]
        assert (other.load_snapshot("s"), other.list_snapshots(), dict(other)) == ({"a": [1]}, ["s"], {})


def overwrite(store: SnapshotState) -> None:
    """Write both keys."""
    store["a"] = "new"
    store["b"] = "new"


def delete(store: SnapshotState) -> None:
    """Delete the key that has not been read yet."""
    del store["b"]


def add_and_write(store: SnapshotState) -> None:
    """Write a new key, and then one that has not been read yet."""
    store["c"] = "new"
    store["b"] = "new"


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (overwrite, {"a": "new", "b": "new"}),
        (delete, {"a": "old"}),
        (add_and_write, {"a": "old", "b": "new", "c": "new"}),
    ],
)
def test_a_snapshot_is_of_one_moment(change: Callable[[SnapshotState], None], state: dict[str, str]) -> None:
    """Where others write while the keys are read, none of the snapshot is from before and none from after that."""
    # `a` is read before the change, whose own calls make no other.
    store = SnapshotState(Interrupted([lambda _: None, change]))
    store["a"] = store["b"] = "old"
    store.save_snapshot("s")
    assert store.load_snapshot("s") == state


def test_a_snapshot_can_be_dropped() -> None:
    """A dropped snapshot is neither listed nor loaded."""
    store = SnapshotState(MemoryState())
    store.save_snapshot("s")
    store.delete_snapshot("s")
    assert store.list_snapshots() == []
    with pytest.raises(KeyError):
        store.load_snapshot("s")


def test_verbs_of_the_store_underneath() -> None:
    """`pop`, `setdefault` and compare-and-set are those of the store underneath, one step each."""
    store = SnapshotState(MemoryState())
    assert store.setdefault("a", 1) == 1
    with pytest.raises(ConflictError):
        store.compare_and_set("a", 2, None)
    assert store.compare_and_set("a", 2, store.version("a")) == store.version("a")
    assert (store.pop("a"), store.pop("a", None)) == (2, None)

"""The oracles of the capabilities agree with the rule book, case by case."""

from __future__ import annotations

from conformance.models.capabilities import (
    ExpiringModel,
    HistoryModel,
    SnapshotModel,
    TransactionModel,
    VersionedModel,
)


def test_compare_and_set_needs_the_present_version() -> None:
    """A write is applied on the present version, and refused on every older one, also from before a delete."""
    model = VersionedModel()
    assert model.version("a") is None
    assert model.compare_and_set("a", 1, None)
    first = model.version("a")
    assert not model.compare_and_set("a", 2, None)
    assert model.compare_and_set("a", 2, first)
    assert not model.compare_and_set("a", 3, first)
    assert model.values == {"a": 2}
    second = model.version("a")
    model.write("a", 2)
    assert model.version("a") not in (first, second)
    model.delete("a")
    model.delete("a")
    assert model.version("a") is None
    assert not model.compare_and_set("a", 4, second)
    model.write("a", 5)
    assert not model.compare_and_set("a", 6, second)
    assert model.values == {"a": 5}


def test_a_draft_counts_when_it_is_committed() -> None:
    """A draft changes nothing before its commit, and everything with it."""
    model = TransactionModel()
    model.commit({"a": 1, "b": 1})
    draft = model.begin()
    draft["a"] = 2
    del draft["b"]
    assert model.state == {"a": 1, "b": 1}
    model.commit(draft)
    assert model.state == {"a": 2}


def test_a_key_is_missing_from_its_instant_on() -> None:
    """A key is there before its instant, and not at it; a write replaces or removes the instant."""
    now = [100.0]
    model = ExpiringModel(lambda: now[0])
    model.set("a", 1, 10)
    model.set("b", 1, 10)
    model.set("b", 2)
    model.set("c", 1, 10)
    model.set("c", 3, 20)
    assert (model.expires_at("a"), model.expires_at("b"), model.expires_at("c")) == (110.0, None, 120.0)
    now[0] = 109.5
    assert model.state() == {"a": 1, "b": 2, "c": 3}
    now[0] = 110.0
    assert model.state() == {"b": 2, "c": 3}
    model.delete("b")
    model.delete("missing")
    assert model.state() == {"c": 3}


def test_versions_outlive_their_key() -> None:
    """Each write adds a version in front, and a delete takes none away."""
    model = HistoryModel()
    assert model.values("a") == []
    model.write("a", 1)
    model.write("a", 1)
    model.delete("a")
    assert (model.values("a"), model.state) == ([1, 1], {})
    model.write("a", 2)
    assert (model.values("a"), model.state) == ([2, 1, 1], {"a": 2})


def test_a_snapshot_is_a_copy() -> None:
    """A snapshot stays when the state changes, and is replaced by one of the same name."""
    model = SnapshotModel()
    model.state["a"] = 1
    model.save("s")
    model.state["a"] = 2
    assert model.snapshots == {"s": {"a": 1}}
    model.save("s")
    assert model.snapshots == {"s": {"a": 2}}

"""Runs over a state store: odd shapes, and calls of others that come in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.values.runs import full_run, small_run
from reference_backends.memory import MemoryState
from reference_backends.runs import ConflictError, RunStore


class Interrupted(MemoryState):
    """A state store in which something happens just before one of the writes to a key."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, Callable[[], Any]] = {}

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Do what is to happen before the write to this key, once, and then write."""
        if key in self.before:
            self.before.pop(key)()
        return super().compare_and_set(key, value, expected)


@pytest.fixture
def state() -> Interrupted:
    """Give an empty state store."""
    return Interrupted()


@pytest.fixture
def runs(state: Interrupted) -> RunStore:
    """Give an empty run store."""
    return RunStore(state)


def child(run_id: str, parent: str | None) -> dict[str, Any]:
    """Return a small run with a parent."""
    return {"id": run_id, "metadata": {"lineage": {"parentRunId": parent}}}


@pytest.mark.parametrize("checkpoints", [None, {}, "checkpoint-1", 7, [], [None, 1, "checkpoint-1", ["checkpoint-1"]]])
def test_odd_checkpoints_have_no_ids(runs: RunStore, checkpoints: Any) -> None:
    """Checkpoints that are no list, or no dicts, are kept, and none of them is found."""
    run = {"id": "a", "checkpoints": checkpoints}
    runs.save_run(run)
    with pytest.raises(KeyError, match="checkpoint-1"):
        runs.fork_run("a", "b", "checkpoint-1")
    assert runs.list_runs() == [run]


@pytest.mark.parametrize("metadata", [None, [], "x", {"lineage": None}, {"lineage": ["a"]}, {"lineage": "a"}])
def test_odd_metadata_are_replaced_in_the_branch(runs: RunStore, metadata: Any) -> None:
    """Metadata, or a lineage, that are no dicts are kept in the source; the branch has what the contract names."""
    run = {"id": "a", "checkpoints": [None, {"id": "c"}, {"id": "d"}], "metadata": metadata}
    runs.save_run(run)
    branch = runs.fork_run("a", "b", "c")
    assert branch["checkpoints"] == [None, {"id": "c"}]
    assert branch["state"] is None
    assert branch["metadata"]["lineage"]["rootRunId"] == branch["metadata"]["lineage"]["branchOriginRunId"] == "a"
    assert runs.list_runs() == [run, branch]
    assert runs.lineage("a") == ["a"]


@pytest.mark.parametrize("metadata", [None, [], {"lineage": None}, {"lineage": {"parentRunId": 7}}])
def test_odd_lineage_names_no_parent(runs: RunStore, metadata: Any) -> None:
    """What is no lineage names no parent."""
    runs.save_run({"id": "a", "metadata": metadata})
    assert runs.lineage("a") == ["a"]


@pytest.mark.parametrize("run", [None, [], "a", {}, {"id": None}, {"id": 1}, {"id": ""}, {"id": "a", "x": (1,)}])
def test_what_is_no_run_is_refused(runs: RunStore, run: Any) -> None:
    """What is no JSON document with a text as its id is refused, and nothing is saved."""
    with pytest.raises((TypeError, ValueError)):
        runs.save_run(run)
    assert runs.list_runs() == []


def test_events_need_a_list(runs: RunStore) -> None:
    """An event is not appended to what is no list; a run without events gets the first one."""
    runs.save_run({"id": "a", "events": None})
    with pytest.raises(TypeError, match="are no list, but a NoneType"):
        runs.append_event("a", 1)
    runs.save_run({"id": "a"})
    runs.append_event("a", {"n": 1})
    assert runs.get_run("a") == {"id": "a", "events": [{"n": 1}]}


@pytest.mark.parametrize("event", [{1: "x"}, (1, 2), {"data": {1, 2}}, "\ud83d\ude00"])
def test_events_that_are_no_json_are_refused(runs: RunStore, event: Any) -> None:
    """An event that would come back changed is refused, and the run stays as it was."""
    runs.save_run(full_run("a"))
    with pytest.raises((TypeError, ValueError)):
        runs.append_event("a", event)
    assert runs.get_run("a") == full_run("a")


def test_events_of_others_are_kept(state: Interrupted, runs: RunStore) -> None:
    """An event that another one appends in between comes first, and both are there."""
    runs.save_run({"id": "a", "events": []})
    state.before["a"] = lambda: runs.append_event("a", "other")
    runs.append_event("a", "own")
    assert runs.get_run("a") == {"id": "a", "events": ["other", "own"]}


def test_the_run_that_is_acquired_in_between_is_not_saved(state: Interrupted, runs: RunStore) -> None:
    """A save is refused when the run is acquired between the look at its token and the write."""
    token = runs.acquire_run("a", "one")
    runs.save_run(small_run("a", 1), token=token)
    state.before["a"] = lambda: runs.acquire_run("a", "two")
    with pytest.raises(ConflictError, match="superseded"):
        runs.save_run(small_run("a", 2), token=token)
    assert runs.get_run("a") == small_run("a", 1)


def test_the_parent_that_is_deleted_in_between_has_no_child(state: Interrupted, runs: RunStore) -> None:
    """The save of a child is refused when its parent is deleted after the child was noted, and before it is written."""
    runs.save_run({"id": "parent"})
    state.before["child"] = lambda: runs.delete_run("parent")
    with pytest.raises(ValueError, match="no run that was saved before"):
        runs.save_run(child("child", "parent"))
    assert runs.list_runs() == []


def test_the_child_that_is_saved_in_between_keeps_its_parent(state: Interrupted, runs: RunStore) -> None:
    """The delete of a parent is refused when a child is saved after the look for children, and before the delete."""
    runs.save_run({"id": "parent"})
    state.before["parent"] = lambda: runs.save_run(child("child", "parent"))
    with pytest.raises(ConflictError, match="is the parent of 'child'"):
        runs.delete_run("parent")
    assert runs.lineage("child") == ["parent", "child"]


def test_the_child_that_was_noted_and_never_saved_is_no_child(state: Interrupted, runs: RunStore) -> None:
    """A parent whose child was noted and not written, as in a crash, can be deleted; the child can still be saved."""

    def crash() -> None:
        raise KeyboardInterrupt

    runs.save_run({"id": "parent"})
    state.before["child"] = crash
    with pytest.raises(KeyboardInterrupt):
        runs.save_run(child("child", "parent"))
    runs.delete_run("parent")
    assert runs.list_runs() == []
    runs.save_run(child("child", None))
    assert runs.lineage("child") == ["child"]


def test_the_child_that_was_deleted_is_no_child(runs: RunStore) -> None:
    """A parent whose child was deleted, and saved again without it, can be deleted."""
    runs.save_run({"id": "parent"})
    runs.save_run(child("child", "parent"))
    runs.delete_run("child")
    runs.save_run(child("child", None))
    runs.delete_run("parent")
    assert [run["id"] for run in runs.list_runs()] == ["child"]


def test_the_parent_is_not_changed(runs: RunStore) -> None:
    """A run that is there keeps its parent, whatever is saved; and that leaves no trace at the other one."""
    for run_id in ("one", "two"):
        runs.save_run({"id": run_id})
    runs.save_run(child("child", "one"))
    for parent in ("two", None, "nobody", "child"):
        with pytest.raises(ValueError, match="can't be changed"):
            runs.save_run(child("child", parent))
    runs.delete_run("two")
    assert runs.lineage("child") == ["one", "child"]


def test_two_forks_to_one_id(state: Interrupted, runs: RunStore) -> None:
    """Of two forks to one id the later one is refused, though it looked before the other one wrote."""
    runs.save_run(full_run("a"))
    state.before["b"] = lambda: runs.fork_run("a", "b", "checkpoint-9")
    with pytest.raises(ConflictError, match="There is a run 'b' already"):
        runs.fork_run("a", "b", "checkpoint-11")
    branch = runs.get_run("b")
    assert branch is not None
    assert [one["id"] for one in branch["checkpoints"]] == ["checkpoint-9"]


def test_tokens_outlive_deletes(runs: RunStore) -> None:
    """The token of a deleted run is not given again, and the deleted run is not listed."""
    runs.save_run({"id": "a"})
    first = runs.acquire_run("a", "one")
    runs.delete_run("a")
    assert runs.get_run("a") is None
    assert runs.list_runs() == []
    assert runs.acquire_run("a", "two") > first

"""Files whose content does not matter."""

from __future__ import annotations

import pytest

from conformance.crash.disk import MODELS, Disk, scratch_candidates, substituted
from conformance.crash.disk import content as contents
from conformance.crash.trace import ROOT, Create, Link, Operation, Sync, Trace, Truncate, Write

DATA, SHARED, LOCK = 1, 2, 3
OPERATIONS: tuple[Operation, ...] = (
    Write(DATA, 0, b"data"),
    Sync(DATA),
    Create(ROOT, "shared", SHARED),
    Truncate(SHARED, 2000),
    Write(SHARED, 1000, b"index"),
    Link(ROOT, "also", SHARED),
)
TRACE = Trace((Create(ROOT, "data", DATA), Create(ROOT, "lock", LOCK), Write(LOCK, 0, b"pid")), OPERATIONS)


def test_candidates_are_written_or_mapped_and_never_synced() -> None:
    """A file that was there before and is not touched is none; one that is only mapped is."""
    assert scratch_candidates(TRACE) == {SHARED}
    assert scratch_candidates(Trace(TRACE.initial, OPERATIONS, frozenset({DATA, LOCK}))) == {SHARED, LOCK}


@pytest.mark.parametrize("name", list(MODELS))
def test_scratch_files_are_there_and_empty(name: str) -> None:
    """Their names come and go as those of other files, their content is left out, and there are no more states."""
    disk = Disk(TRACE, MODELS[name], frozenset({SHARED, LOCK}))
    assert all(atom.kind == "name" for atom in disk.atoms if atom.node in (SHARED, LOCK))
    everything = frozenset(range(len(disk.atoms)))
    assert disk.tree(everything) == {"data": b"data", "lock": b"", "shared": b"", "also": b""}
    assert len(list(disk.states(0))) <= len(list(Disk(TRACE, MODELS[name]).states(0)))


def test_content_is_substituted() -> None:
    """Nothing, zeros or garbage takes the place of the content, under all names, and of nothing else."""
    disk = Disk(TRACE, MODELS["kill"])
    everything = frozenset(range(len(disk.atoms)))
    whole = disk.tree(everything)
    nodes = frozenset({SHARED})
    assert substituted(disk, everything, nodes, "empty") == {**whole, "shared": b"", "also": b""}
    assert substituted(disk, everything, nodes, "zeros") == {**whole, "shared": bytes(2000), "also": bytes(2000)}
    garbage = substituted(disk, everything, nodes, "garbage")
    assert garbage == substituted(disk, everything, nodes, "garbage")
    assert garbage["data"] == b"data"
    assert garbage["shared"] is not None
    assert garbage["shared"] != whole["shared"]
    assert len(garbage["shared"]) == 2000
    assert disk.tree(everything) == whole


def test_what_is_forgotten_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory for contents and layouts is bounded; a tree is the same before and after it was dropped."""
    writes = tuple(Write(DATA, 100 * number, bytes([number % 251]) * 150) for number in range(200))
    trace = Trace(TRACE.initial, writes)
    disk = Disk(trace, MODELS["posix"])
    states = list(disk.states(0))[::7]
    before = [disk.tree(state.kept) for state in states]
    monkeypatch.setattr(contents, "REMEMBERED_BYTES_MAX", 50_000)
    monkeypatch.setattr(contents, "REMEMBERED_LAYOUTS_MAX", 1)
    other = Disk(trace, MODELS["posix"])
    assert [other.tree(state.kept) for state in states] == before

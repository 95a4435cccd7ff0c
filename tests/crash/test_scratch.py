"""Scratch files are found by experiment: what the store does not miss in any state of their lives, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from conformance.crash.disk import names_of, scratch_candidates
from conformance.crash.explore import Explorer
from conformance.crash.recorded import Order, record_order
from conformance.crash.scratch import scratch_files, scratch_of_the_same_names
from tests.crash import stores as s
from tests.crash.conftest import ExplorerOf


def names(explorer: Explorer, nodes: frozenset[int]) -> set[str]:
    """Return the names of nodes."""
    known = names_of(explorer.recorded.recording.trace)
    return {known[node] for node in nodes}


def test_the_shared_memory_of_sqlite_is_scratch(sees_all: str, explorer_of: ExplorerOf) -> None:
    """The index of its log is made anew from the log; database and log are not scratch."""
    explorer = explorer_of(s.SQLITE_WAL)
    assert names(explorer, explorer.scratch) == {"store-shm"}


def test_a_rollback_journal_is_not_scratch(sees_all: str, explorer_of: ExplorerOf) -> None:
    """Without syncs it is a candidate, and so is the database, but a hot journal is what undoes half a transaction."""
    explorer = explorer_of(s.mutant("sqlite_unsynced"))
    candidates = scratch_candidates(explorer.recorded.recording.trace)
    assert names(explorer, candidates) == {"store", "store-journal"}
    assert explorer.scratch == frozenset()


def test_data_that_are_never_synced_are_not_scratch(explorer_of: ExplorerOf) -> None:
    """Whoever forgets to sync has a candidate, and would miss its content."""
    explorer = explorer_of(s.mutant("no_fsync_at_all"))
    assert names(explorer, scratch_candidates(explorer.recorded.recording.trace)) == {"store"}
    assert explorer.scratch == frozenset()


def test_new_files_that_are_renamed_unsynced_are_not_scratch(explorer_of: ExplorerOf) -> None:
    """Each of them is one while it has its first name; then the store's data are in it."""
    explorer = explorer_of(s.mutant("no_fsync_before_rename"))
    assert len(scratch_candidates(explorer.recorded.recording.trace)) > 3
    trace = explorer.recorded.recording.trace
    live = {node for node, name in names_of(trace).items() if name.endswith(".json")}
    assert not explorer.scratch & live


def test_a_lock_with_a_process_in_it_is_scratch(explorer_of: ExplorerOf) -> None:
    """A lock file with anything in it, or nothing, is that of a dead process: its content is of no use."""
    explorer = explorer_of("tests.odd.crash:ODD_CRASH_PID_STATE")
    assert names(explorer, explorer.scratch) <= {"store.pid"}


def test_a_store_that_syncs_everything_has_no_candidates(explorer_of: ExplorerOf) -> None:
    """So nothing is tried."""
    explorer = explorer_of(s.DOCUMENT)
    assert scratch_candidates(explorer.recorded.recording.trace) == frozenset()
    assert explorer.scratch == frozenset()


def test_the_same_files_in_another_recording(sees_all: str, explorer_of: ExplorerOf) -> None:
    """They are known by their names, whatever their numbers are."""
    explorer = explorer_of(s.SQLITE_WAL)
    other = explorer.crew.call(record_order, Order(explorer.recorded.steps[:2], {}))
    nodes = scratch_of_the_same_names(explorer, other.trace)
    assert {names_of(other.trace)[node] for node in nodes} == {"store-shm"}


def test_a_file_of_use_is_known_at_once(explorer_of: ExplorerOf) -> None:
    """Nothing in its place tells that; each opening of a store in a server takes long."""
    explorer = replace(explorer_of(s.mutant("no_fsync_at_all")), observations={})
    assert scratch_files(explorer) == frozenset()
    assert len(explorer.observations) == 2


def test_no_file_is_begun_with_when_the_time_is_over(sees_all: str, explorer_of: ExplorerOf) -> None:
    """It counts as of use, unless its name is known."""
    explorer = replace(explorer_of(s.SQLITE_WAL), observations={})
    assert scratch_files(explorer, seconds=-1.0) == frozenset()
    assert explorer.observations == {}
    assert names(explorer, scratch_files(explorer, {"store-shm"}, seconds=-1.0)) == {"store-shm"}

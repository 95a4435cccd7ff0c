"""A sync that fails: the pages are marked clean, and are not on the disk.

Source: Rebello et al., Can Applications Recover from fsync Failures?, USENIX ATC 2020.
"""

from __future__ import annotations

import pytest

from conformance.crash.disk import MODELS, Disk
from conformance.crash.trace import ROOT, Create, Mark, Operation, Rename, Sync, SyncAll, Trace, Truncate, Write

LOG, OTHER = 1, 2
BEFORE = (Create(ROOT, "log", LOG), Create(ROOT, "other", OTHER), Write(OTHER, 0, b"o"))
FIRST, SECOND = Write(LOG, 0, b"1" * 4096), Write(LOG, 4096, b"2" * 4096)
POWER_LOSS = pytest.mark.parametrize("name", ["ext4", "xfs", "posix", "paranoid"])


def outcomes(name: str, *operations: Operation, path: str = "log") -> set[bytes | None]:
    """Return all contents that a file may have if the crash comes at the end."""
    disk = Disk(Trace(BEFORE, operations), MODELS[name])
    states = [state for state in disk.states(0, None) if state.point == len(operations)]
    assert all(disk.legal(state.point, state.kept) for state in states)
    return {disk.tree(state.kept)[path] for state in states}


@POWER_LOSS
def test_a_later_sync_passes_over_what_a_failed_one_left(name: str) -> None:
    """The pages stay optional for ever, and what is written behind them becomes durable without them."""
    found = outcomes(name, FIRST, Sync(LOG, failed=True), SECOND, Sync(LOG))
    assert {bytes(4096) + b"2" * 4096, b"1" * 4096 + b"2" * 4096} <= found
    assert all(content is not None and content.endswith(b"2" * 4096) for content in found)
    again = outcomes(name, FIRST, Sync(LOG, failed=True), Sync(LOG), Mark("acknowledged"), Sync(LOG))
    assert {b"", b"1" * 4096} <= again
    assert b"" in outcomes(name, FIRST, Sync(LOG, failed=True), SyncAll())


@POWER_LOSS
def test_a_page_written_to_again_is_written_whole(name: str) -> None:
    """One byte more in the page makes it dirty, and the next sync writes all of it; so does a cut inside it."""
    small, more = Write(LOG, 0, b"1" * 600), Write(LOG, 600, b"2")
    assert outcomes(name, small, Sync(LOG, failed=True), more, Sync(LOG)) == {b"1" * 600 + b"2"}
    assert outcomes(name, FIRST, Sync(LOG, failed=True), Truncate(LOG, 600), Sync(LOG)) == {b"1" * 600}
    assert b"" in outcomes(name, small, Sync(LOG, failed=True), more, Sync(LOG, failed=True), Sync(LOG))


@POWER_LOSS
def test_before_the_next_sync_all_is_open(name: str) -> None:
    """A failed sync makes nothing durable, and takes nothing back that is."""
    assert {b"", b"1" * 4096} <= outcomes(name, FIRST, Sync(LOG, failed=True))
    assert outcomes(name, FIRST, Sync(LOG), Sync(LOG, failed=True)) == {b"1" * 4096}


def test_the_journal_takes_the_pages_as_written() -> None:
    """A rename over a name does not wait for pages that were marked clean, though before the failure it does."""
    operations = (FIRST, Rename(ROOT, "log", ROOT, "other"), Sync(LOG, failed=True), SyncAll())
    disk = Disk(Trace(BEFORE, operations), MODELS["ext4"])
    written, renamed = 0, 1
    assert not disk.legal(2, frozenset({renamed}))
    assert disk.close(frozenset({renamed}), 2) == frozenset()
    assert disk.legal(3, frozenset({renamed}))
    assert disk.durable(4) == {renamed}
    assert disk.pending(4) == {written}


def test_a_failed_sync_is_about_one_file() -> None:
    """Names, sizes and the bytes of other files are not touched by it."""
    for name in ("ext4", "xfs", "posix", "paranoid"):
        operations = (Truncate(OTHER, 0), FIRST, Write(OTHER, 0, b"n"), Sync(LOG, failed=True), Sync(OTHER))
        assert outcomes(name, *operations, path="other") == {b"n"}
        assert outcomes(name, Truncate(OTHER, 0), Sync(OTHER, failed=True), Sync(OTHER), path="other") == {b""}


def test_a_mapped_file_is_believed_after_the_next_sync() -> None:
    """The same bytes stored again through a mapping can't be seen, but they make the page dirty again."""
    operations = (Create(0, "a", 1), Write(1, 0, b"one"), Sync(1, failed=True), Sync(1))
    for mapped, sure in ((frozenset[int](), False), (frozenset({1}), True)):
        disk = Disk(Trace((), operations, mapped), MODELS["ext4"])
        data = {atom.index for atom in disk.atoms if atom.kind == "data"}
        assert (data <= disk.durable(len(operations))) is sure

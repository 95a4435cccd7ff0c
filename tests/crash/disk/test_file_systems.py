"""The models say of typical cases what was measured on real file systems.

The cases are those of BOB (Pillai et al., OSDI 2014), carried out on loop-mounted ext4 and XFS, the block image copied
and mounted again.
"""

from __future__ import annotations

import pytest

from conformance.crash.disk import MODELS, Disk
from conformance.crash.trace import ROOT, Create, Link, Operation, Remove, Rename, Sync, SyncAll, Trace, Truncate, Write

DIRECTORY, ELSEWHERE, OLD, FILE, OTHER, INNER = range(1, 7)
BEFORE = (
    Create(ROOT, "d", DIRECTORY, is_directory=True),
    Create(ROOT, "e", ELSEWHERE, is_directory=True),
    Create(DIRECTORY, "f", OLD),
    Write(OLD, 0, b"old"),
)
#: A new file in another directory, written and synced: what else does that sync write?
UNRELATED = (Create(ELSEWHERE, "x", OTHER), Write(OTHER, 0, b"x"), Sync(OTHER))
CREATE = (Create(DIRECTORY, "t", FILE), Write(FILE, 0, b"new"))
RENAME = Rename(DIRECTORY, "t", DIRECTORY, "f")
EMPTY, ZEROS = b"", b"\0\0\0"


def outcomes(model: str, path: str, *operations: Operation) -> set[bytes | None]:
    """Return all contents that a file may have if the crash comes at the end; None is for no file."""
    disk = Disk(Trace(BEFORE, operations), MODELS[model])
    states = [state for state in disk.states(0, None) if state.point == len(operations)]
    return {disk.tree(state.kept).get(path) for state in states}


@pytest.mark.parametrize(
    ("operations", "path", "ext4", "xfs"),
    [
        pytest.param((*CREATE, RENAME), "d/f", {b"new"}, {EMPTY, b"new"}, id="rename over an old name"),
        pytest.param(
            (*CREATE, Rename(DIRECTORY, "t", DIRECTORY, "g")),
            "d/g",
            {EMPTY, b"new"},
            {EMPTY, b"new"},
            id="rename to a new name",
        ),
        pytest.param(CREATE, "d/t", {EMPTY, b"new"}, {EMPTY, b"new"}, id="create"),
        pytest.param(
            (Truncate(OLD, 0), Write(OLD, 0, b"new")), "d/f", {b"new"}, {EMPTY, b"new"}, id="truncate and rewrite"
        ),
        pytest.param((*CREATE, Sync(FILE), RENAME), "d/f", {b"new"}, {b"new"}, id="sync and rename over an old name"),
        pytest.param((*CREATE, Sync(FILE)), "d/t", {b"new"}, {b"new"}, id="create and sync"),
        pytest.param(
            (
                Create(DIRECTORY, "s", INNER, is_directory=True),
                Create(INNER, "t", FILE),
                Write(FILE, 0, b"new"),
                Sync(FILE),
            ),
            "d/s/t",
            {b"new"},
            {b"new"},
            id="create and sync in a new directory",
        ),
        pytest.param((*CREATE, RENAME, Sync(FILE)), "d/f", {b"new"}, {b"new"}, id="rename and sync"),
        pytest.param(
            (Rename(DIRECTORY, "f", DIRECTORY, "k"), *CREATE, Sync(FILE)),
            "d/k",
            {b"old"},
            {b"old"},
            id="rename and sync of another new file beside it",
        ),
    ],
)
def test_after_a_sync_of_an_unrelated_file(
    operations: tuple[Operation, ...], path: str, ext4: set[bytes | None], xfs: set[bytes | None]
) -> None:
    """What is found after a case and then a sync of an unrelated file, as on the real file systems."""
    assert outcomes("ext4", path, *operations, *UNRELATED) == ext4
    assert outcomes("xfs", path, *operations, *UNRELATED) == xfs


def test_without_any_sync_all_may_be_lost() -> None:
    """Nothing is sure before the first sync, but ext4 does not let the new name come before the bytes."""
    assert outcomes("ext4", "d/f", *CREATE, RENAME) == {b"old", b"new"}
    assert outcomes("xfs", "d/f", *CREATE, RENAME) == {b"old", EMPTY, b"new"}
    assert outcomes("posix", "d/f", *CREATE, RENAME) == {b"old", EMPTY, ZEROS, b"new"}
    assert outcomes("ext4", "d/f", Truncate(OLD, 0), Write(OLD, 0, b"new")) == {b"old", EMPTY, b"new"}
    assert outcomes("ext4", "d/t", *CREATE, Sync(FILE), RENAME) == {b"new", None}


def test_a_synced_file_has_its_name() -> None:
    """A sync of a file is enough for its name, and for those of the directories above, but not under `paranoid`."""
    inner = (Create(DIRECTORY, "s", INNER, is_directory=True), Create(INNER, "t", FILE), Write(FILE, 0, b"new"))
    for name in ("ext4", "xfs", "posix"):
        assert outcomes(name, "d/t", *CREATE, Sync(FILE)) == {b"new"}
        assert outcomes(name, "d/s/t", *inner, Sync(FILE)) == {b"new"}
        assert outcomes(name, "d/f", *CREATE, RENAME, Sync(FILE)) == {b"new"}
    assert outcomes("paranoid", "d/t", *CREATE, Sync(FILE)) == {None, b"new"}
    assert outcomes("paranoid", "d/t", *CREATE, Sync(FILE), Sync(DIRECTORY)) == {b"new"}
    assert outcomes("paranoid", "d/s/t", *inner, Sync(FILE), Sync(INNER)) == {None, b"new"}
    assert outcomes("paranoid", "d/s/t", *inner, Sync(FILE), Sync(INNER), Sync(DIRECTORY)) == {b"new"}


def test_a_sync_of_the_directory_is_for_names_only() -> None:
    """Under no model does a sync of the directory write the bytes of a file in it."""
    for name in ("ext4", "xfs"):
        assert outcomes(name, "d/t", *CREATE, Sync(DIRECTORY)) == {EMPTY, b"new"}
    for name in ("posix", "paranoid"):
        assert outcomes(name, "d/t", *CREATE, Sync(DIRECTORY)) == {EMPTY, ZEROS, b"new"}
    for name in ("ext4", "xfs", "posix", "paranoid"):
        assert outcomes(name, "d/f", Remove(DIRECTORY, "f"), Sync(DIRECTORY)) == {None}
        assert outcomes(name, "d/f", *CREATE, Sync(FILE), RENAME, Sync(DIRECTORY)) == {b"new"}


def test_a_sync_with_nothing_to_write_commits_nothing() -> None:
    """To sync a directory in which nothing changed does not make a rename elsewhere durable, under any model."""
    for name in ("ext4", "xfs", "posix", "paranoid"):
        assert b"old" in outcomes(name, "d/f", *CREATE, Sync(FILE), Sync(DIRECTORY), RENAME, Sync(ELSEWHERE))


def test_a_rename_between_directories_is_one_step() -> None:
    """A file that moves to another directory is in one of them, never in both or none; syncing either is enough."""
    move = Rename(DIRECTORY, "f", ELSEWHERE, "g")
    for model in MODELS.values():
        disk = Disk(Trace(BEFORE, (move,)), model)
        trees = [disk.tree(state.kept) for state in disk.states(0)]
        assert all(("d/f" in tree) != ("e/g" in tree) for tree in trees)
        if not model.kill:
            for directory in (DIRECTORY, ELSEWHERE):
                assert outcomes(model.name, "e/g", move, Sync(directory)) == {b"old"}


def test_hard_links_come_out_as_separate_files() -> None:
    """Both names have the content; a sync of the file keeps both, but not under `paranoid`."""
    link = (*CREATE, Link(DIRECTORY, "u", FILE), Sync(FILE))
    for path in ("d/t", "d/u"):
        assert outcomes("posix", path, *link) == {b"new"}
        assert outcomes("paranoid", path, *link) == {b"new", None}


def test_a_removed_file_may_come_back() -> None:
    """A removed name is there again after a crash, with what was written to the open file since, if that was synced."""
    written = (Remove(DIRECTORY, "f"), Write(OLD, 0, b"NEW"), Sync(OLD))
    assert outcomes("posix", "d/f", *written) == {None, b"NEW"}
    assert outcomes("ext4", "d/f", *written) == {None}
    assert outcomes("ext4", "d/f", *written[:2]) == {None, b"old", b"NEW"}


def test_directories_that_are_renamed_and_removed() -> None:
    """What is in a directory goes with it; one with two names after a crash is found under both."""
    rename = (Rename(ROOT, "d", ROOT, "c"), Rename(ROOT, "c", ELSEWHERE, "b"))
    assert outcomes("ext4", "e/b/f", *rename) == {None, b"old"}
    disk = Disk(Trace(BEFORE, rename), MODELS["posix"])
    assert disk.tree(frozenset({1})) == {"d/": None, "d/f": b"old", "e/": None, "e/b/": None, "e/b/f": b"old"}
    emptied = (Remove(DIRECTORY, "f"), Remove(ROOT, "d"))
    assert outcomes("posix", "d/f", *emptied) == {None, b"old"}
    assert outcomes("posix", "d/f", *emptied, Sync(ROOT)) == {None}


def test_a_directory_is_never_below_itself() -> None:
    """Renames out of order may put a directory into itself: it is then gone, or found once on each way down."""
    renames = (
        Rename(ROOT, "d", ELSEWHERE, "d"),
        Rename(ELSEWHERE, "d", ROOT, "d"),
        Rename(ROOT, "e", DIRECTORY, "e"),
    )
    disk = Disk(Trace(BEFORE, renames), MODELS["posix"])
    assert disk.tree(frozenset({0, 2})) == {}
    both = disk.tree(frozenset({1, 2}))
    assert both == {"d/": None, "d/e/": None, "d/f": b"old"}


def test_sync_all_makes_everything_durable() -> None:
    """After a sync of the whole file system one state is left."""
    for name in ("ext4", "xfs", "posix", "paranoid"):
        assert outcomes(name, "d/f", *CREATE, RENAME, SyncAll()) == {b"new"}


def test_a_rollback_journal_may_come_back() -> None:
    """SQLite's DELETE journal with synchronous=FULL: its removal is not durable before the directory is synced."""
    database, journal = OLD, FILE
    transaction = (
        Create(DIRECTORY, "f-journal", journal),
        Write(journal, 0, b"old"),
        Sync(journal),
        Sync(DIRECTORY),
        Write(database, 0, b"new"),
        Sync(database),
        Remove(DIRECTORY, "f-journal"),
    )
    for name in ("ext4", "xfs", "posix", "paranoid"):
        assert outcomes(name, "d/f-journal", *transaction) == {None, b"old"}
        assert outcomes(name, "d/f", *transaction) == {b"new"}
        assert outcomes(name, "d/f-journal", *transaction, Sync(DIRECTORY)) == {None}
    again = (Create(DIRECTORY, "f-journal", INNER), Write(INNER, 0, b"new"), Sync(INNER))
    assert outcomes("ext4", "d/f-journal", *transaction, *again) == {b"new"}
    assert outcomes("kill", "d/f-journal", *transaction) == {None}

"""A volume does in memory what a file system does on a disk."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings

from conformance.crash.trace import (
    ROOT,
    Create,
    Link,
    Mark,
    Operation,
    Remove,
    Rename,
    Sync,
    SyncAll,
    Trace,
    Truncate,
    Volume,
    Write,
    replayed,
)
from conformance.crash.tree import Tree, read_tree
from tests.crash.disk.traces import traces

FILE, FOLDER, OTHER = 1, 2, 3
BEFORE = (Create(ROOT, "file", FILE), Write(FILE, 0, b"abc"), Create(ROOT, "folder", FOLDER, is_directory=True))

CASES: dict[str, tuple[Operation, Tree]] = {
    "create": (Create(FOLDER, "new", OTHER), {"file": b"abc", "folder/": None, "folder/new": b""}),
    "mkdir": (Create(FOLDER, "new", OTHER, is_directory=True), {"file": b"abc", "folder/": None, "folder/new/": None}),
    "link": (Link(FOLDER, "also", FILE), {"file": b"abc", "folder/": None, "folder/also": b"abc"}),
    "unlink": (Remove(ROOT, "file"), {"folder/": None}),
    "rmdir": (Remove(ROOT, "folder"), {"file": b"abc"}),
    "remove what is gone": (Remove(ROOT, "nothing"), {"file": b"abc", "folder/": None}),
    "rename": (Rename(ROOT, "file", FOLDER, "moved"), {"folder/": None, "folder/moved": b"abc"}),
    "rename a directory": (Rename(ROOT, "folder", ROOT, "moved"), {"file": b"abc", "moved/": None}),
    "write inside": (Write(FILE, 1, b"X"), {"file": b"aXc", "folder/": None}),
    "write beyond": (Write(FILE, 5, b"X"), {"file": b"abc\0\0X", "folder/": None}),
    "write across the end": (Write(FILE, 2, b"XY"), {"file": b"abXY", "folder/": None}),
    "cut": (Truncate(FILE, 1), {"file": b"a", "folder/": None}),
    "extend": (Truncate(FILE, 5), {"file": b"abc\0\0", "folder/": None}),
    "sync": (Sync(FILE), {"file": b"abc", "folder/": None}),
    "failed sync": (Sync(FILE, failed=True), {"file": b"abc", "folder/": None}),
    "sync all": (SyncAll(), {"file": b"abc", "folder/": None}),
    "mark": (Mark("open"), {"file": b"abc", "folder/": None}),
}


@pytest.mark.parametrize(("operation", "after"), CASES.values(), ids=CASES)
def test_each_operation(operation: Operation, after: Tree) -> None:
    """An operation makes what it says, and nothing else."""
    assert replayed(Trace(BEFORE, (operation,))) == after


def test_names_of_one_file_share_its_content() -> None:
    """A write through one name shows under the other; a name that is renamed onto replaces what had it."""
    steps = (
        Link(ROOT, "also", FILE),
        Write(FILE, 0, b"X"),
        Create(ROOT, "new", OTHER),
        Rename(ROOT, "new", ROOT, "file"),
    )
    assert replayed(Trace(BEFORE, steps)) == {"also": b"Xbc", "file": b"", "folder/": None}


def test_a_file_without_a_name_is_written_on() -> None:
    """What a program still has open may be written to, and nobody finds it."""
    assert replayed(Trace(BEFORE, (Remove(ROOT, "file"), Write(FILE, 0, b"X")))) == {"folder/": None}


def test_directories_come_before_what_is_in_them() -> None:
    """So a walk can make what it meets."""
    volume = Volume()
    for operation in (*BEFORE, Create(FOLDER, "inside", OTHER, is_directory=True), Create(OTHER, "deep", 4)):
        volume.apply(operation)
    assert [path for path, _ in volume.walk()] == ["file", "folder", "folder/inside", "folder/inside/deep"]


def test_a_content_that_nobody_changes_is_not_copied() -> None:
    """It is the very bytes of the operation; where it is changed, the operation stays as it was."""
    whole = b"content"
    volume = Volume()
    for operation in (Create(ROOT, "same", FILE), Create(ROOT, "other", OTHER), Write(FILE, 0, whole)):
        volume.apply(operation)
    volume.apply(Write(OTHER, 0, whole))
    before = volume.tree()
    assert before["same"] is before["other"] is whole
    volume.apply(Write(OTHER, 3, b"X"))
    volume.apply(Truncate(OTHER, 6))
    assert volume.tree() == {"same": whole, "other": b"conXen"}
    assert whole == b"content"
    assert before["other"] is whole
    volume.apply(Truncate(OTHER, 0))
    volume.apply(Write(OTHER, 2, b"Y"))
    assert volume.tree() == {"same": whole, "other": b"\0\0Y"}
    volume.apply(Truncate(FILE, 9))
    assert volume.tree()["same"] == b"content\0\0"
    assert whole == b"content"


def on_disk(trace: Trace, root: Path) -> dict[str, bytes | None]:
    """Carry out a trace with real files, and return what is there afterwards."""
    directories, files = {ROOT: os.open(root, os.O_RDONLY)}, dict[int, int]()
    try:
        for operation in (*trace.initial, *trace.operations):
            match operation:
                case Create(directory, name, node, True):
                    os.mkdir(name, dir_fd=directories[directory])
                    directories[node] = os.open(name, os.O_RDONLY, dir_fd=directories[directory])
                case Create(directory, name, node):
                    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
                    files[node] = os.open(name, flags, 0o600, dir_fd=directories[directory])
                case Link(directory, name, node):
                    # Any of its names will do; Linux has no portable way to link what is only open.
                    source = next(path for path, found in _paths(root) if found == os.fstat(files[node]).st_ino)
                    os.link(source, name, dst_dir_fd=directories[directory])
                case Remove(directory, name):
                    _remove(name, directories[directory])
                case Rename(directory, name, to_directory, to_name):
                    pair = {"src_dir_fd": directories[directory], "dst_dir_fd": directories[to_directory]}
                    os.rename(name, to_name, **pair)
                case Write(node, offset, data):
                    assert os.pwrite(files[node], data, offset) == len(data)
                case Truncate(node, size):
                    os.ftruncate(files[node], size)
        return read_tree(root)
    finally:
        for descriptor in (*directories.values(), *files.values()):
            os.close(descriptor)


def _paths(root: Path) -> list[tuple[Path, int]]:
    return [(path, path.stat().st_ino) for path in root.rglob("*")]


def _remove(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except (IsADirectoryError, PermissionError):
        os.rmdir(name, dir_fd=directory)


@settings(max_examples=60, deadline=None)
@given(trace=traces(lengths=(1, 30, 600)))
def test_a_replay_makes_what_real_files_become(trace: Trace) -> None:
    """Whatever a program may do, the replay of it and a real directory come to the same files."""
    with tempfile.TemporaryDirectory() as folder:
        assert replayed(trace) == on_disk(trace, Path(folder))

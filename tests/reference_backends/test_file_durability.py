"""The `file` backend: the calls that make a change durable, each of them failing, and a writer that is killed."""

from __future__ import annotations

import errno
import os
import subprocess
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reference_backends import _documents, _files
from reference_backends.file import FileState
from tests.reference_backends.test_file import files_in, path_of, start_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return the place of a store that is not made yet."""
    return tmp_path / "state"


@pytest.fixture
def store(directory: Path) -> FileState:
    """Return an empty store."""
    return FileState(directory)


class Faults:
    """Makes one call of the operating system fail, or end the process.

    Args:
        at: Which call, counted from 1; 0 for none.
    """

    NAMES = ("fsync", "link", "replace", "unlink")

    def __init__(self, at: int) -> None:
        self.at = at
        self.calls: list[str] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand before the calls of `os` until the monkeypatch ends."""
        for name in self.NAMES:
            monkeypatch.setattr(os, name, self._faulty(name, getattr(os, name)))

    def _faulty(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) == self.at:
                raise OSError(errno.EIO, f"{name} was made to fail")
            return real(*args, **options)

        return call


def sweep(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: dict[str, int], change: Callable[[FileState], None]
) -> Iterator[tuple[FileState, bool, str]]:
    """Make the change with its first call failing, then its second, until it has no call left.

    Yields:
        The store, whether the change raised, and the name of the call that failed.
    """
    for at in count(1):
        store = FileState(tmp_path / str(at), **options)
        store.update({"k": "old", "other": 1})
        faults = Faults(at)
        raised = False
        with monkeypatch.context() as patch:
            faults.install(patch)
            try:
                change(store)
            except OSError:
                raised = True
        if len(faults.calls) < at:
            assert at > 3, "the sweep met no fault"
            return
        yield store, raised, faults.calls[at - 1]
        assert store["other"] == 1
        store["k"] = "later"
        assert FileState(tmp_path / str(at), **options)["k"] == "later"
        assert not list(tmp_path.rglob("*.tmp"))


KILLED_WRITER = """
import os, sys
from pathlib import Path
from reference_backends.file import FileState

store, at, calls = FileState(Path(sys.argv[1]), backups=1), int(sys.argv[2]), 0

def deadly(real):
    def call(*args, **options):
        global calls
        calls += 1
        if calls == at:
            os._exit(9)
        return real(*args, **options)
    return call

for name in ("fsync", "link", "replace", "unlink"):
    setattr(os, name, deadly(getattr(os, name)))
store["k"] = "new"
"""


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run such a process to its end."""
    process = start_python(code, *arguments)
    stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


class TestDurability:
    """The sequence of calls, and each of them failing."""

    def test_a_write_syncs_the_file_and_then_the_directory(
        self, store: FileState, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The sequence of docs/backends/file.md, in its order."""
        store["k"] = "old"
        faults = Faults(0)
        with monkeypatch.context() as patch:
            faults.install(patch)
            store["k"] = "new"
            put, faults.calls = faults.calls, []
            del store["k"]
        # The last unlink finds nothing: the new file has been renamed.
        assert put == ["fsync", "link", "replace", "fsync", "unlink", "unlink"]
        assert faults.calls == ["replace", "fsync", "unlink"]

    @pytest.mark.parametrize("backups", [0, 2])
    def test_a_write_that_fails_leaves_the_old_value(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backups: int
    ) -> None:
        """Whichever call fails: it raised and the old value is there, or it did not and the new one is."""
        failed = set()
        for store, raised, name in sweep(monkeypatch, tmp_path, {"backups": backups}, lambda s: s.update({"k": "new"})):
            assert store["k"] == ("old" if raised else "new")
            if raised:
                failed.add(name)
        assert failed == {"fsync", "replace"}

    def test_a_first_write_that_fails_leaves_no_key(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A key that could not be written is missing."""
        for store, raised, _ in sweep(monkeypatch, tmp_path, {}, lambda s: s.update({"new": 1})):
            assert sorted(store) == (["k", "other"] if raised else ["k", "new", "other"])

    @pytest.mark.parametrize("backups", [0, 2])
    def test_a_delete_that_fails_leaves_the_key(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backups: int
    ) -> None:
        """Whichever call fails: it raised and the key is there, or it did not and the key is gone."""

        def delete(store: FileState) -> None:
            # Two deletes, so that there are calls enough for the sweep to prove itself.
            del store["k"]
            store.pop("missing", None)
            store["k"] = "written again"

        for store, raised, _ in sweep(monkeypatch, tmp_path, {"backups": backups}, delete):
            assert store.get("k", "gone") in (("old", "gone") if raised else ("written again",))

    def test_a_delete_that_is_not_synced_is_undone(self, store: FileState, monkeypatch: pytest.MonkeyPatch) -> None:
        """A key that may come back after a power loss is not reported gone."""
        store["k"] = "old"
        with monkeypatch.context() as patch:
            Faults(2).install(patch)
            with pytest.raises(OSError, match="fsync was made to fail"):
                del store["k"]
        assert store["k"] == "old"

    def test_a_full_disk_leaves_the_old_value(
        self, store: FileState, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No space for the new file: the old value is there, and the store works when there is space again."""
        store["k"] = "old"

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(_files, "_write_new_file", full)
            with pytest.raises(OSError, match="No space"):
                store["k"] = "new"
        assert (store["k"], files_in(directory)) == ("old", ["k_k.json", "lock"])
        store["k"] = "new"
        assert store["k"] == "new"

    def test_a_file_system_without_hard_links_will_do(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The old file is copied then, and returns as well when the write fails."""

        def refuse(*_: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
        store = FileState(directory, backups=1)
        for value in ("first", "old"):
            store["k"] = value
        assert _documents.read_document(path_of(store, "k").with_suffix(".json.1")).value == "first"
        with monkeypatch.context() as patch:
            patch.setattr(_files, "sync_directory", refuse)
            with pytest.raises(PermissionError):
                store["k"] = "new"
        assert (store["k"], files_in(directory)) == ("old", ["k_k.json", "k_k.json.1", "lock"])

    def test_a_killed_writer_leaves_the_old_value_or_the_new_one(self, tmp_path: Path) -> None:
        """Killed at any call: one of the two values, no other key, and nothing left after the next open."""
        seen = set()
        for at in count(1):
            directory = tmp_path / str(at)
            store = FileState(directory, backups=1)
            store["k"] = "old"
            child = run_python(KILLED_WRITER, str(directory), str(at))
            left_over = list(directory.rglob("*.tmp"))
            assert list(store) == ["k"]
            assert len(store) == 1
            store = FileState(directory, backups=1)
            assert not list(directory.rglob("*.tmp"))
            seen.add((store["k"], bool(left_over)))
            if child.returncode == 0:
                break
            assert child.returncode == 9, child.stderr
        assert seen == {("old", True), ("new", True), ("new", False)}

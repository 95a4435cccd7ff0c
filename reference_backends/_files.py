"""The few steps that files need to keep a promise: written through to the disk, and locked between processes."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


def sync(descriptor: int) -> None:
    """Return when everything written to `descriptor` has reached the disk; raise OSError when it has not."""
    # On macOS, fsync stops at the cache of the drive.
    if sys.platform == "darwin":
        with suppress(OSError):  # file systems without this one have fsync at least
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def sync_directory(directory: Path) -> None:
    """Return when the names in `directory` have reached the disk: what was created, renamed and removed in it.

    Raises:
        OSError: They have not.
    """
    # Windows opens no directories; NTFS keeps names in its own journal.
    if sys.platform == "win32":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path) -> None:
    """Make `directory` and the parents it lacks, and return when their names have reached the disk."""
    if not directory.parent.exists():
        make_directory(directory.parent)
    directory.mkdir(exist_ok=True)
    # Also when it was there: whoever made it may have died before this line.
    sync_directory(directory.parent)


def write_new_file(path: Path, data: bytes) -> None:
    """Write `data` to a new file, and return when it has reached the disk; its name may not have.

    Raises:
        OSError: It has not, or there is such a file. What was written until then is left.
    """
    with path.open("xb") as file:
        file.write(data)
        file.flush()  # fsync knows nothing of what is still in the buffer of Python
        sync(file.fileno())


def keep_file(path: Path, under: Path) -> bool:
    """Give the file at `path` a second name, and tell whether there was one."""
    try:
        os.link(path, under)
    except FileNotFoundError:
        return False
    except OSError:
        # A file system without hard links, such as FAT.
        shutil.copyfile(path, under)
        with under.open("rb+") as copy:
            sync(copy.fileno())
    return True


class FileLock:
    """A lock between the threads of one handle, the handles of one process, and processes.

    The operating system takes it from a process that dies. It works where `flock` does: not on every network file
    system.

    Args:
        path: The file to lock. It is made when missing, stays empty, and must never be removed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.RLock()
        self._depth = 0
        self._exclusive = False

    @contextmanager
    def held(self, *, exclusive: bool) -> Iterator[None]:
        """Hold the lock for a block, which may hold it again inside.

        Args:
            exclusive: Keep everybody else out; otherwise only those who want it exclusively.
        """
        with self._threads:
            if self._depth == 0:
                # Opened each time: a descriptor that stayed open would be one with that of a forked child, and so
                # would the lock be.
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
                try:
                    _lock(descriptor, exclusive=exclusive)
                    try:
                        with self._entered(exclusive=exclusive):
                            yield
                    finally:
                        _unlock(descriptor)
                finally:
                    os.close(descriptor)
            else:
                # Two holders who both waited to have it exclusively would wait for each other for ever.
                assert self._exclusive or not exclusive, "a shared lock cannot become exclusive"
                with self._entered(exclusive=self._exclusive):
                    yield

    @contextmanager
    def _entered(self, *, exclusive: bool) -> Iterator[None]:
        self._depth += 1
        self._exclusive = exclusive
        try:
            yield
        finally:
            self._depth -= 1


if sys.platform == "win32":

    def _lock(descriptor: int, *, exclusive: bool) -> None:
        while True:
            with suppress(OSError):  # given up after ten seconds
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
                return

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _lock(descriptor: int, *, exclusive: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)

    def _unlock(descriptor: int) -> None:
        # Closing alone would leave it locked while a child that was forked meanwhile has the descriptor too.
        fcntl.flock(descriptor, fcntl.LOCK_UN)

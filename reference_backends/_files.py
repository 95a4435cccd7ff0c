"""The few steps that files need to keep a promise: written through to the disk, and locked between processes."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4
from weakref import WeakSet

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import BinaryIO

if sys.platform == "win32":  # pragma: no cover
    import msvcrt
else:
    import fcntl

_TEMPORARY = re.compile(r"[0-9a-f]{32}\.tmp")


def sync(descriptor: int) -> None:
    """Return when everything written to `descriptor` has reached the disk; raise OSError when it has not."""
    # On macOS, fsync stops at the cache of the drive.
    if sys.platform == "darwin":  # pragma: no cover
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError as error:
            # Nothing else may end in an fsync: it can report success for what a failed sync has already dropped.
            if error.errno not in (errno.ENOTSUP, errno.ENOTTY, errno.EINVAL):
                raise
        else:
            return
    os.fsync(descriptor)


def sync_directory(directory: Path) -> None:
    """Return when the names in `directory` have reached the disk: what was created, renamed and removed in it.

    Raises:
        OSError: They have not.
    """
    # Windows opens no directories; NTFS keeps names in its own journal.
    if sys.platform == "win32":  # pragma: no cover
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


def replace_file(path: Path, data: bytes, *, backups: int) -> None:
    """Make `data` the content of the file at `path`, and return when that has reached the disk.

    Everybody finds the old file or the new one there at any time, whole, and so does who comes after a power loss.

    Args:
        path: The file, which need not exist. Nobody else may change files of that name meanwhile.
        data: All of the new content.
        backups: How many older contents to keep as `path.1` (the newest), `path.2`, ...

    Raises:
        OSError: It has not. The old file is there as before.
    """
    new, old = _temporary(path), _temporary(path)
    try:
        _write_new_file(new, data)
        existed = _keep_file(path, old)
        try:
            os.replace(new, path)
            sync_directory(path.parent)
        except BaseException:
            # It may not have reached the disk, so that it must not be seen either. The old file has: it returns under
            # its name by one more rename, with nothing to write that could fail as well.
            if existed:
                os.replace(old, path)
            else:
                path.unlink(missing_ok=True)
            raise
        if existed:
            _keep_backup(old, path, backups)
    finally:
        _discard(new)
        _discard(old)


def remove_file(path: Path, *, backups: int) -> None:
    """Remove the file at `path`, and return when that has reached the disk.

    Args:
        path: The file. Nobody else may change files of that name meanwhile.
        backups: As for `replace_file`; what is removed becomes the newest backup.

    Raises:
        OSError: It has not. The file is there as before, if it ever was.
    """
    old = _temporary(path)
    os.replace(path, old)
    try:
        sync_directory(path.parent)
    except BaseException:
        os.replace(old, path)  # after a power loss it may be there, so that it must not be gone now
        raise
    _keep_backup(old, path, backups)
    _discard(old)


def remove_leftovers(directory: Path) -> None:
    """Remove the temporary files that `replace_file` and `remove_file` left when their process was killed.

    Nobody may be inside one of them: call this with the lock that they are called with.
    """
    for name in os.listdir(directory):
        if _TEMPORARY.fullmatch(name):
            (directory / name).unlink()


def _temporary(path: Path) -> Path:
    return path.with_name(f"{uuid4().hex}.tmp")  # in the same directory, because a rename does not leave a file system


def _write_new_file(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()  # fsync knows nothing of what is still in the buffer of Python
        sync(file.fileno())


def _keep_file(path: Path, second: Path) -> bool:
    """Give the file at `path` a second name, and tell whether there was a file."""
    try:
        os.link(path, second)
    except FileNotFoundError:
        return False
    except OSError:
        # A file system without hard links, such as FAT; it may say so before it looks for the file.
        if not path.exists():
            return False
        shutil.copyfile(path, second)
        with second.open("rb+") as copy:
            sync(copy.fileno())
    return True


def _keep_backup(old: Path, path: Path, backups: int) -> None:
    # The change has been made, and must not be reported as failed because a backup could not be kept. Nor is it synced:
    # the next change of the directory takes it along.
    with suppress(OSError):
        for number in range(backups, 1, -1):
            newer = path.with_name(f"{path.name}.{number - 1}")
            if newer.exists():
                os.replace(newer, path.with_name(f"{path.name}.{number}"))
        if backups > 0:
            os.replace(old, path.with_name(f"{path.name}.1"))


def _discard(path: Path) -> None:
    with suppress(OSError):  # if it is not removed now, it is a leftover
        path.unlink()


class FileLock:
    """A lock between the threads of one handle, the handles of one process, and processes.

    The operating system takes it from a process that dies. It works where `flock` does: not on every network file
    system.

    The file stays open from the first block until `close`: opening it for each block would cost as much as all else.

    Args:
        path: The file to lock. It is made when missing, stays empty, and must never be removed.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO | None = None
        self._path = os.fspath(path)
        self._threads = threading.RLock()
        self._held: list[bool] = []  # for each block, the outermost first, whether it wants the lock exclusively
        _LOCKS.add(self)

    def held(self, *, exclusive: bool) -> AbstractContextManager[None]:
        """Hold the lock for a block, which may hold it again inside.

        Args:
            exclusive: Keep everybody else out; otherwise only those who want it exclusively. The threads of a handle
                always wait for one another.
        """
        return _Held(self, exclusive=exclusive)

    def take(self, *, exclusive: bool) -> None:
        """Begin a block."""
        self._threads.acquire()
        try:
            if self._held:
                # Two holders that both wait to have it exclusively would wait for each other for ever.
                assert self._held[0] or not exclusive, "a shared lock cannot become exclusive"
            else:
                if self._file is None:
                    self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115 - it stays open
                _lock(self._file.fileno(), exclusive=exclusive)
            self._held.append(exclusive)
        except BaseException:
            self._threads.release()
            raise

    def give_back(self) -> None:
        """End a block."""
        try:
            self._held.pop()
            if not self._held and self._file is not None:
                _unlock(self._file.fileno())
        finally:
            self._threads.release()

    def close(self) -> None:
        """Close the file, when no thread is in a block; the next block opens it again."""
        with self._threads:
            self.leave()

    def leave(self) -> None:
        """Close the file at once, as in a child that was forked."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    __del__ = leave


class _Held:
    """A block that holds a lock; no generator, whose frames cost an append a twentieth of its time."""

    __slots__ = ("_exclusive", "_lock")

    def __init__(self, lock: FileLock, *, exclusive: bool) -> None:
        self._lock, self._exclusive = lock, exclusive

    def __enter__(self) -> None:
        self._lock.take(exclusive=self._exclusive)

    def __exit__(self, *_: object) -> None:
        self._lock.give_back()


#: All that there are. A forked child shares the open files of its parent, and with them what is locked, which would
#: then stay locked when the parent dies.
_LOCKS: WeakSet[FileLock] = WeakSet()


def _leave_all() -> None:
    for lock in _LOCKS:
        lock.leave()


if hasattr(os, "register_at_fork"):  # not where nothing forks
    os.register_at_fork(after_in_child=_leave_all)


if sys.platform == "win32":  # pragma: no cover

    def _lock(descriptor: int, *, exclusive: bool) -> None:  # noqa: ARG001 (Windows has only exclusive ones here)
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            except OSError as error:
                if error.errno != errno.EDEADLK:  # which it says after ten seconds of waiting
                    raise
            else:
                return

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _lock(descriptor: int, *, exclusive: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)

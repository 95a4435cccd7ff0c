"""Each change of files: carried out for real, and logged if it succeeded, with a fault put on it where one is due.

A recorder that only watches calls begin has to guess whether they will succeed, and in which order those of two threads
take effect. So the calls are not watched but made, here, one at a time, for the program that asked for them: errors,
partial writes and the order are what the kernel says, and the data logged is the data written.

Syncs are not carried out: nothing here has to survive a power loss, and on a disk one costs a millisecond.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable

from conformance.crash.recorder import syscalls as sc
from conformance.crash.recorder.faults import Faults
from conformance.crash.recorder.ledger import Ledger, Place
from conformance.crash.recorder.maps import Maps
from conformance.crash.trace import Link, Mark, Remove, Rename, Sync, SyncAll, Truncate, Write


class Actions:
    """The files below one directory, changed only through here.

    All methods raise OSError as the call they stand for does, or because the fault says so.

    Args:
        ledger: What is done is logged there.
        faults: Asked before anything is done.
    """

    def __init__(self, ledger: Ledger, faults: Faults) -> None:
        self.ledger = ledger
        self.faults = faults
        self.maps = Maps(ledger)

    def mark(self, text: str) -> None:
        """Log a word of the program."""
        self.maps.look()
        self.faults.mark(text)
        self.ledger.log(Mark(text))

    def open(self, place: Place, flags: int, mode: int) -> int:
        """Open a file, and return its descriptor."""
        ledger = self.ledger
        node = place.node
        filled = node is not None and node in ledger.volume.contents and bool(ledger.content(node))
        kinds = ["open"]
        if flags & os.O_CREAT and node is None and not os.path.lexists(place.path):
            kinds.append("create")
        if flags & os.O_TRUNC and filled:
            kinds.append("truncate")
        self.faults.meet(kinds)
        if flags & os.O_TRUNC and node is not None:
            self.maps.look(node)
        descriptor = os.open(place.path, flags, mode)
        found = os.fstat(descriptor)
        if node is None and flags & os.O_CREAT and stat.S_ISREG(found.st_mode):
            node = ledger.create(place.directory, place.name, found)
        elif node is not None and flags & os.O_TRUNC and filled and not found.st_size:
            ledger.log(Truncate(node, 0))
        return descriptor

    def write(self, node: int, descriptor: int, data: bytes, offset: int | None = None, flags: int = 0) -> int:
        """Write to a file, and return how many bytes were written.

        Args:
            node: What `descriptor` has open.
            descriptor: Of the open file description that the program writes to.
            data: All of it.
            offset: None for where the description is, which then moves.
            flags: Those of pwritev2(2).
        """
        if self.faults.meet(("write",), length=len(data)):
            data = data[: len(data) // 2]
        self.maps.look(node)
        modes = status_flags(descriptor)
        if modes & os.O_APPEND or flags & sc.RWF_APPEND:
            start = os.fstat(descriptor).st_size
        else:
            start = os.lseek(descriptor, 0, os.SEEK_CUR) if offset is None else offset
        if flags:
            count = os.pwritev(descriptor, [data], -1 if offset is None else offset, flags)
        elif offset is None:
            count = os.write(descriptor, data)
        else:
            count = os.pwrite(descriptor, data, offset)
        if count:
            self.ledger.log(Write(node, start, data[:count]))
        self._sync_if_asked(node, modes, flags)
        return count

    def foresee_write(self, node: int, descriptor: int, data: bytes) -> None:
        """Log a write that the kernel is about to carry out: all of it, at the place where the description is.

        This is for where we can't have the program's open file description, so that we could not move its place. A
        write to an open file fails only when the disk is full. It can't be made short, and is not counted for that.

        Args:
            node: What `descriptor` has open.
            descriptor: Of a description of our own, with the same flags and place.
            data: All of it.
        """
        self.faults.meet(("write",))
        self.ledger.miss("whether write(2) succeeds, and in which order threads do so, since pidfd_getfd is denied")
        self.maps.look(node)
        if data:
            self.ledger.log(Write(node, os.lseek(descriptor, 0, os.SEEK_CUR), data))
            self._sync_if_asked(node, status_flags(descriptor), 0)

    def _sync_if_asked(self, node: int, modes: int, flags: int) -> None:
        # O_SYNC contains the bit of O_DSYNC.
        if modes & os.O_DSYNC or flags & (sc.RWF_DSYNC | sc.RWF_SYNC):
            self.ledger.log(Sync(node))

    def resize(self, node: int, size: int, call: Callable[[], object]) -> None:
        """Change the size of a file with `call`, which is ftruncate(2) or truncate(2)."""
        self.faults.meet(("truncate",))
        self.maps.look(node)
        call()
        if size != len(self.ledger.content(node)):
            self.ledger.log(Truncate(node, size))

    def allocate(self, node: int, mode: int, start: int, length: int, call: Callable[[], object]) -> None:
        """Allocate or free a part of a file with `call`, which is fallocate(2)."""
        self.faults.meet(("truncate",))
        self.maps.look(node)
        call()
        size = len(self.ledger.content(node))
        if mode & (sc.FALLOC_FL_COLLAPSE_RANGE | sc.FALLOC_FL_INSERT_RANGE):
            self.ledger.miss("how fallocate moved data within a file")
            return
        if not mode & sc.FALLOC_FL_KEEP_SIZE and start + length > size:
            self.ledger.log(Truncate(node, start + length))
        if mode & (sc.FALLOC_FL_PUNCH_HOLE | sc.FALLOC_FL_ZERO_RANGE) and start < size:
            self.ledger.log(Write(node, start, bytes(min(length, size - start))))

    def sync(self, nodes: Iterable[int]) -> None:
        """Note that files or directories are synced."""
        self.maps.look()
        try:
            self.faults.meet(("sync",))
        except OSError:
            for node in nodes:
                self.ledger.log(Sync(node, failed=True))
            raise
        for node in nodes:
            self.ledger.log(Sync(node))

    def sync_all(self) -> None:
        """Note that everything is synced."""
        self.maps.look()
        try:
            self.faults.meet(("sync",))
        except OSError:
            for node in sorted(self.ledger.volume.contents):
                self.ledger.log(Sync(node, failed=True))
            raise
        self.ledger.log(SyncAll())

    def make_directory(self, place: Place, mode: int) -> None:
        """Make a directory."""
        if not os.path.lexists(place.path):
            self.faults.meet(("create",))
        os.mkdir(place.path, mode)
        self.ledger.create(place.directory, place.name, os.lstat(place.path))

    def make_file(self, place: Place, mode: int) -> None:
        """Make an empty file by mknod(2)."""
        if not os.path.lexists(place.path):
            self.faults.meet(("create",))
        os.mknod(place.path, mode)
        self.ledger.create(place.directory, place.name, os.lstat(place.path))

    def make_symlink(self, place: Place) -> None:
        """Get ready for a symbolic link, which is not recorded."""
        if not os.path.lexists(place.path):
            self.faults.meet(("create",))
        self.ledger.miss("symbolic links and special files")

    def remove(self, place: Place, call: Callable[[str], object]) -> None:
        """Take a name away with `call`, which is unlink(2) or rmdir(2)."""
        self.faults.meet(("unlink",))
        call(place.path)
        if place.node is not None:
            self.ledger.log(Remove(place.directory, place.name))

    def link(self, path: str, node: int | None, to: Place, call: Callable[[str, str], object]) -> None:
        """Give one more name to a file.

        Args:
            path: The file.
            node: Its node; None for one from outside.
            to: The new name.
            call: What does it.
        """
        if not os.path.lexists(to.path):
            self.faults.meet(("create",))
        call(path, to.path)
        if node is not None:
            self.ledger.log(Link(to.directory, to.name, node))
        else:
            self._came_from_outside(to)

    def rename(self, old: Place | None, new: Place | None, call: Callable[[], object]) -> None:
        """Move a name, by whichever form of the call.

        Args:
            old: The old name; None outside the root.
            new: The new name; None outside the root.
            call: What to do.
        """
        self.faults.meet(("rename",))
        # Of two names of one file none is moved, and the call succeeds; see rename(2).
        same = old is not None and new is not None and old.node is not None and old.node == new.node
        call()
        if same:
            return
        if old is not None and old.node is not None and new is not None:
            self.ledger.log(Rename(old.directory, old.name, new.directory, new.name))
        elif old is not None and old.node is not None:
            self.ledger.log(Remove(old.directory, old.name))
        elif new is not None:
            if new.node is not None:
                self.ledger.log(Remove(new.directory, new.name))
            if old is None:
                self._came_from_outside(new)

    def exchange(self, first: Place, second: Place, call: Callable[[], object]) -> None:
        """Exchange what two names stand for with `call`, which is renameat2(2) with RENAME_EXCHANGE."""
        self.faults.meet(("rename",))
        call()
        if first.node is None or second.node is None:
            self.ledger.miss("symbolic links and special files")
        elif first.node != second.node:
            # No operation of a trace exchanges names in one step, so a crash between these two is a false state.
            self.ledger.miss("that RENAME_EXCHANGE is one step, not two")
            self.ledger.log(Link(first.directory, first.name, second.node))
            self.ledger.log(Link(second.directory, second.name, first.node))

    def _came_from_outside(self, place: Place) -> None:
        self.ledger.miss("what happened to files before they came into the directory from outside")
        self.ledger.adopt(place.path.rstrip("/"), place.directory, place.name)


def status_flags(descriptor: int) -> int:
    """Return the flags of an open file description, such as O_APPEND."""
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_GETFL)

"""One system call that waits: its arguments read, and what may be answered."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from conformance.crash.recorder import process
from conformance.crash.recorder import syscalls as sc
from conformance.crash.recorder.actions import Actions
from conformance.crash.recorder.ledger import Ledger, Place
from conformance.crash.recorder.process import Borrowed, Creator, Processes


@dataclass(frozen=True)
class Opened:
    """The call returns a new descriptor, a copy of ours, which is then to be closed here."""

    descriptor: int
    flags: int


#: The value that a call returns; None to have the kernel carry it out.
Answer = int | Opened | None


@dataclass(frozen=True)
class Call:
    """One system call of one thread.

    Args:
        name: In the table of its architecture.
        tid: The thread.
        arguments: All six, unsigned.
        actions: What carries it out.
        processes: Where its thread is looked into.
    """

    name: str
    tid: int
    arguments: tuple[int, ...]
    actions: Actions
    processes: Processes

    @property
    def ledger(self) -> Ledger:
        """What has been seen so far."""
        return self.actions.ledger

    def int32(self, index: int) -> int:
        """Return an argument that is an int of C."""
        low = self.arguments[index] & 0xFFFFFFFF
        return low - (1 << 32) if low >> 31 else low

    def int64(self, index: int) -> int:
        """Return an argument that is an off_t."""
        return signed(self.arguments[index])

    def node(self, descriptor: int) -> int | None:
        """Return the node that a descriptor has open; None if it is none of ours."""
        found = self.processes.status_of(self.tid, descriptor)
        return None if found is None else self.ledger.node_of(found)

    def file(self, descriptor: int) -> int | None:
        """Return the node that a descriptor has open, if it is a file."""
        node = self.node(descriptor)
        return node if node in self.ledger.volume.contents else None

    def memory(self, address: int, length: int) -> bytes:
        """Return what is in memory.

        Raises:
            OSError: EFAULT if nothing is, as the call itself would say.
        """
        found = process.read_memory(self.tid, address, length)
        if length and not found:
            raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
        return found

    def path(self, directory: int | None, index: int) -> str:
        """Return a path that is an argument, made absolute.

        Args:
            directory: The argument that has the directory's descriptor, None where the call has no such argument.
            index: The argument.
        """
        base = sc.AT_FDCWD if directory is None else self.int32(directory)
        return process.read_path(self.tid, base, self.arguments[index])

    def place(self, directory: int | None, index: int, *, follow: bool = False) -> Place | None:
        """Return the place that a path stands for, None if it is not below the root."""
        return self.ledger.find(self.path(directory, index), follow=follow)

    @contextmanager
    def borrowed(self, descriptor: int) -> Iterator[Borrowed]:
        """Give a descriptor of ours for a file that one of theirs stands for."""
        ours = self.processes.borrow(self.tid, descriptor)
        try:
            yield ours
        finally:
            os.close(ours.descriptor)

    @contextmanager
    def as_creator(self) -> Iterator[Creator]:
        """Create files with the permissions that the thread would create them with; gives what else it would."""
        creator = process.creator_of(self.tid)
        mask = os.umask(creator.mask)
        try:
            yield creator
        finally:
            os.umask(mask)


def signed(value: int) -> int:
    """Return an unsigned number of 64 bits as the signed one with the same bits."""
    return value - (1 << 64) if value >> 63 else value

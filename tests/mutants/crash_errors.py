"""Journals that are wrong about errors of the disk; each with a state and a log."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from tests.mutants.crash_base import Journal
from tests.mutants.crash_log_base import broken_journal
from tests.mutants.crash_marks import marked


@broken_journal("A failed sync is taken for a sync.", state="51", log="51")
class FsyncErrorIgnored(Journal):
    def sync(self) -> None:
        with suppress(OSError):
            super().sync()


@broken_journal(
    "A failed sync is tried once more; the second has nothing to write, and succeeds.", state="51", log="51"
)
class FailedSyncRepeated(Journal):
    def sync(self) -> None:
        try:
            super().sync()
        except OSError:
            super().sync()


@broken_journal(
    "A record that could not be synced stays in the file, and the next one, written behind it, is acknowledged.",
    state="51",
    log="51",
)
class FailedRecordKept(Journal):
    page = 4_096

    def frame(self, payload: bytes) -> bytes:
        # Pages of its own for each record: another one in the same page would take the failed one along.
        return super().frame(payload.ljust(-(-(len(payload) + 8) // self.page) * self.page - 8))

    def append(self, payload: bytes) -> None:
        os.lseek(self.descriptor, self.end, os.SEEK_SET)
        self.write(self.frame(payload))
        self.end += len(self.frame(payload))
        self.sync()


@broken_journal("An I/O error of a write is ignored.", state="52", log="52")
class WriteErrorIgnored(Journal):
    def write(self, data: bytes) -> None:
        try:
            super().write(data)
        except OSError as error:
            if error.errno != errno.EIO:
                raise


@broken_journal("A full disk is ignored: there may be room for the next record.", state="53 57", log="53 57")
class FullDiskIgnored(Journal):
    def write(self, data: bytes) -> None:
        try:
            super().write(data)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


@broken_journal("How much a write has written is not looked at.", state="54", log="54")
class ShortWriteAcknowledged(Journal):
    def write(self, data: bytes) -> None:
        os.write(self.descriptor, data)


@broken_journal("A file that can't be opened is taken for an empty one.", state="56", log="56")
class UnopenedIsEmpty(Journal):
    def read_all(self) -> bytes:
        try:
            data = self.path.read_bytes()
        except OSError:
            data = b""
        if not data:
            os.ftruncate(self.descriptor, 0)
        return data


@broken_journal(
    "A file that may not be written to is opened for reading, and writes are kept in memory.", state="58", log="58"
)
class ReadOnlyIgnored(Journal):
    read_only = False

    def open_file(self) -> int:
        try:
            return super().open_file()
        except PermissionError:
            self.read_only = True
            return os.open(self.path, os.O_RDONLY)

    def append(self, payload: bytes) -> None:
        if not self.read_only:
            super().append(payload)


MUTANTS = marked(globals())

"""Journals in two files, wrong in the step from one to the other: closing merges them, opening finishes that."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from reference_backends._files import sync_directory
from tests.mutants.crash_base import Journal, write_all
from tests.mutants.crash_log_base import broken_journal
from tests.mutants.crash_marks import marked


class TwoFileJournal(Journal):
    """Honest: records go to a journal, and closing moves them to a file of their own that is replaced as a whole.

    A crash between the two steps leaves records in both files. Whoever reads them must not mind meeting them again.
    """

    def __init__(self, path: Path) -> None:
        self.merged = path.with_suffix(".merged")
        super().__init__(path)

    def recover(self) -> list[bytes]:
        """Return the merged records, then those of the journal."""
        old = self.parse(self.merged.read_bytes())[0] if self.merged.exists() else []
        self.records = [*old, *super().recover()]
        return list(self.records)

    def append(self, payload: bytes) -> None:
        """Add a record to the journal."""
        super().append(payload)
        self.records.append(payload)

    def rewrite(self, payload: bytes) -> None:
        """Replace all records by one."""
        self.merge([payload])
        self.records = [payload]

    def merge(self, records: list[bytes]) -> None:
        """Put all records into one file, then empty the journal."""
        self.replace_merged(b"".join(self.frame(record) for record in records))
        self.empty_journal()

    def replace_merged(self, data: bytes) -> None:
        """Write the file of merged records anew, and return when it is on the disk under its name."""
        fresh = self.merged.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            write_all(descriptor, data)
            self.sync_merged(descriptor)
        finally:
            os.close(descriptor)
        os.replace(fresh, self.merged)
        sync_directory(self.merged.parent)

    def sync_merged(self, descriptor: int) -> None:
        """Return when the file of merged records is on the disk."""
        os.fsync(descriptor)

    def empty_journal(self) -> None:
        """Remove all records from the journal."""
        os.ftruncate(self.descriptor, 0)
        self.sync()
        self.end, self.dirty = 0, False

    def close(self) -> None:
        """Merge, and close the file; what can't be merged now stays where it is."""
        if self.descriptor >= 0 and self.end:
            with suppress(OSError):
                self.merge(self.records)
        super().close()


@broken_journal("Closing empties the journal first, and merges its records then.", state="06", log="05")
class CloseEmptiesFirst(TwoFileJournal):
    def merge(self, records: list[bytes]) -> None:
        self.empty_journal()
        self.replace_merged(b"".join(self.frame(record) for record in records))


@broken_journal(
    "The journal is emptied before the merged records are synced, so later records stand there without them.",
    state="15 16",
    log="14 15",
)
class MergeUnsynced(TwoFileJournal):
    def sync_merged(self, descriptor: int) -> None:
        pass


@broken_journal(
    "An error while merging is ignored, and the journal is emptied all the same.",
    state="55",
    log="55",
)
class MergeErrorIgnored(TwoFileJournal):
    def replace_merged(self, data: bytes) -> None:
        with suppress(OSError):
            super().replace_merged(data)


@broken_journal(
    "Recovery moves the journal away before its records are merged, and does not look for it there again.",
    state="33",
    log="33",
)
class RecoveryMovesTheJournal(TwoFileJournal):
    def recover(self) -> list[bytes]:
        records = super().recover()
        if self.end:
            moved = self.path.with_suffix(".moved")
            os.replace(self.path, moved)
            os.close(self.descriptor)
            self.descriptor = self.open_file()
            self.merge(records)
            moved.unlink()
        return records


MUTANTS = marked(globals())

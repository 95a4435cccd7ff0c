"""Run, job and layered stores over states that crash badly: each bug of a state is one of all that is kept in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from reference_backends._files import sync_directory
from tests.mutants.crash_base import Changes, Journal, JournalState
from tests.mutants.crash_errors import FsyncErrorIgnored, FullDiskIgnored, WriteErrorIgnored
from tests.mutants.crash_files import (
    AtomicFiles,
    Document,
    NoDirFsync,
    NoFsyncBeforeRename,
    TruncateInPlace,
    write_synced,
)
from tests.mutants.crash_journals import MarkLeftOutside
from tests.mutants.crash_merges import RecoveryMovesTheJournal
from tests.mutants.records_crash_base import records_mutant


class OneFileInPlace(Document):
    """All records are in one file, which is cut to nothing and written anew."""

    def save(self, texts: dict[str, str]) -> None:
        """Write over the file."""
        write_synced(self.path, json.dumps(texts).encode())
        sync_directory(self.path.parent)


class RewrittenOnClose(Document):
    """Closing writes the only file once more, in place."""

    def close(self) -> None:
        """Write the file in order."""
        if not self.closed:
            write_synced(self.path, json.dumps(dict(sorted(self.kept.items()))).encode())
        super().close()


class SaveErrorsIgnored(AtomicFiles):
    """Saving is "best effort": an error is nothing to stop an agent for."""

    def write(self, changes: Changes) -> None:
        """Replace files, or not."""
        with suppress(OSError):
            super().write(changes)


def _on(journal: type[Journal]) -> Callable[[Path], JournalState]:
    return lambda path: JournalState(journal(path))


MUTANTS = [
    records_mutant(
        "records_rewritten_in_place",
        "The file of a record is opened for writing, which cuts it to nothing, and written anew.",
        TruncateInPlace,
        {"runs": "01 02 06 53", "jobs": "01 02 03 06 53", "layers": "01 53"},
    ),
    records_mutant(
        "records_in_one_file_in_place",
        "All records are in one file, which is written anew in place.",
        OneFileInPlace,
        {"runs": "01 03 06", "jobs": "01 06", "layers": "01 02"},
    ),
    records_mutant(
        "records_not_synced",
        "A new file is renamed into place without having been synced.",
        NoFsyncBeforeRename,
        {"runs": "11 12", "jobs": "11 12", "layers": "11"},
    ),
    records_mutant(
        "records_name_not_synced",
        "A file is renamed into place, and the directory is not synced.",
        NoDirFsync,
        {"runs": "21 22", "jobs": "21 22", "layers": "21"},
    ),
    records_mutant(
        "records_rewritten_on_close",
        "Closing writes the only file once more, in place.",
        RewrittenOnClose,
        {"runs": "06", "jobs": "06"},
    ),
    records_mutant(
        "records_moved_by_the_recovery",
        "Recovery moves the journal away before its records are merged, and does not look for it there again.",
        _on(RecoveryMovesTheJournal),
        {"runs": "33", "jobs": "33", "layers": "33"},
    ),
    records_mutant(
        "records_marked_outside",
        "The mark of who uses the store lies beside its directory; a killed process leaves it, and nobody gets in.",
        _on(MarkLeftOutside),
        {"runs": "41", "jobs": "41", "layers": "41"},
    ),
    records_mutant(
        "records_sync_error_ignored", "A failed sync is taken for a sync.", _on(FsyncErrorIgnored), {"runs": "51"}
    ),
    records_mutant(
        "records_write_error_ignored",
        "An I/O error of a write is ignored.",
        _on(WriteErrorIgnored),
        {"runs": "52", "jobs": "52"},
    ),
    records_mutant(
        "records_full_disk_ignored",
        "A full disk is ignored: there may be room for the next record.",
        _on(FullDiskIgnored),
        {"runs": "53", "jobs": "53", "layers": "53"},
    ),
    records_mutant(
        "records_save_errors_ignored",
        "What can't be saved is not saved, and nobody is told.",
        SaveErrorsIgnored,
        {"runs": "52 53", "jobs": "52 53", "layers": "53"},
    ),
]

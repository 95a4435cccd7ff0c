"""What the `log` contract should withstand beyond the usual: weaker disks, and a crash before anything was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import is_created_whole, keeps_all_on_any_disk

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-REOPEN-01")


@check(
    "LOG-CRASH-31",
    sources="ALICE, OSDI 2014; SQLite test6.c; POSIX fsync()",
    level="should",
    promise="durability:power-loss",
    needs=(*_NEEDS, "LOG-CRASH-11", "LOG-CRASH-21"),
)
def test_power_loss_on_any_disk_takes_no_event(trial: Trial) -> None:
    """Nothing is lost or torn by power loss on a disk that writes unsynced data in any order and tears it anywhere.

    Why: ext4 and XFS write appended data in order, so a log without checksums seems to be safe on them. On a network
    disk, or in a preallocated file, a hole of zeros in the last record reads as an event.

    Breaks it:

        self._file.write(struct.pack("!I", len(data)) + data)  # no checksum
    """
    keeps_all_on_any_disk(trial, ("appends", "closing and reopening"))


@check(
    "LOG-CRASH-32",
    sources="LOG-25; RocksDB crash tests",
    level="should",
    promise="durability:process-crash",
    needs=_NEEDS,
)
def test_a_crash_in_the_creation_leaves_a_usable_log(trial: Trial) -> None:
    """After a crash before the first acknowledged append the log opens, is empty or has that event, and works.

    Why: nothing is lost yet; but a log that refuses a half-made file needs a person who deletes it.

    Breaks it:

        if not path.exists():
            path.touch()                               # killed here
            self._write_header()
        elif self._read_header() is None:
            raise CorruptError(path)
    """
    is_created_whole(trial, "appends")

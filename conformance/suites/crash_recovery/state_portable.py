"""What the `state` contract should withstand beyond the usual: weaker disks, and a crash before anything was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import is_created_whole, keeps_all_on_any_disk

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("STATE-BASIC-01", "STATE-REOPEN-01")


@check(
    "STATE-CRASH-31",
    sources="ALICE, OSDI 2014; SQLite test6.c; POSIX fsync()",
    level="should",
    promise="durability:power-loss",
    needs=(*_NEEDS, "STATE-CRASH-11", "STATE-CRASH-21"),
)
def test_power_loss_on_any_disk_takes_nothing(trial: Trial) -> None:
    """Nothing is lost or torn by power loss on a disk that writes unsynced data in any order and tears it anywhere.

    Why: ext4 and XFS write appended data in order. Network disks, FAT, writeback mounts and preallocated files do not;
    a store that leans on the order is not portable.

    Breaks it:

        os.write(self._log, record)                    # without a checksum: a hole of zeros reads as a record
    """
    keeps_all_on_any_disk(trial, ("puts and deletes", "overwrites growing and shrinking"))


@check(
    "STATE-CRASH-32",
    sources="RocksDB crash tests; LOG-25",
    level="should",
    promise="durability:process-crash",
    needs=_NEEDS,
)
def test_a_crash_in_the_creation_leaves_a_usable_place(trial: Trial) -> None:
    """After a crash before the first acknowledged write the store opens, is empty or has that write, and works.

    Why: nothing is lost yet, so it is no loss of data; but a store that can't be created again where its creation was
    interrupted needs a person who deletes the half-made files.

    Breaks it:

        header = self._file.read(16)
        if self._path.exists() and len(header) < 16:   # killed right after the file was made
            raise CorruptError("the header is too short")
    """
    is_created_whole(trial, "puts and deletes")

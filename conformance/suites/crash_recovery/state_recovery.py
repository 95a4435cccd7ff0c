"""A crash during the recovery from a crash, and real kills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import (
    recovers_from_a_crash_of_the_recovery,
    survives_real_kills_at_calls,
    survives_real_kills_at_moments,
)

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("STATE-BASIC-01", "STATE-REOPEN-01", "STATE-CRASH-01")
_PROMISE = "durability:process-crash"


@check("STATE-CRASH-33", sources="KV-45; RocksDB CrashDuringRecovery; LOG-37, LOG-38", promise=_PROMISE, needs=_NEEDS)
def test_a_crash_of_the_recovery_takes_nothing(trial: Trial) -> None:
    """When the machine crashes again while the store recovers, the next recovery still finds what was acknowledged.

    Why: what made the machine crash is often still there. A recovery that moves data before it has a second copy is
    itself the loss.

    Breaks it:

        records = self._read_log()
        os.replace(self._log_path, self._old_path)     # crashed here, the next recovery finds no log
        self._write_snapshot(records)
    """
    recovers_from_a_crash_of_the_recovery(trial, "closing and reopening")


@check("STATE-CRASH-41", sources="KV-40, KV-41; crash_test of RocksDB", promise=_PROMISE, needs=_NEEDS)
def test_real_kills_at_system_calls_take_nothing(trial: Trial) -> None:
    """A process that is really killed at a system call leaves every acknowledged write to the process after it.

    Why: the other checks work out what a kill leaves. This one kills, so it finds as well what the disk is no part of:
    locks that stay behind, shared memory, other processes.

    Breaks it:

        os.open(lock, os.O_CREAT | os.O_EXCL)          # a lock file that a killed process leaves for ever
    """
    survives_real_kills_at_calls(trial, "puts and deletes")


@check("STATE-CRASH-42", sources="KV-40, KV-41", promise=_PROMISE, needs=_NEEDS)
def test_real_kills_at_any_moment_take_nothing(trial: Trial) -> None:
    """A process that is really killed at some moment leaves every acknowledged write to the process after it.

    Why: a kill does not wait for a system call. Memory that is mapped into a file is written between them.

    Breaks it:

        self._map[4:12] = count.to_bytes(8, "big")     # killed here, the count is ahead of the records
        self._map[end : end + len(record)] = record
    """
    survives_real_kills_at_moments(trial, "closing and reopening")

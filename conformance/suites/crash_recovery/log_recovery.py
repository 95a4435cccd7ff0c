"""A crash during the recovery of a log, and real kills."""

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

_NEEDS = ("LOG-BASIC-01", "LOG-REOPEN-01", "LOG-CRASH-01")
_PROMISE = "durability:process-crash"


@check("LOG-CRASH-33", sources="LOG-37, LOG-38; etcd RepairFailDeleteDir", promise=_PROMISE, needs=_NEEDS)
def test_a_crash_of_the_recovery_takes_no_event(trial: Trial) -> None:
    """When the machine crashes again while the log recovers, the next recovery finds every acknowledged event.

    Why: recovery rewrites what it repairs. A repair that is cut short must be repaired as well.

    Breaks it:

        good = self._read_good_records()
        with open(self._path, "wb") as file:           # crashed here, there are no records at all
            file.writelines(good)
    """
    recovers_from_a_crash_of_the_recovery(trial, "closing and reopening")


@check("LOG-CRASH-41", sources="LOG-39; crash_test of RocksDB", promise=_PROMISE, needs=_NEEDS)
def test_real_kills_at_system_calls_take_no_event(trial: Trial) -> None:
    """A process that is really killed at a system call leaves every acknowledged event to the process after it.

    Why: the other checks work out what a kill leaves. This one kills, so it finds as well what the disk is no part of:
    locks that stay behind, shared memory, other processes.

    Breaks it:

        self._lock = os.open(lock, os.O_CREAT | os.O_EXCL)     # a killed process leaves it for ever
    """
    survives_real_kills_at_calls(trial, "appends")


@check("LOG-CRASH-42", sources="LOG-39", promise=_PROMISE, needs=_NEEDS)
def test_real_kills_at_any_moment_take_no_event(trial: Trial) -> None:
    """A process that is really killed at some moment leaves every acknowledged event to the process after it.

    Why: a kill does not wait for a system call, or for a thread that writes in the background.

    Breaks it:

        self._queue.put(record)                        # acknowledged; a thread writes it later
    """
    survives_real_kills_at_moments(trial, "closing and reopening")

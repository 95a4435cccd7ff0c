"""Job stores: a crash during the recovery from a crash, and real kills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import recovers_from_a_crash_of_the_recovery, survives_real_kills_at_calls

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("JOBS-BASIC-01", "JOBS-REOPEN-01", "JOBS-CRASH-01")
_PROMISE = "durability:process-crash"


@check("JOBS-CRASH-33", sources="KV-45; RocksDB CrashDuringRecovery", promise=_PROMISE, needs=_NEEDS)
def test_a_crash_of_the_recovery_takes_no_job(trial: Trial) -> None:
    """When the machine crashes again while a job store recovers, the next recovery still finds every job.

    Why: a job that kills its process is due again as soon as the process is back.

    Breaks it:

        os.replace(self._path, self._damaged)          # crashed here, the next recovery finds no jobs
        self._save(salvaged)
    """
    recovers_from_a_crash_of_the_recovery(trial, "closing and reopening")


@check("JOBS-CRASH-41", sources="JOB-20; KV-40, KV-41", promise=_PROMISE, needs=_NEEDS)
def test_real_kills_take_no_job(trial: Trial) -> None:
    """A process that is really killed at a system call leaves every acknowledged job to the process after it.

    Why: this one works nothing out, it kills. So it finds as well what the disk is no part of: locks that stay behind,
    shared memory, other processes.

    Breaks it:

        os.open(lock, os.O_CREAT | os.O_EXCL)          # a lock file that a killed scheduler leaves for ever
    """
    survives_real_kills_at_calls(trial, "closing and reopening")

"""Errors of the disk and the `jobs` contract: each call of a class fails once, and from then on, at every place."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.faults import survives_errors

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("JOBS-BASIC-01", "JOBS-REOPEN-01")
_PROMISE = "durability:process-crash"
_WORKLOAD = "closing and reopening"


@check(
    "JOBS-CRASH-52",
    sources="KV-51; CORDS, FAST 2017; mutant records_save_errors_ignored",
    promise=_PROMISE,
    needs=_NEEDS,
)
def test_a_job_whose_write_failed_is_never_acknowledged(trial: Trial) -> None:
    """When a write to the disk fails, the save raises or has its effect all the same, and the old jobs stay readable.

    Why: a scheduler that believes that a run is recorded runs on; the next one runs the job again.

    Breaks it:

        except OSError:
            logger.warning("could not save the job")   # and returns as if it had
    """
    survives_errors(trial, _WORKLOAD, "write", errno.EIO)


@check(
    "JOBS-CRASH-53",
    sources="KV-50; mutants records_rewritten_in_place, records_full_disk_ignored",
    promise=_PROMISE,
    needs=_NEEDS,
)
def test_a_full_disk_takes_no_job(trial: Trial) -> None:
    """When the disk is full, saves raise and the old jobs stay; when there is room again, the store works.

    Why: the schedule is small, and is lost with the large file that filled the disk.

    Breaks it:

        with open(self._path, "w") as file:            # the old schedule is gone
            json.dump(jobs, file)                      # no space left on device
    """
    survives_errors(trial, _WORKLOAD, "write", errno.ENOSPC)

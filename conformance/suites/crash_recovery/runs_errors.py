"""Errors of the disk and the `runs` contract: each call of a class fails once, and from then on, at every place."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.faults import survives_errors

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("RUNS-BASIC-01", "RUNS-REOPEN-01")
_PROMISE = "durability:process-crash"
_WORKLOAD = "closing and reopening"


@check(
    "RUNS-CRASH-51",
    sources="KV-51; Rebello et al., USENIX ATC 2020; mutant records_sync_error_ignored",
    promise="durability:power-loss",
    capability="failed-sync",
    needs=(*_NEEDS, "RUNS-CRASH-11", "RUNS-CRASH-21"),
)
def test_a_run_whose_sync_failed_is_never_acknowledged(trial: Trial) -> None:
    """After a failed sync no save of a run is acknowledged that power loss would take, at once or after a retry.

    Why: the system marks what it could not write clean all the same. The next sync succeeds, and the run is on no disk.

    Breaks it:

        with suppress(OSError):                        # "some file systems have no fsync"
            os.fsync(file.fileno())
    """
    survives_errors(trial, _WORKLOAD, "sync", errno.EIO)


@check(
    "RUNS-CRASH-52",
    sources="KV-51; CORDS, FAST 2017; mutant records_save_errors_ignored",
    promise=_PROMISE,
    needs=_NEEDS,
)
def test_a_run_whose_write_failed_is_never_acknowledged(trial: Trial) -> None:
    """When a write to the disk fails, the save raises or has its effect all the same, and the old runs stay readable.

    Why: persistence is often "best effort": the error is logged, and the agent works on for hours that nobody keeps.

    Breaks it:

        except OSError:
            logger.warning("could not save the run")   # and returns as if it had
    """
    survives_errors(trial, _WORKLOAD, "write", errno.EIO)


@check(
    "RUNS-CRASH-53",
    sources="KV-50; mutants records_rewritten_in_place, records_full_disk_ignored",
    promise=_PROMISE,
    needs=_NEEDS,
)
def test_a_full_disk_takes_no_run(trial: Trial) -> None:
    """When the disk is full, saves raise and the old runs stay; when there is room again, the store works.

    Why: runs are what fills the disk. A store that cuts the old record before it writes the new one has neither then.

    Breaks it:

        with open(path, "w") as file:                  # the old record is gone
            json.dump(run, file)                       # no space left on device
    """
    survives_errors(trial, _WORKLOAD, "write", errno.ENOSPC)

"""Processes that open one log at once, or are killed while they use it; handles in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import require
from conformance.suites.concurrency.opening import OPENERS

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-POSITION-01", "LOG-READ-01", "LOG-REOPEN-02")
_PROMISE = "sharing:processes"


@check(
    "LOG-CONC-31",
    sources="LOG-42; SQLite, the WAL-reset bug; mutant tail_cut_by_openers",
    promise=_PROMISE,
    needs=_NEEDS,
)
def test_several_processes_open_a_log_at_once(trial: Trial) -> None:
    """Processes that open a log at the same moment all get it, and keep what each of them appended.

    That holds for a log that is not there yet, for one whose process was just killed, and for one that others are
    just appending to.

    Why: whoever opens a log repairs its end. What looks like the half of an event that a dead process left may be that
    which a live one is just writing.

    Breaks it:

        whole = file.read().rfind(b"\\n") + 1
        file.truncate(whole)                           # without the lock: another process has gone on meanwhile
    """
    require(trial, "appends", OPENERS)


@check(
    "LOG-CONC-32",
    sources="LOG-42; mutant log_lock_file_left_behind",
    promise=f"{_PROMISE} durability:process-crash",
    needs=_NEEDS,
)
def test_a_killed_process_keeps_nobody_out_of_a_log(trial: Trial) -> None:
    """When a process is killed in the midst of a call, the others go on to append, and new ones open the log.

    Why: a lock that outlives its owner stops every writer until a person finds the file and deletes it.

    Breaks it:

        os.open(self._lock, os.O_CREAT | os.O_EXCL)    # who removes it when this process is killed?
    """
    require(trial, "appends", ("holder killed",))


@check(
    "LOG-CONC-33",
    sources="POSIX fcntl(): locks belong to the process; mutant log_lock_of_the_process",
    promise=_PROMISE,
    needs=(*_NEEDS, "LOG-SHARED-02"),
)
def test_appends_through_several_handles_have_one_order(trial: Trial) -> None:
    """Appends of threads of one process with a handle each get positions of their own, without a gap, in one order.

    Why: a lock that keeps other processes out need not keep out another handle in its own.

    Breaks it:

        fcntl.lockf(self._file, fcntl.LOCK_EX)         # this process has it already: another handle gets it too
    """
    require(trial, "appends", ("handles",))

"""Processes that open one state store at once, or are stopped or killed while they use it; handles in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import require
from conformance.suites.concurrency.opening import OPENERS, only_if_exclusive

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("STATE-BASIC-01", "STATE-REOPEN-02")
_PROMISE = "sharing:processes"
_ONE_ORDER = f"{_PROMISE} consistency:linearizable"


@check(
    "STATE-CONC-31",
    sources="cachew PR#90; SQLite, the WAL-reset bug; mutants created_when_missing, tmp_cleanup_of_others",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_several_processes_open_at_once(trial: Trial) -> None:
    """Processes that open a store at the same moment all get it, and keep what each of them acknowledged.

    That holds for a store that is not there yet, for one whose process was just killed, and for one that others are
    just writing to.

    Why: a service starts its workers all at once. Each finds the store missing, makes it, and begins to write; the last
    one to make it takes away what the others wrote.

    Breaks it:

        if not path.exists():                          # two processes see this
            path.write_text("{}")                      # and one of them does it late
    """
    require(trial, "distinct keys", OPENERS)


@check(
    "STATE-CONC-32",
    sources="issue 4, exclusive open; KV-38; mutant lock_file_left_behind",
    promise=f"{_PROMISE} durability:process-crash",
    needs=_NEEDS,
)
def test_a_killed_process_keeps_nobody_out(trial: Trial) -> None:
    """When a process is killed in the midst of a call, the others go on, and new ones open the store.

    Why: a lock that outlives its owner turns one crash into an outage, which ends when a person finds the file and
    deletes it.

    Breaks it:

        os.open(self._lock, os.O_CREAT | os.O_EXCL)    # who removes it when this process is killed?
    """
    require(trial, "distinct keys", ("holder killed",))


@check(
    "STATE-CONC-33",
    sources="POSIX fcntl(): locks belong to the process; mutant lock_of_the_process",
    promise=_ONE_ORDER,
    needs=("STATE-BASIC-01", "STATE-SHARE-02"),
)
def test_threads_with_a_handle_each_see_one_order(trial: Trial) -> None:
    """Threads of one process with a handle each see puts, gets and deletes in one order, as processes do.

    Why: a connection for each thread is the usual advice. A lock that keeps other processes out need not keep out
    another handle in its own.

    Breaks it:

        fcntl.lockf(self._file, fcntl.LOCK_EX)         # this process has it already: another handle gets it too
    """
    require(trial, "registers", ("handles",))


@check(
    "STATE-CONC-34",
    sources="ZODB#38; mutants two_servers_one_file, owned_for_ever",
    level="should",
    needs=_NEEDS,
)
def test_an_exclusive_store_stays_exclusive(trial: Trial) -> None:
    """A store that refuses a second process does so in the midst of an opening, too, and lets the next one in.

    It concerns stores that are for the threads of one process only. The next one may come when the owner has closed
    the store, or was killed.

    Why: two servers on one file, each of which thinks that it is alone, overwrite each other without any error.

    Breaks it:

        if self._lock.exists() and not alive(int(self._lock.read_text())):
            self._lock.unlink()                        # two processes find it stale
        self._lock.write_text(str(os.getpid()))        # and both have it now
    """
    only_if_exclusive(trial)
    require(trial, "distinct keys", OPENERS)


@check(
    "STATE-CONC-35",
    sources="langgraph#8796; Kleppmann, How to do distributed locking, 2016; mutant no_fencing",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_a_stopped_process_breaks_no_order(trial: Trial) -> None:
    """Puts, gets and deletes have one order also when a process is stopped in the midst of a call, and goes on later.

    Why: a long pause, such as that of a laptop that was closed, a debugger or a busy machine, looks like a death. Who
    takes over the lock of the one that is paused must know that it may wake up.

    Breaks it:

        if time.time() - lock.stat().st_mtime > LEASE:
            lock.unlink()                              # its owner is only slow, and still going to write
    """
    require(trial, "registers", ("stopped",))

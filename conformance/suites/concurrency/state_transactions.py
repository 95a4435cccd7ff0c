"""Threads, and processes, whose transactions are over several keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import PROCESSES, THREADS, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.histories.rounds.ways import Way
    from conformance.trial import Trial

_NEEDS = ("STATE-TXN-01",)
_REOPENED = (*_NEEDS, "STATE-REOPEN-02")
_SOURCES = "Adya 1999; Berenson et al., SIGMOD 1995; Elle, VLDB 2020; TX-17"


def _isolated(trial: Trial, ways: Sequence[Way]) -> None:
    """Require the level that is promised; where all calls have one order, transactions follow real time, too."""
    level = trial.backend.isolation.replace("-", " ")
    strict = "strict " if level == "serializable" and trial.backend.consistency == "linearizable" else ""
    require(trial, f"{strict}{level} transactions", ways)


@check(
    "STATE-CONC-61",
    sources=f"{_SOURCES}; mutants dirty_read_by_threads, write_skew_by_threads",
    capability="transactions",
    promise="sharing:threads isolation",
    needs=_NEEDS,
)
def test_transactions_of_threads_are_isolated(trial: Trial) -> None:
    """What transactions of threads read and write fits the isolation level that is promised.

    At `read-committed` nobody sees what was given up or was not the last of a transaction. At `snapshot-isolation` a
    transaction also sees one moment, and no update is lost. At `serializable` the transactions fit into one order.

    Why: two transactions that each check what the other one changes both go through: both doctors leave, and nobody is
    on call. The code is right, the level is not.

    Breaks it:

        with self._lock:
            if any(self._data.get(key) != draft.base.get(key) for key in draft.written):    # and what it read?
                raise ConflictError
            self._data = {**self._data, **draft.written}
    """
    _isolated(trial, THREADS)


@check(
    "STATE-CONC-62",
    sources=f"Jepsen, bank; {_SOURCES}; mutant commit_key_by_key_by_threads",
    capability="transactions",
    promise="sharing:threads isolation:snapshot-isolation",
    needs=_NEEDS,
)
def test_transfers_of_threads_keep_the_total(trial: Trial) -> None:
    """While threads transfer between accounts, each transaction that gets all accounts sees the same total.

    Why: a report that is made in between has money that is on neither account, or on both.

    Breaks it:

        for key, value in draft.written.items():
            self._data[key] = value                    # a reader comes in between
    """
    require(trial, "transfers", THREADS)


@check(
    "STATE-CONC-63",
    sources=f"{_SOURCES}; mutant phantom_keys_by_threads",
    capability="transactions",
    promise="sharing:threads isolation:snapshot-isolation",
    needs=_NEEDS,
)
def test_no_key_comes_or_goes_in_a_transaction_of_a_thread(trial: Trial) -> None:
    """While threads replace keys by others, a transaction lists the same keys each time, and finds all that it lists.

    Why: who moves all entries of a queue lists them, handles them, and deletes what is listed then. One that came in
    between is deleted, and nobody handled it.

    Breaks it:

        def __iter__(self):
            return iter({**self._store._data, **self.written})    # the values are those of the begin, the keys are not
    """
    require(trial, "replacements", THREADS)


@check(
    "STATE-CONC-71",
    sources=f"{_SOURCES}; mutants non_repeatable_read_by_processes, write_skew_by_processes",
    capability="transactions",
    promise="sharing:processes isolation",
    needs=_REOPENED,
)
def test_transactions_of_processes_are_isolated(trial: Trial) -> None:
    """What transactions of several processes read and write fits the isolation level that is promised.

    Why: each process has read a state, and changes what the other one relies on. No lock inside a process helps.

    Breaks it:

        entries = self._load()                         # the lock is taken at the commit only
        yield entries
        with self._file_lock:
            self._save({**self._load(), **entries})
    """
    _isolated(trial, PROCESSES)


@check(
    "STATE-CONC-72",
    sources=f"Jepsen, bank; {_SOURCES}; mutant commit_key_by_key_by_processes",
    capability="transactions",
    promise="sharing:processes isolation:snapshot-isolation",
    needs=_REOPENED,
)
def test_transfers_of_processes_keep_the_total(trial: Trial) -> None:
    """While processes transfer between accounts, each transaction that gets all accounts sees the same total.

    Why: a transaction that writes two files has a moment in which one is new and the other one old.

    Breaks it:

        for key, value in draft.written.items():
            self._file(key).write_text(json.dumps(value))
    """
    require(trial, "transfers", PROCESSES)


@check(
    "STATE-CONC-73",
    sources=f"{_SOURCES}; mutant phantom_keys_by_processes",
    capability="transactions",
    promise="sharing:processes isolation:snapshot-isolation",
    needs=_REOPENED,
)
def test_no_key_comes_or_goes_in_a_transaction_of_a_process(trial: Trial) -> None:
    """While processes replace keys by others, a transaction lists the same keys each time, and finds all it lists.

    Why: a lock on each entry keeps others from changing it; nothing keeps them from adding one.

    Breaks it:

        def __iter__(self):
            return iter(os.listdir(self._folder))      # whatever is there now
    """
    require(trial, "replacements", PROCESSES)

"""Processes, each with a handle of its own on one state store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import PROCESSES, require

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("STATE-BASIC-01", "STATE-REOPEN-02")
_PROMISE = "sharing:processes"
_ONE_ORDER = f"{_PROMISE} consistency:linearizable"


@check(
    "STATE-CONC-11",
    sources="KV-38; tinydb#179, ZODB#290; mutants cache_by_file_time, thread_lock_for_processes",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_processes_see_one_order_of_puts_gets_and_deletes(trial: Trial) -> None:
    """Processes with a handle each see puts, gets and deletes in one order, each between its call and its return.

    Why: what one process acknowledged must be what the next one reads, or each works on a state of its own.

    Breaks it:

        def __getitem__(self, key):
            if os.path.getmtime(self._path) != self._read_at:    # two writes in one tick of the clock
                self._cache = self._load()
            return self._cache[key]
    """
    require(trial, "registers", PROCESSES)


@check("STATE-CONC-12", sources="KV-36; mutant file_rewritten_in_place", promise=_PROMISE, needs=_NEEDS)
def test_processes_read_whole_values(trial: Trial) -> None:
    """A value that is read while another process overwrites it is one that somebody wrote, whole.

    Why: a file that is rewritten in place is for a moment empty, then half of it is there.

    Breaks it:

        def __setitem__(self, key, value):
            self._file(key).write_text(json.dumps(value))
    """
    require(trial, "overwrites" if trial.backend.consistency == "linearizable" else "overwrites in sessions", PROCESSES)


@check(
    "STATE-CONC-13",
    sources="KV-36; agno#7479, mastra#17298; mutant thread_lock_for_processes",
    promise=_PROMISE,
    needs=_NEEDS,
)
def test_processes_keep_all_keys(trial: Trial) -> None:
    """Every key that one of several processes put is there, with its value, when all are done.

    Why: a store that loads a document, changes it and saves it loses what another process saved in between, without
    any error.

    Breaks it:

        def __setitem__(self, key, value):
            data = self._load()
            data[key] = value
            self._replace(data)                        # whole, synced, and without what the other process wrote
    """
    require(trial, "distinct keys", PROCESSES)


@check(
    "STATE-CONC-14",
    sources="protean PR#1264; DynamoDB DNS, October 2025; mutant cas_locked_in_one_process",
    capability="cas",
    promise=_ONE_ORDER,
    needs=("STATE-CAS-01", "STATE-REOPEN-02"),
)
def test_one_of_two_processes_swaps(trial: Trial) -> None:
    """Of processes that compare-and-set one version, one succeeds; no update is lost.

    Why: leases between machines and workers rest on it.

    Breaks it:

        def compare_and_set(self, key, value, expected):
            with self._thread_lock:                    # keeps no other process out
                ...
    """
    require(trial, "swaps", PROCESSES)


@check(
    "STATE-CONC-15",
    sources="TX-17; mutant transaction_locked_in_one_process",
    capability="transactions",
    promise=f"{_ONE_ORDER} isolation:snapshot-isolation",
    needs=("STATE-TXN-01", "STATE-REOPEN-02"),
)
def test_no_update_of_a_transaction_is_lost_between_processes(trial: Trial) -> None:
    """Of two transactions in two processes that replace one value, the second sees what the first wrote.

    Why: a transaction that isolates only threads is found out on the day of the second worker.

    Breaks it:

        self._database.execute("BEGIN")                # deferred: both read, then one writes over the other's
    """
    require(trial, "updates", PROCESSES)


@check("STATE-CONC-16", sources="redis#4906, redis#4886; mutant listed_without_lock", promise=_ONE_ORDER, needs=_NEEDS)
def test_processes_list_every_key_that_stays(trial: Trial) -> None:
    """A listing while another process puts and deletes has every key that is there throughout, once, and none other.

    Why: a listing that is made of a file that is just being rewritten is empty, and nothing says so.

    Breaks it:

        def __iter__(self):
            try:
                return iter(json.loads(self._path.read_bytes()))
            except ValueError:                         # half of it is there
                return iter(())
    """
    require(trial, "listings", PROCESSES)

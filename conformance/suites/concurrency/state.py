"""Threads that share one open state store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import THREADS, require

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("STATE-BASIC-01",)
_PROMISE = "sharing:threads"
_ONE_ORDER = f"{_PROMISE} consistency:linearizable"


@check(
    "STATE-CONC-01",
    sources="KV-36; Herlihy & Wing, TOPLAS 1990; mutants lock_only_on_write, whole_document_overwrite",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_threads_see_one_order_of_puts_gets_and_deletes(trial: Trial) -> None:
    """Threads that share a store see its puts, gets and deletes in one order, each between its call and its return.

    Why: an agent that reads its own state back and gets an older one decides on what is no longer so. A put that
    another thread's put of another key takes away is lost, although it was acknowledged.

    Breaks it:

        def __setitem__(self, key, value):
            data = self._load()                        # another thread loads the same
            data[key] = value
            self._save(data)                           # and one of the two puts is gone
    """
    require(trial, "registers", THREADS)


@check("STATE-CONC-02", sources="KV-36; KV-04; mutant value_in_two_writes", promise=_PROMISE, needs=_NEEDS)
def test_threads_read_whole_values(trial: Trial) -> None:
    """A value that is read while other threads overwrite it is one that somebody wrote, whole.

    Why: half of the old conversation and half of the new one is a conversation that never was, and nothing about it
    looks wrong.

    Breaks it:

        def __setitem__(self, key, value):
            self._parts[key] = [value[:4096], ""]
            self._parts[key][1] = value[4096:]         # a reader comes in between
    """
    require(trial, "overwrites" if trial.backend.consistency == "linearizable" else "overwrites in sessions", THREADS)


@check(
    "STATE-CONC-03",
    sources="KV-36; DAPR sqlite certification; mutant index_rewritten_by_threads",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_threads_keep_all_keys(trial: Trial) -> None:
    """Every key that one of several threads put is there, with its value, when all are done.

    Why: parallel tool calls of an agent write their results under keys of their own; each must find its own again.

    Breaks it:

        def __setitem__(self, key, value):
            self._file(key).write_text(json.dumps(value))
            index = json.loads(self._index.read_text())
            self._index.write_text(json.dumps([*index, key]))    # two threads, one key
    """
    require(trial, "distinct keys", THREADS)


@check(
    "STATE-CONC-04",
    sources="protean PR#1264; mutant cas_check_then_set",
    capability="cas",
    promise=_ONE_ORDER,
    needs=("STATE-CAS-01",),
)
def test_one_of_two_threads_swaps(trial: Trial) -> None:
    """Of threads that compare-and-set one version, one succeeds; no update is lost.

    Why: compare-and-set is what locks, leases and counters are built on. If two can win, none of these holds.

    Breaks it:

        def compare_and_set(self, key, value, expected):
            if self.version(key) != expected:          # two threads pass here
                raise ConflictError(key)
            return self._put(key, value)
    """
    require(trial, "swaps", THREADS)


@check(
    "STATE-CONC-05",
    sources="TX-17; Adya 1999, lost update; mutant transaction_copies_without_lock",
    capability="transactions",
    promise=f"{_ONE_ORDER} isolation:snapshot-isolation",
    needs=("STATE-TXN-01",),
)
def test_no_update_of_a_transaction_is_lost_between_threads(trial: Trial) -> None:
    """Of two transactions that read one value and write another in its place, the second sees what the first wrote.

    Why: "read the balance, write the new one" in a transaction is the promise that nobody comes in between.

    Breaks it:

        @contextmanager
        def transaction(self):
            copy = dict(self._data)                    # two threads copy the same
            yield copy
            self._data = copy                          # and the later one takes the other's write away
    """
    require(trial, "updates", THREADS)


@check("STATE-CONC-06", sources="redis#4906, redis#4886; mutant listed_by_place", promise=_ONE_ORDER, needs=_NEEDS)
def test_threads_list_every_key_that_stays(trial: Trial) -> None:
    """A listing while other threads put and delete has every key that is there throughout, once, and none that is not.

    Why: who migrates, cleans up or counts goes by the listing. A key that is skipped because another one was deleted
    just then is never seen.

    Breaks it:

        def __iter__(self):
            place = 0
            while place < len(self._keys):             # a delete moves the rest one place up
                yield self._keys[place]
                place += 1
    """
    require(trial, "listings", THREADS)

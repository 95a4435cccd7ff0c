"""Threads that share one open layered store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import THREADS, require

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LAYERS-BASIC-01",)
_PROMISE = "sharing:threads"
_ONE_ORDER = f"{_PROMISE} consistency:linearizable"


@check("LAYERS-CONC-01", sources="KV-36; mutant layers_read_all_write_all", promise=_ONE_ORDER, needs=_NEEDS)
def test_threads_see_one_order_of_entries(trial: Trial) -> None:
    """Threads that share a store see what is set, got and deleted in one order, each between its call and its return.

    Why: sub-agents share one memory. What one of them noted and was told to be kept must be what the next one reads.

    Breaks it:

        def set(self, key, value):
            memory = self._load()                      # another thread loads the same
            memory[key] = value
            self._save(memory)                         # and one of the two entries is gone
    """
    require(trial, "registers", THREADS)


@check("LAYERS-CONC-03", sources="KV-36; mutant layers_read_all_write_all", promise=_ONE_ORDER, needs=_NEEDS)
def test_threads_keep_all_entries(trial: Trial) -> None:
    """Every entry that one of several threads set is there, with its value, when all are done.

    Why: what is remembered side by side is remembered under keys of its own; each must be found again.

    Breaks it:

        def set(self, key, value):
            self._memory = {**self._memory, key: value}    # two threads, one entry
    """
    require(trial, "distinct keys", THREADS)


@check("LAYERS-CONC-06", sources="redis#4906; mutant entries_listed_by_place", promise=_ONE_ORDER, needs=_NEEDS)
def test_threads_list_every_entry_that_stays(trial: Trial) -> None:
    """`entries()` while other threads set and delete has every entry that is there throughout, once, and none other.

    Why: the prompt is made of the entries. What is skipped because another one was deleted just then is forgotten.

    Breaks it:

        def entries(self):
            place = 0
            while place < len(self._keys):             # a delete moves the rest one place up
                yield self._keys[place], self._values[self._keys[place]]
                place += 1
    """
    require(trial, "listings", THREADS)


@check(
    "LAYERS-CONC-07",
    sources="MEM-01, MEM-03; mutant clear_writes_all_scopes",
    capability="scopes",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_threads_do_not_notice_that_another_scope_is_cleared(trial: Trial) -> None:
    """Clearing one scope while other threads write in another one takes nothing from that one, and brings nothing back.

    Why: one user leaves while another one talks.

    Breaks it:

        def clear(self, scope=""):
            memory = self._load()                      # another thread sets after this
            self._save({key: value for key, value in memory.items() if key[0] != scope})
    """
    require(trial, "a scope beside another", THREADS)

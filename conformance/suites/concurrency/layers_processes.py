"""Processes, each with a handle of its own on one layered store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import PROCESSES, require

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LAYERS-BASIC-01", "LAYERS-REOPEN-01")
_PROMISE = "sharing:processes"
_ONE_ORDER = f"{_PROMISE} consistency:linearizable"


@check("LAYERS-CONC-11", sources="KV-38; mutant layers_cached", promise=_ONE_ORDER, needs=_NEEDS)
def test_processes_see_one_order_of_entries(trial: Trial) -> None:
    """Processes with a handle each see what is set, got and deleted in one order, each between its call and its return.

    Why: an agent is answered by one process now and by another one next; both must remember the same.

    Breaks it:

        def __init__(self, path):
            self._memory = json.loads(path.read_text())    # and what others set later is never read
    """
    require(trial, "registers", PROCESSES)


@check("LAYERS-CONC-12", sources="KV-37; mutant layers_rewritten_in_place", promise=_PROMISE, needs=_NEEDS)
def test_processes_read_whole_entries(trial: Trial) -> None:
    """A value that is read while another process sets it is one that somebody set, whole.

    Why: a file that is rewritten in place is for a moment empty, then half of it is there.

    Breaks it:

        def set(self, key, value):
            self._path.write_text(json.dumps({**self._load(), key: value}))
    """
    require(trial, "overwrites" if trial.backend.consistency == "linearizable" else "overwrites in sessions", PROCESSES)


@check("LAYERS-CONC-13", sources="KV-36; mutant layers_read_all_write_all", promise=_PROMISE, needs=_NEEDS)
def test_processes_keep_all_entries(trial: Trial) -> None:
    """Every entry that one of several processes set is there, with its value, when all are done.

    Why: a store that loads the memory, changes an entry and saves all loses what another process set in between.

    Breaks it:

        def set(self, key, value):
            memory = self._load()
            memory[key] = value
            self._replace(memory)                      # whole, synced, and without what the other process set
    """
    require(trial, "distinct keys", PROCESSES)


@check(
    "LAYERS-CONC-17",
    sources="MEM-01, MEM-03; Marten, conjoined tenancy; mutant clear_writes_all_scopes",
    capability="scopes",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_processes_do_not_notice_that_another_scope_is_cleared(trial: Trial) -> None:
    """Clearing one scope while another process writes in another one takes nothing from that one, nor brings it back.

    Why: the memory of a user is erased by a job that runs beside the service.

    Breaks it:

        def clear(self, scope=""):
            with self._thread_lock:                    # keeps no other process out
                self._replace({key: value for key, value in self._load().items() if key[0] != scope})
    """
    require(trial, "a scope beside another", PROCESSES)

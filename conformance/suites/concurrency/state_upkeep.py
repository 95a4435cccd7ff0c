"""A state store that is compacted and flushed while others use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import PROCESSES, THREADS, require

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "STATE-CONC-51",
    sources="KV-44; mutant memory_compacted_without_lock",
    capability="maintenance",
    methods=("compact",),
    promise="sharing:threads consistency:linearizable",
    needs=("STATE-CONC-01", "STATE-MAINT-03"),
)
def test_threads_do_not_notice_a_compaction(trial: Trial) -> None:
    """Compacting and flushing a store changes nothing that other threads see: each put, get and delete is as without.

    Why: compaction runs when the store is busy, since that is when there is something to compact. A put that comes in
    between its reading and its writing is gone, although it was acknowledged.

    Breaks it:

        def compact(self):
            data = self._load()                        # another thread puts after this
            self._save(data)                           # and its put is gone
    """
    require(trial, "upkeep", THREADS)


@check(
    "STATE-CONC-52",
    sources="KV-44; mutant document_compacted_without_lock",
    capability="maintenance",
    methods=("compact",),
    promise="sharing:processes consistency:linearizable",
    needs=("STATE-CONC-11", "STATE-MAINT-03"),
)
def test_processes_do_not_notice_a_compaction(trial: Trial) -> None:
    """Compacting and flushing a store changes nothing that other processes see, whoever of them has it open.

    Why: a job that compacts at night has the store open beside the service.

    Breaks it:

        def compact(self):
            os.replace(self._copy_without_garbage(), self._path)    # the others go on writing to the old file
    """
    require(trial, "upkeep", PROCESSES)

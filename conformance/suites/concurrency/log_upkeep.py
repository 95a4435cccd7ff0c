"""A log that is compacted while others append and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import PROCESSES, THREADS, require

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "LOG-CONC-51",
    sources="LOG-44, LOG-60; mutants log_read_across_compaction, log_compacted_without_lock",
    capability="compaction",
    promise="sharing:threads",
    needs=("LOG-CONC-01", "LOG-COMPACT-01"),
)
def test_threads_do_not_notice_that_a_log_is_compacted(trial: Trial) -> None:
    """While a thread compacts a log, appends keep their order, and a checkpoint with the events after it has them all.

    A read that compaction overtakes raises, or begins with the first event left, and then a later checkpoint has what
    is before it.

    Why: an event that is skipped because the events moved up during the read is never folded, and no later read will
    tell.

    Breaks it:

        def read(self, start=1, stop=None):
            events = self._load()                                # compacted after this
            return enumerate(events, self._dropped + 1)          # old events, new positions
    """
    require(trial, "log upkeep", THREADS)


@check(
    "LOG-CONC-52",
    sources="LOG-44, LOG-60; mutant log_appends_to_the_old_file",
    capability="compaction",
    promise="sharing:processes",
    needs=("LOG-CONC-11", "LOG-COMPACT-01"),
)
def test_processes_do_not_notice_that_a_log_is_compacted(trial: Trial) -> None:
    """While a process compacts a log, others append and read as without: a checkpoint and what is after it is all.

    Why: compaction puts a new file in the place of the old one. A process that still has the old one open acknowledges
    events that nobody will ever read.

    Breaks it:

        def append(self, event):
            self._file.write(line)                     # opened before another process compacted
    """
    require(trial, "log upkeep", PROCESSES)

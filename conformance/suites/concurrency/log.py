"""Threads, and processes, that append to one log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import PROCESSES, THREADS, require

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-POSITION-01", "LOG-READ-01")


@check(
    "LOG-CONC-01",
    sources="Kafka, NATS JetStream: one order for all readers; mutant position_read_then_written",
    promise="sharing:threads",
    needs=_NEEDS,
)
def test_appends_of_threads_have_one_order(trial: Trial) -> None:
    """Appends of threads that share a log get positions of their own, without a gap, in an order that all readers see.

    Why: two events at one position mean that one of them is gone, or that two readers fold to different states.

    Breaks it:

        def append(self, event):
            position = self.head + 1                   # two threads get the same
            self._write(position, event)
            return position
    """
    require(trial, "appends", THREADS)


@check(
    "LOG-CONC-11",
    sources="LOG-42; mutant log_locked_in_one_process",
    promise="sharing:processes",
    needs=_NEEDS,
)
def test_appends_of_processes_have_one_order(trial: Trial) -> None:
    """Appends of several processes get positions of their own, without a gap, in an order that all readers see.

    Why: a deployment starts the new process before it stops the old one. For a moment there are two writers.

    Breaks it:

        def __init__(self, path):
            self._lock = threading.Lock()              # keeps no other process out
    """
    require(trial, "appends", PROCESSES)

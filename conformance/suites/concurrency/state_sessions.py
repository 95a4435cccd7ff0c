"""State stores that promise sessions, and not one order of all calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.result import NotApplicable
from conformance.suites.concurrency.laboratory import PROCESSES, THREADS, require

if TYPE_CHECKING:
    from conformance.trial import Trial


def _only_sessions(trial: Trial, instead: str) -> None:
    if trial.backend.consistency != "sessions":
        raise NotApplicable(f"consistency is promised at {trial.backend.consistency!r}, which {instead} is about")


@check(
    "STATE-CONC-81",
    sources="Terry et al., PDIS 1994; mutants older_after_newer_by_threads, write_behind_by_threads",
    promise="sharing:threads consistency:sessions",
    needs=("STATE-BASIC-01",),
)
def test_threads_have_sessions(trial: Trial) -> None:
    """A thread reads its own writes, and never an older value than it has read; the writes of all have one order.

    Why: an agent that wrote its plan and reads an older one does the first step again.

    Breaks it:

        def __getitem__(self, key):
            return random.choice(self._replicas)[key]    # the second one may be behind the first
    """
    _only_sessions(trial, "STATE-CONC-01")
    require(trial, "sessions", THREADS)


@check(
    "STATE-CONC-82",
    sources="Terry et al., PDIS 1994; mutants older_after_newer_by_processes, write_behind_by_processes",
    promise="sharing:processes consistency:sessions",
    needs=("STATE-BASIC-01", "STATE-REOPEN-02"),
)
def test_processes_have_sessions(trial: Trial) -> None:
    """A handle reads its own writes, and never an older value than it has read; the writes of all have one order.

    Why: a cache may be behind. One that goes back shows a message, takes it away, and shows it again.

    Breaks it:

        def __setitem__(self, key, value):
            self._queue.append((key, value))           # written later; a get reads the file
    """
    _only_sessions(trial, "STATE-CONC-11")
    require(trial, "sessions", PROCESSES)

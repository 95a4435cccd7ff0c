"""Processes that are killed while others go on, or all together, on one state store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import KILLS, require

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "STATE-CONC-41",
    sources="KV-48; Jepsen; mutants stale_copy_put_back, half_a_document_is_none, journal_dropped_on_opening",
    promise="sharing:processes consistency:linearizable durability:process-crash",
    needs=("STATE-CONC-11",),
)
def test_processes_go_on_after_one_of_them_was_killed(trial: Trial) -> None:
    """When one of several processes is killed in the midst of a call, or all are, nothing acknowledged is undone.

    The call that was going on takes effect or does not. Those who live on, and those who open the store afterwards, see
    one order of all calls of all lives.

    Why: a worker is killed while its siblings go on writing. What it left half done must not undo what they did since,
    and must not keep them from reading.

    Breaks it:

        def __init__(self, path):
            if self._copy_of_a_dead_writer.exists():             # others have gone on since
                os.replace(self._copy_of_a_dead_writer, path)    # and all they wrote is gone
    """
    require(trial, "writes", KILLS)

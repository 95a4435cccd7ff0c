"""Processes that are killed while others go on, or all together, on one layered store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import KILLS, require

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "LAYERS-CONC-41",
    sources="KV-40, KV-41; Jepsen; mutant old_entries_put_back",
    promise="sharing:processes consistency:linearizable durability:process-crash",
    needs=("LAYERS-CONC-11",),
)
def test_processes_go_on_with_entries_after_a_kill(trial: Trial) -> None:
    """When one of several processes is killed in the midst of a call, or all are, nothing acknowledged is undone.

    What was being set or deleted takes effect or does not. Those who live on, and those who open the store afterwards,
    see one order of all calls of all lives.

    Why: several agents share one memory. One of them is killed, and what the others were told to be kept is gone.

    Breaks it:

        def __init__(self, path):
            if self._copy_of_a_dead_writer.exists():             # others have noted more since
                os.replace(self._copy_of_a_dead_writer, path)    # and all of it is forgotten
    """
    require(trial, "writes", KILLS)

"""Processes that are killed while others go on, or all together, on one store of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import KILLS, require

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "RUNS-CONC-41",
    sources="KV-40, KV-41; Jepsen; mutants old_runs_put_back, half_a_file_of_runs_is_none",
    promise="sharing:processes consistency:linearizable durability:process-crash",
    needs=("RUNS-CONC-11",),
)
def test_processes_go_on_with_runs_after_a_kill(trial: Trial) -> None:
    """When one of several processes is killed in the midst of a call, or all are, no acknowledged save is undone.

    The save that was going on takes effect or does not. Those who live on, and those who open the store afterwards, see
    one order of all calls of all lives.

    Why: a worker is killed while its siblings save their runs. What it left half done must not undo what they saved
    since: they have answered for it.

    Breaks it:

        def __init__(self, path):
            if self._copy_of_a_dead_writer.exists():             # others have saved since
                os.replace(self._copy_of_a_dead_writer, path)    # and all their runs are as they were
    """
    require(trial, "lasting saves", KILLS)

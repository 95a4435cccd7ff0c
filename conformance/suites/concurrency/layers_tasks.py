"""Tasks of one event loop that share an open async layered store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.among_tasks import TASKS, require_of_tasks

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "LAYERS-CONC-21",
    sources="KV-36; Herlihy & Wing, TOPLAS 1990; mutants layers_without_lock_in_tasks, entry_deleted_from_a_copy",
    promise="sharing:threads consistency:linearizable",
    needs=("LAYERS-BASIC-01",),
)
def test_tasks_see_one_order_of_entries(trial: Trial) -> None:
    """Tasks that share an async store see what is set, got and deleted in one order, each between call and return.

    Why: sub-agents are tasks of one loop, and share one memory. A set that loads, awaits and writes forgets what
    another one noted meanwhile, and was told to be kept.

    Breaks it:

        async def set(self, key, value):
            memory = await self._load()                # another task loads the same
            memory[key] = value
            await self._save(memory)                   # and one of the two entries is gone
    """
    require_of_tasks(trial, "registers", TASKS)

"""Tasks of one event loop that share an open async store of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.among_tasks import CANCELLED, TASKS, require_of_tasks

if TYPE_CHECKING:
    from conformance.trial import Trial

_ONE_ORDER = "sharing:threads consistency:linearizable"


@check(
    "RUNS-CONC-21",
    sources="KV-36, RUN-33; Herlihy & Wing, TOPLAS 1990; mutants runs_without_lock_in_tasks, old_run_in_the_cache",
    promise=_ONE_ORDER,
    needs=("RUNS-BASIC-01",),
)
def test_tasks_see_one_order_of_saves(trial: Trial) -> None:
    """Tasks that share an async store see its saves and gets in one order, each between its call and its return.

    Why: an agent runtime has one event loop and one store, and a task for each run. Wherever a save awaits, another
    run is saved; a save that loads, awaits and writes takes that one away, with one thread and one process.

    Breaks it:

        async def save_run(self, run):
            runs = await self._load()                  # another task loads the same
            runs[run["id"]] = run
            await self._save(runs)                     # and one of the two saves is gone
    """
    require_of_tasks(trial, "saves", TASKS)


@check(
    "RUNS-CONC-22",
    sources="MEM-16; mutants events_without_lock_in_tasks, events_put_off_in_tasks",
    capability="append_event",
    promise=_ONE_ORDER,
    needs=("RUNS-BASIC-01",),
)
def test_tasks_append_every_event(trial: Trial) -> None:
    """Of the events that tasks append to one run none is lost or doubled, and what returned earlier comes earlier.

    Why: tool calls are gathered in one loop, and all report to one run. What one of them reported is gone, and the run
    looks whole.

    Breaks it:

        async def append_event(self, run_id, event):
            run = await self.get_run(run_id)           # another task gets the same
            await self.save_run({**run, "events": [*run["events"], event]})
    """
    require_of_tasks(trial, "events of a run", (*TASKS, *CANCELLED))


@check(
    "RUNS-CONC-23",
    sources="redis-py#2624; openai-agents#4202; mutants cancelled_save_is_half, lock_kept_by_a_cancelled_save",
    promise=_ONE_ORDER,
    needs=("RUNS-CONC-21",),
)
def test_a_cancelled_save_is_done_whole_or_not_at_all(trial: Trial) -> None:
    """After a call was cancelled its run is the old one or the new one, whole; others get their own, and all goes on.

    Why: a timeout cancels a save in the middle. The messages of the new save under the state of the old one are a
    conversation that never was; and a lock that nobody gives back stops every other run.

    Breaks it:

        async def save_run(self, run):
            await self._write(run["id"], "state", run["state"])
            await self._write(run["id"], "messages", run["messages"])    # cancelled before this
    """
    require_of_tasks(trial, "saves", CANCELLED)

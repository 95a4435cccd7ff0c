"""Process kills and the `runs` contract: an agent's work is worth what its last saved run is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import survives_a_kill

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("RUNS-BASIC-01", "RUNS-REOPEN-01")
_PROMISE = "durability:process-crash"


@check(
    "RUNS-CRASH-01",
    sources="RUN-26, RUN-27; KV-40, KV-41; mutants records_rewritten_in_place, run_written_before_its_index",
    promise=_PROMISE,
    needs=_NEEDS,
)
def test_saves_of_runs_survive_a_kill(trial: Trial) -> None:
    """A kill at any system call leaves every run as it was saved last: the old record or the new one, whole.

    Why: an agent saves its run after each step, and the run grows. The process is killed in the middle of one of these
    saves sooner or later; all the work before it must not go with the last message. The runs beside it neither.

    Breaks it:

        with open(self._path(run["id"]), "w") as file:     # killed here, the run is an empty file
            json.dump(run, file)
    """
    survives_a_kill(trial, "saves of growing runs")


@check(
    "RUNS-CRASH-02",
    sources="RUN-27; LOG-39",
    capability="append_event",
    promise=_PROMISE,
    needs=(*_NEEDS, "RUNS-EVENT-01"),
)
def test_appended_events_survive_a_kill(trial: Trial) -> None:
    """A kill leaves every acknowledged event at its place in its run, the event in flight whole or not at all.

    Why: events are appended because a whole save costs too much. They often take another way to the disk, and a run is
    put together of two files when it is read.

    Breaks it:

        self._pending.setdefault(run_id, []).append(event)     # written with the next save of the run
    """
    survives_a_kill(trial, "events")


@check(
    "RUNS-CRASH-03",
    sources="RUN-18, RUN-19; Temporal history branches",
    capability="fork",
    promise=_PROMISE,
    needs=(*_NEEDS, "RUNS-FORK-01"),
)
def test_forks_survive_a_kill(trial: Trial) -> None:
    """A kill during a fork leaves the branch whole or none of it, and the source as it was.

    Why: a fork writes a run that is large at once. Half a branch looks like a run that has done less.

    Breaks it:

        self.save_run({"id": new_id, "metadata": lineage})
        for checkpoint in checkpoints:                 # killed in between: a branch with some of its checkpoints
            self._add_checkpoint(new_id, checkpoint)
    """
    survives_a_kill(trial, "forks")


@check("RUNS-CRASH-06", sources="KV-45; LOG-37", promise=_PROMISE, needs=_NEEDS)
def test_closing_and_opening_a_run_store_survive_a_kill(trial: Trial) -> None:
    """A kill while a run store is closed or opened again loses no run.

    Why: a store that tidies up when it closes or opens rewrites runs that nobody has touched for days.

    Breaks it:

        def close(self):
            with open(self._index, "w") as file:       # killed here, no run is listed any more
                json.dump(sorted(self._ids), file)
    """
    survives_a_kill(trial, "closing and reopening")

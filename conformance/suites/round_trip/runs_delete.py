"""Deleting runs: capability `delete_run` of the `runs` contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.runs_steps import (
    fetched,
    gone,
    hold_all,
    require_durable,
    save_all,
    some_runs,
)
from conformance.values.runs import full_run, small_run

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_LISTED = ("RUNS-BASIC-01", "RUNS-LIST-01")
_DELETE = "delete_run"


def delete_missing(trial: Trial, store: Handle, run_id: str) -> None:
    """Delete a run that is not there, which may raise the `missing` exception."""
    trial.count("comparisons")
    try:
        store.delete_run(run_id)
    except trial.errors("missing"):
        trial.count("refusals")


@check("RUNS-DELETE-01", sources="RUN-16", capability=_DELETE, needs=_LISTED)
def test_deleted_run_is_gone(trial: Trial) -> None:
    """A deleted run is neither found nor listed any more, and every other run is as it was.

    Why: people ask for their data to be removed. A run that stays in the listing, or takes runs of similar names with
    it, is two complaints.

    Breaks it:

        DELETE FROM runs WHERE id LIKE ? || '%'     -- run-1 and run-10
    """
    runs = {**some_runs(11), "run": small_run("run", 20), "run-1/a": full_run("run-1/a"), "RUN-1": full_run("RUN-1")}
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        for run_id in ("run-1", "run-11", "RUN-1", "run-5", "run"):
            store.delete_run(run_id)
            store.acknowledge()
            del runs[run_id]
            gone(trial, store, run_id, "getting a run that was deleted")
            hold_all(trial, store, runs, f"after {run_id!r} was deleted")
        for run_id in list(runs):
            store.delete_run(run_id)
        hold_all(trial, store, {}, "after all runs were deleted")


@check("RUNS-DELETE-02", sources="RUN-16", capability=_DELETE, needs=(*_LISTED, "RUNS-DELETE-01"))
def test_deleting_a_missing_run_changes_nothing(trial: Trial) -> None:
    """Deleting a run that is not there changes nothing; it may raise the `missing` exception.

    Why: a clean-up that was interrupted begins anew, and deletes what it has deleted. It must be able to tell that from
    a failure.

    Breaks it:

        def delete_run(self, run_id):
            self._runs.pop(self._index[run_id])     # IndexError, TypeError, or the last one
    """
    runs = some_runs(3)
    with trial.fresh() as session:
        store = session.open()
        delete_missing(trial, store, "run-1")
        save_all(store, runs)
        for run_id in ("run-4", "run", "run-11", "RUN-1", "%", "*"):
            delete_missing(trial, store, run_id)
            hold_all(trial, store, runs, "after a run was deleted that is not there")
        store.delete_run("run-2")
        del runs["run-2"]
        for _ in range(2):
            delete_missing(trial, store, "run-2")
            hold_all(trial, store, runs, "after a run was deleted for another time")


@check("RUNS-DELETE-03", sources="RUN-16, RUN-21", capability=_DELETE, needs=(*_LISTED, "RUNS-DELETE-01"))
def test_deleted_id_can_be_saved_again(trial: Trial) -> None:
    """The id of a deleted run can be saved again: it is listed once, and nothing of the earlier run is left.

    Why: checkpoints and events that are kept elsewhere are not found with the deleted run. They come back when its id
    does, in the middle of a run that never had them.

    Breaks it:

        DELETE FROM runs WHERE id = ?         -- and the rows in checkpoints stay
    """
    runs = {"run-1": full_run("run-1"), "run-2": small_run("run-2", 2)}
    with trial.fresh() as session:
        store = session.open()
        for run in (full_run("run-1"), small_run("run-1", 1), {"id": "run-1"}, full_run("run-1")):
            runs["run-1"] = run
            save_all(store, runs)
            hold_all(trial, store, runs, "after a run was saved under the id of one that was deleted")
            store.delete_run("run-1")
            gone(trial, store, "run-1", "getting a run that was deleted again")


@check(
    "RUNS-DELETE-04",
    sources="RUN-16; the state contract on deletes",
    capability=_DELETE,
    promise="durability:clean-close",
    needs=(*_LISTED, "RUNS-DELETE-01", "RUNS-REOPEN-01"),
)
def test_deleted_run_stays_deleted(trial: Trial) -> None:
    """A deleted run does not come back when the store is closed and opened again, and neither does an earlier record.

    Why: a delete that took the run out of memory, and left its file, lasts until the next start.

    Breaks it:

        def delete_run(self, run_id):
            self._cache.pop(run_id, None)
    """
    runs = some_runs(4)
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        store = session.reopen(store)
        for run_id in ("run-2", "run-4"):
            save_all(store, {run_id: small_run(run_id, 30)})
            store.delete_run(run_id)
            del runs[run_id]
            store = session.reopen(store)
            gone(trial, store, run_id, "getting a deleted run after the store was opened again")
            hold_all(trial, store, runs, "after a run was deleted and the store opened again")
        runs["run-2"] = {"id": "run-2", "status": "new"}
        save_all(store, {"run-2": runs["run-2"]})
        hold_all(trial, session.reopen(store), runs, "after a deleted run was saved again and the store opened again")


@check(
    "RUNS-DELETE-05",
    sources="RUN-33",
    capability=_DELETE,
    promise="sharing:processes",
    needs=(*_LISTED, "RUNS-DELETE-01"),
)
def test_other_handle_sees_the_delete(trial: Trial) -> None:
    """A run that was deleted through one handle is gone for every other at once, and does not come back through it.

    Why: a worker that has read the run before goes on to find it, and works for somebody who has left.

    Breaks it:

        def get_run(self, run_id):
            return self._cache.get(run_id) or self._read(run_id)
    """
    require_durable(trial)
    runs = some_runs(3)
    with trial.fresh() as session:
        one, other = session.open(), session.open()
        save_all(one, runs)
        for handle in (one, other):
            hold_all(trial, handle, runs, "before anything was deleted")
        other.delete_run("run-2")
        other.acknowledge()
        del runs["run-2"]
        hold_all(trial, one, runs, "through a handle, after another has deleted a run")
        save_all(one, {"run-3": runs["run-3"]})
        for handle in (one, other):
            trial.equal(fetched(trial, handle, "run-2"), None, "getting a deleted run after a save through each handle")
            hold_all(trial, handle, runs, "after one handle has deleted, and the other saved")
        other.close()
        hold_all(trial, session.reopen(one), runs, "after both handles were closed")

"""How long runs live: reopening, in this process and in another, and closing; what two places have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.runs_steps import (
    agree,
    fetched,
    gone,
    hold_all,
    holds,
    ids,
    is_durable,
    listing,
    save_all,
    some_runs,
)
from conformance.values.cases import ACCEPTED_VALUES, EXACT_OR_REFUSED_VALUES, FOREIGN_VALUES
from conformance.values.runs import full_run, small_run

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("RUNS-BASIC-01",)
_LISTED = (*_GATE, "RUNS-LIST-01")
_DURABLE = "durability:clean-close"


@check("RUNS-REOPEN-01", sources="RUN-27; the state contract on reopening", promise=_DURABLE, needs=_GATE)
def test_runs_survive_reopening(trial: Trial) -> None:
    """Acknowledged runs are there after the store was closed and opened again, each as it was saved last.

    Why: it is what they were saved for: the program that goes on with a run is mostly not the one that began it.

    Breaks it:

        def save_run(self, run):
            self._runs[run["id"]] = run       # written by close(), but only if the run is new
    """
    runs = some_runs(3)
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        for number in range(1, 4):
            store = session.reopen(store)
            for run in runs.values():
                holds(trial, store, run, f"getting {run['id']!r} after the store was opened again")
            runs["run-2"] = {**runs["run-2"], "status": f"changed {number} times"}
            save_all(store, {"run-2": runs["run-2"]})
        store = session.reopen(store)
        holds(trial, store, runs["run-2"], "getting a run that was saved again before the store was opened again")


@check("RUNS-REOPEN-02", sources="RUN-27", promise=_DURABLE, needs=_LISTED)
def test_runs_survive_in_a_new_process(trial: Trial) -> None:
    """Acknowledged runs are read by another process that opens the store after it was closed.

    Why: runs that live in a module's memory, or in a cache of the process, pass every test that runs in one process.

    Breaks it:

        _RUNS: dict[str, dict] = {}           # found again by this process alone
    """
    runs = {**some_runs(2), "run-3": full_run("run-3")}
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        order = ids(listing(trial, store))
        store.close()
        found = session.read_in_new_process()
        agree(trial, found, [runs[run_id] for run_id in order], "getting all that is listed, in a new process")


@check("RUNS-REOPEN-03", sources="RUN-02; KV-01", promise=_DURABLE, needs=_GATE)
def test_every_field_survives_reopening(trial: Trial) -> None:
    """Every field and every kind of value reads the same before the store was closed and after it was opened again.

    Why: before it is closed, a store may answer from memory. What is on the disk shows only now.

    Breaks it:

        self._cache[run["id"]] = run          # exact
        self._write(json.dumps(run))          # tuples and dict keys that are no str are lost
    """
    values = {**ACCEPTED_VALUES, **EXACT_OR_REFUSED_VALUES, **FOREIGN_VALUES}
    kept: list[str] = ["run-0"]
    with trial.fresh() as session:
        store = session.open()
        store.save_run(full_run("run-0"))
        for name, value in values.items():
            run = {"id": f"run with {name}", "state": {"deep": [value]}, "x-vendor": value}
            if trial.refused(lambda run=run: store.save_run(run)):  # type: ignore[misc]
                trial.count("refusals")
            else:
                kept.append(run["id"])
        before = {run_id: fetched(trial, store, run_id) for run_id in kept}
        agree(trial, before["run-0"], full_run("run-0"), "getting a run with all of the fields")
        store = session.reopen(store)
        for run_id in kept:
            agree(
                trial, fetched(trial, store, run_id), before[run_id], "getting a run after the store was opened again"
            )


@check("RUNS-CLOSE-01", sources="MEM-22; the state contract on closing", methods=("close",), needs=_LISTED)
def test_closing_runs_twice_is_harmless(trial: Trial) -> None:
    """Closing a store of runs that is closed already does nothing.

    Why: a `finally` and a context manager both close. The second time must neither raise, which hides the error that
    came before it, nor write anything.

    Breaks it:

        def close(self):
            self._file.close()
            self._file = None                 # the second time: AttributeError
    """
    runs = some_runs(3)
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        for _ in range(3):
            store.close()
        trial.count("comparisons")  # an exception would have ended the check
        if is_durable(trial):
            hold_all(trial, session.open(), runs, "after the store was closed three times and opened again")


@check("RUNS-CLOSE-02", sources="the state contract on closing", promise=_DURABLE, methods=("close",), needs=_LISTED)
def test_closed_store_loses_no_run(trial: Trial) -> None:
    """A closed store refuses to save, or saves so that the run is there after it was opened again.

    Why: a save that comes late, from a task that was not told, is acknowledged into an object that nobody will ever
    write to the disk. The run goes on from the checkpoint before, and does its last step twice.

    Breaks it:

        def save_run(self, run):
            self._pending.append(run)         # written by close(), which is over
    """
    old, new = small_run("run-1", 1), small_run("run-1", 2)
    with trial.fresh() as session:
        store = session.open()
        save_all(store, {"run-1": old})
        store.close()
        if trial.refused(lambda: store.save_run(new)):
            trial.count("refusals")
            kept = [old]
        else:
            # A save whose acknowledgement was refused may be there or not.
            kept = [old, new] if trial.refused(store.acknowledge) else [new]
        found = fetched(trial, session.open(), "run-1")
        trial.true(
            any(found == one for one in kept),
            "getting a run after a save to the closed store",
            expected=" or ".join(repr(one) for one in kept),
            got=repr(found),
        )


@check("RUNS-CLOSE-03", sources="the state contract on closing", methods=("close",), needs=_GATE)
def test_closed_store_is_not_empty(trial: Trial) -> None:
    """A closed store refuses to be read, or gives its runs; it never says that they are not there.

    Why: a reader that outlives the store by a moment takes the answer for the truth, and begins the run anew.

    Breaks it:

        def close(self):
            self._runs.clear()                # and get_run() goes on to work
    """
    run = small_run("run-1", 1)
    with trial.fresh() as session:
        store = session.open()
        save_all(store, {"run-1": run})
        store.close()
        found: list[Any] = []
        # A KeyError would tell the reader the same as None does: the run is not there.
        if trial.refused(lambda: found.append(fetched(trial, store, "run-1"))):
            trial.count("refusals")
        else:
            agree(trial, found, [run], "getting a run from a closed store")
        items: list[Any] = []
        if trial.refused(lambda: items.extend(store.list_runs())):
            trial.count("refusals")
        else:
            trial.equal([item["id"] for item in items], ["run-1"], "listing a closed store")
        trial.count("comparisons")  # both refused is a result as well


@check("RUNS-ISOLATE-01", sources="RUN-34", needs=_LISTED)
def test_two_places_share_nothing(trial: Trial) -> None:
    """Stores that are opened at two places have nothing in common, whatever their runs are called.

    Why: one service for each customer, one folder for each project: a store that keeps its runs in a class, or under
    a name that is the same everywhere, shows one customer the runs of another.

    Breaks it:

        class RunStore:
            _runs: dict[str, dict] = {}       # one for all instances
    """
    one, other = {"run-1": small_run("run-1", 1)}, {"run-1": small_run("run-1", 2), "run-2": small_run("run-2", 2)}
    with trial.fresh() as here, trial.fresh() as there:
        first, second = here.open(), there.open()
        save_all(first, one)
        gone(trial, second, "run-1", "getting a run in a place, when it was saved in another one")
        hold_all(trial, second, {}, "in a place, when runs were saved in another one")
        save_all(second, other)
        hold_all(trial, first, one, "in a place, when other runs with the same ids were saved in another one")
        hold_all(trial, second, other, "in the other place")
        if is_durable(trial):
            hold_all(trial, here.reopen(first), one, "in a place that was opened again")
            hold_all(trial, there.reopen(second), other, "in the other place, opened again")

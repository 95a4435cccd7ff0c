"""How long runs live: reopening, in this process and in another, and closing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.runs_steps import holds, save_all, some_runs

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("RUNS-BASIC-01",)
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

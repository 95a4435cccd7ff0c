"""Saving and getting in the `runs` contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.runs_steps import holds, some_runs

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("RUNS-BASIC-01",)


@check("RUNS-BASIC-01", sources="RUN-01, RUN-02")
def test_saved_run_is_read_back(trial: Trial) -> None:
    """A run that was saved is read back by its id, and so is every other one.

    Why: it is the least that a run store does. Whatever else is checked rests on it.

    Breaks it:

        def get_run(self, run_id):
            return self._latest               # whichever was saved last
    """
    one, other = some_runs(2).values()
    with trial.fresh() as session:
        store = session.open()
        store.save_run(one)
        holds(trial, store, one, "getting the run that was saved")
        store.save_run(other)
        holds(trial, store, other, "getting the run that was saved last")
        holds(trial, store, one, "getting the run that was saved before")

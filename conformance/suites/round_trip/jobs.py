"""Saving and getting in the `jobs` contract: the whole record, under its own id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.jobs_steps import fetch, has, save
from conformance.values.jobs import full_job, small_job

if TYPE_CHECKING:
    from conformance.trial import Trial


@check("JOBS-BASIC-01", sources="JOB-01, JOB-35; the runs contract on records")
def test_job_is_got_as_it_was_saved(trial: Trial) -> None:
    """A job that was saved is got again, equal in every field, and one that was not saved is not there.

    Why: it is the least that a job store does. Whatever else is checked rests on it.

    Breaks it:

        def get_job(self, job_id):
            return self._jobs.get(job_id, self._last)     # another job, rather than none
    """
    one, other = full_job("a"), small_job("b", 1)
    with trial.fresh() as session:
        store = session.open()
        trial.equal(fetch(trial, store, "a"), None, "getting a job that was never saved")
        save(store, one)
        has(trial, store, one, "getting the job that was saved")
        trial.equal(fetch(trial, store, "b"), None, "getting a job that was not saved, another one being there")
        save(store, other)
        for job in (one, other):
            has(trial, store, job, "getting each of the two jobs that were saved")

"""How long jobs of the `jobs` contract live: reopening, in this process and in another, and closing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.jobs_steps import has, lists, save
from conformance.values.jobs import full_job, small_job

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("JOBS-BASIC-01",)
_DURABLE = "durability:clean-close"


@check("JOBS-REOPEN-01", sources="JOB-22; the runs contract on durability", promise=_DURABLE, needs=_GATE)
def test_jobs_survive_reopening(trial: Trial) -> None:
    """Acknowledged jobs are there, whole, after the store was closed and opened again, and are still listed.

    Why: a process restarts between the scheduling of a job and its execution. A schedule that lives in memory alone is
    an agent that never wakes up.

    Breaks it:

        def __init__(self, path):
            self._jobs = {}                   # and nothing is read from the path
    """
    jobs = [full_job("full"), *(small_job(f"small {number}", number) for number in range(3))]
    with trial.fresh() as session:
        store = session.open()
        for number, job in enumerate(jobs, 1):
            save(store, job)
            store = session.reopen(store)
            for earlier in jobs[:number]:
                has(trial, store, earlier, "getting a job after the store was closed and opened again")
            lists(trial, store, [job["id"] for job in jobs[:number]], "listing after the store was closed and reopened")

"""Tasks of one event loop that share an open async job store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.among_tasks import require_async
from conformance.suites.concurrency.jobs import require_jobs

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "JOBS-CONC-21",
    sources="JOB-06; APScheduler#160; mutants jobs_chosen_before_waiting, jobs_without_lock_in_tasks",
    capability="claims",
    promise="sharing:threads",
    needs=("JOBS-BASIC-01", "JOBS-CLAIM-01"),
)
def test_tasks_claim_each_job_once(trial: Trial) -> None:
    """Of tasks that claim through one handle at the same time, each job that is due is given to exactly one.

    Why: the workers of an async scheduler are tasks of one loop. No thread and no process is between the look at what
    is due and the mark that it is taken; but an await is.

    Breaks it:

        due = await self._due(now)
        for job in due[:limit]:
            await self._mark(job, owner)               # another task has the same list
    """
    require_async(trial)
    require_jobs(trial, "claims", "tasks", "each job that is due is given to one worker")


@check(
    "JOBS-CONC-22",
    sources="JOB-40; lost updates between tasks; mutants job_completed_from_a_copy, jobs_without_lock_in_tasks",
    capability="claims",
    promise="sharing:threads",
    needs=("JOBS-BASIC-01", "JOBS-DONE-01"),
)
def test_tasks_count_every_completion(trial: Trial) -> None:
    """Every completion of several tasks is counted and noted in the history, and nobody's save is lost by it.

    Why: a count is read, raised and written. Where the store awaits in between, another task's completion or save is
    gone, without any error.

    Breaks it:

        jobs = await self._load()                      # all of them
        jobs[job_id]["runCount"] += 1
        await self._save(jobs)                         # and what another task saved meanwhile?
    """
    require_async(trial)
    require_jobs(trial, "completions", "tasks", "runCount and history have each completion, and each save is there")

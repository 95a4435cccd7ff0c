"""Process kills and the `jobs` contract: between the schedule, the run of a job, and the record of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import survives_a_kill

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("JOBS-BASIC-01", "JOBS-REOPEN-01")
_PROMISE = "durability:process-crash"


@check(
    "JOBS-CRASH-01",
    sources="JOB-22, JOB-25; mutants schedule_move_nonatomic, job_history_beside_it",
    promise=_PROMISE,
    needs=_NEEDS,
)
def test_saves_of_jobs_survive_a_kill(trial: Trial) -> None:
    """A kill at any system call leaves every job as it was saved last: schedule, count and history of one moment.

    Why: a job says when it is due, how often it has run, and what came of it, in one record. When the count is of this
    run and the time of the one before, the job runs twice, or never again.

    Breaks it:

        self._write(self._schedule, {job["id"]: job["runAt"]})
        self._write(self._path(job["id"]), job)        # killed in between: moved on, and never run
    """
    survives_a_kill(trial, "saves of jobs that run")


@check(
    "JOBS-CRASH-02",
    sources="JOB-20, JOB-21, JOB-23; huey #253, rq #152; mutants pop_then_crash, lease_beside_the_job",
    capability="claims",
    promise=_PROMISE,
    needs=(*_NEEDS, "JOBS-CLAIM-01", "JOBS-DONE-01"),
)
def test_claims_survive_a_kill(trial: Trial) -> None:
    """A kill around a claim, a renewal, a completion or a failure leaves each job with one holder, and loses none.

    Why: a worker dies with its job, and the store must know of both. Until the lease ends nobody else gets the job,
    also from a new process; when it has ended, somebody does; what was completed is not run again; and a job that was
    taken out of the queue and into no record is gone for good.

    Breaks it:

        job = self._queue.pop(0)
        self._save_queue()                             # killed here: in no queue, and nobody has it
        self._save_running(job, owner, until)
    """
    survives_a_kill(trial, "claims")


@check(
    "JOBS-CRASH-03",
    sources="JOB-12, JOB-23; mutant status_written_behind",
    capability="status",
    promise=_PROMISE,
    needs=(*_NEEDS, "JOBS-STATUS-01"),
)
def test_moves_of_jobs_survive_a_kill(trial: Trial) -> None:
    """Every acknowledged move of a job to another status is there after a kill at any system call.

    Why: what is `running` is looked after, and what is `stopped` is not started. A status that went back is acted on.

    Breaks it:

        self._status[job_id] = status                  # written with the next save of the job
    """
    survives_a_kill(trial, "moves from status to status")


@check("JOBS-CRASH-06", sources="KV-45; LOG-37", promise=_PROMISE, needs=_NEEDS)
def test_closing_and_opening_a_job_store_survive_a_kill(trial: Trial) -> None:
    """A kill while a job store is closed or opened again loses no job, and takes no run back.

    Why: a scheduler is restarted by every deployment, and one that starts rewrites its schedule.

    Breaks it:

        def close(self):
            self._path.unlink()
            self._write_all(self._path)                # killed in between: no job is left
    """
    survives_a_kill(trial, "closing and reopening")

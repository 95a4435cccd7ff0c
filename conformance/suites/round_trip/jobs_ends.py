"""How claims of the `jobs` contract end well: what a completion writes, and what a job has behind it then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.jobs_steps import complete, ended, fetch, gives, has, keeps, save, take
from conformance.values.jobs import full_job, small_job

if TYPE_CHECKING:
    from conformance.trial import Trial

_CLAIMS = ("JOBS-BASIC-01", "JOBS-CLAIM-01")
_DONE = (*_CLAIMS, "JOBS-DONE-01")
_DURABLE = "durability:clean-close"


@check("JOBS-DONE-01", sources="JOB-12; the contract on completions", capability="claims", needs=_CLAIMS)
def test_completion_is_recorded(trial: Trial) -> None:
    """A completion adds one to `runCount`, sets `lastRunAt`, `result` and `error`, and notes itself in `history`.

    Why: it is how anybody learns that the job has run, and what came of it. An error that stays beside the new result
    looks like a failure, a count that stays makes the last run come again.

    Breaks it:

        job["result"] = result                    # and the rest as it was
    """
    job = small_job("a", 1, error={"message": "of the last run"}, payload={"keep": [1, None]})
    with trial.fresh() as session:
        store = session.open()
        save(store, job, small_job("other", 9_000))
        token = take(trial, store, "a", 2_000)
        complete(store, "a", token, 2_050, {"sent": 3, "ids": ["x"]})
        expected = {**job, "status": "stopped", "runCount": 1, "lastRunAt": 2_050, "error": None}
        expected["result"] = {"sent": 3, "ids": ["x"]}
        ended(trial, store, expected, 2_050, "completed", "getting a job that was completed")
        has(trial, store, small_job("other", 9_000), "getting another job")


@check("JOBS-DONE-02", sources="JOB-12, JOB-15", capability="claims", needs=_DONE)
def test_job_that_runs_once_is_stopped(trial: Trial) -> None:
    """A job without an interval is `stopped` when it was completed, and never due again.

    Why: a reminder that is sent again with every poll, because its time has come and nobody noted that it is done.

    Breaks it:

        job["status"] = "ready"                   # and runAt is in the past
    """
    job = small_job("a", 1)
    with trial.fresh() as session:
        store = session.open()
        save(store, job, small_job("b", 2, maxRuns=5))
        tokens = gives(trial, store, 2_000, ["a", "b"], "claiming both jobs")
        for job_id, token in tokens.items():
            complete(store, job_id, token, 2_001)
        for now in (2_001, 2_100, 2_101, 1_000_000_000):
            gives(trial, store, now, [], "claiming after both jobs were completed")
        trial.equal(fetch(trial, store, "a")["status"], "stopped", "the status of a job that was to run once, and has")


@check("JOBS-DONE-03", sources="JOB-36; counting in the contract", capability="claims", needs=_DONE)
def test_history_grows_at_its_end(trial: Trial) -> None:
    """Each completion adds one entry at the end of the history, and the entries before it stay as they are.

    Why: the history is read to tell what happened, and when. One that keeps the last entries only, or writes all of
    them anew in its own form, has forgotten.

    Breaks it:

        job["history"] = (job["history"] + [entry])[-10:]
    """
    job = {**full_job("a"), "runAt": 1_000, "intervalMs": 1_000, "maxRuns": None, "misfire": "once"}
    job["runCount"], before = 2, len(job["history"])
    with trial.fresh() as session:
        store = session.open()
        save(store, job)
        for number in range(12):
            now = 1_000 * (number + 1)
            token = take(trial, store, "a", now)
            complete(store, "a", token, now + 5, number)
            expected = {**job, "runAt": now + 1_000, "runCount": 3 + number, "lastRunAt": now + 5, "result": number}
            expected["error"] = None
            ended(trial, store, expected, now + 5, "completed", f"getting a job after {number + 1} completions")
            job = {**job, "history": fetch(trial, store, "a")["history"]}
        trial.equal(len(job["history"]), before + 12, "the length of the history after 12 completions")


@check(
    "JOBS-DONE-04", sources="JOB-21, JOB-23", capability="claims", promise=_DURABLE, needs=(*_DONE, "JOBS-REOPEN-01")
)
def test_job_goes_on_over_restarts(trial: Trial) -> None:
    """A job that was scheduled, executed and recorded with a restart between each is where it would be without.

    Why: processes restart at any time. What is due is not due any more if the index of times was in memory, what ran is
    run again if its end was, and the count begins anew.

    Breaks it:

        self._run_counts = collections.Counter()  # since the start
    """
    job = small_job("a", 0, runAt=1_000, intervalMs=1_000, maxRuns=3)
    with trial.fresh() as session:
        store = session.open()
        save(store, job)
        for count in (1, 2, 3):
            store = session.reopen(store)
            now = 1_000 * count
            gives(trial, store, now - 1, [], "claiming after a restart, before the job is due")
            token = take(trial, store, "a", now)
            store = session.reopen(store)
            complete(store, "a", token, now + 10, f"run {count}")
            store = session.reopen(store)
            moved = {"status": "ready", "runAt": now + 1_000} if count < 3 else {"status": "stopped"}
            expected = {**job, **moved, "runCount": count, "lastRunAt": now + 10, "result": f"run {count}"}
            ended(trial, store, expected, now + 10, "completed", "getting a job, restarted before and after its run")
            job = {**job, "history": fetch(trial, store, "a")["history"]}
        gives(trial, store, 1_000_000, [], "claiming after a restart, the job having run as often as it may")


@check("JOBS-DONE-05", sources="JOB-22", capability="claims", needs=_DONE)
def test_jobs_end_one_by_one(trial: Trial) -> None:
    """Of jobs that were claimed together, each is ended by its own token, in any order, and the others stay claimed.

    Why: a worker claims a batch, and its jobs take different times. A batch that is written back as a whole undoes what
    was recorded meanwhile.

    Breaks it:

        def complete(self, job_id, token, now, result=None):
            self._write_all(self._batch)          # as it was when it was claimed
    """
    jobs = [small_job(f"{number}", number) for number in range(5)]
    with trial.fresh() as session:
        store = session.open()
        save(store, *jobs)
        tokens = gives(trial, store, 2_000, [job["id"] for job in jobs], "claiming all jobs")
        running = [{**job, "status": "running"} for job in jobs]
        for number in (3, 0, 4, 1, 2):
            done = running[number]
            complete(store, done["id"], tokens[done["id"]], 2_010 + number, number)
            expected = {**done, "status": "stopped", "runCount": 1, "lastRunAt": 2_010 + number, "result": number}
            ended(
                trial, store, expected, 2_010 + number, "completed", "getting a job of a batch after it was completed"
            )
            running[number] = fetch(trial, store, done["id"])
            for job in running:
                keeps(trial, store, job, "getting each job of the batch after one of them was completed")

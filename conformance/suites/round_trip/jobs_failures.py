"""Failures in the `jobs` contract: another try, and jobs that are poison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.jobs_steps import claim, complete, ended, fail, fetch, gives, save, take
from conformance.values.jobs import small_job

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.session import Handle
    from conformance.trial import Trial

_NEEDS = ("JOBS-BASIC-01", "JOBS-CLAIM-01")
_FAILS = (*_NEEDS, "JOBS-FAIL-01")
_DURABLE = "durability:clean-close"


def _statuses(trial: Trial, store: Handle, expected: dict[str, str], what: str) -> None:
    """Require that jobs have these statuses."""
    found = {job_id: (fetch(trial, store, job_id) or {}).get("status") for job_id in expected}
    trial.equal(found, expected, what)


@check("JOBS-FAIL-01", sources="JOB-13; the contract on failures", capability="claims", needs=_NEEDS)
def test_failed_job_is_due_again(trial: Trial) -> None:
    """A failure sets `error` and notes itself in the history; the job is `ready` at the same `runAt`, its count as is.

    Why: what failed is tried again. A failure that counts as a run uses up `maxRuns`; one that moves the job to its
    next time leaves this one out; one that nobody notes is looked for in vain.

    Breaks it:

        def fail(self, job_id, token, now, error=None):
            self.complete(job_id, token, now, {"error": error})
    """
    job: dict[str, Any] = small_job("a", 1, intervalMs=1_000, maxRuns=2, result="of before", lastRunAt=7)
    with trial.fresh() as session:
        store = session.open()
        save(store, job)
        for number in range(6):
            now = 2_000 + 10 * number
            token = take(trial, store, "a", now)
            error = {"message": f"failure {number}", "trace": ["line 1", None]}
            fail(store, "a", token, now + 5, error)
            ended(
                trial, store, {**job, "error": error}, now + 5, "failed", f"getting a job after {number + 1} failures"
            )
            job = {**job, "history": fetch(trial, store, "a")["history"]}


@check("JOBS-FAIL-02", sources="JOB-13; Oban discards what exceeds max attempts", capability="claims", needs=_FAILS)
def test_poison_is_failed_for_good(trial: Trial) -> None:
    """A job that fails at its last attempt, `maxAttempts` claims since its last completion, is `failed`, and not due.

    Why: a job that fails whatever is done is tried for ever, and costs a model call each time.

    Breaks it:

        job["status"] = "ready"                   # maxAttempts is never looked at
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 1, maxAttempts=3), small_job("b", 2, maxAttempts=1, intervalMs=1_000))
        for number, ids in enumerate((["a", "b"], ["a"], ["a"]), 1):
            now = 2_000 + 100 * number
            for job_id, token in gives(trial, store, now, ids, f"claiming for attempt {number}").items():
                fail(store, job_id, token, now + 1, number)
            save(store, {**fetch(trial, store, "a"), "label": f"saved after attempt {number}"})
            expected = {"a": "failed" if number == 3 else "ready", "b": "failed"}
            _statuses(trial, store, expected, f"the statuses of jobs with 3 and 1 attempts after {number} failed")
        trial.equal(fetch(trial, store, "a")["error"], 3, "the error of a job that failed for good")
        for now in (2_302, 5_000, 1_000_000):
            gives(trial, store, now, [], "claiming when all jobs have failed for good")


@check("JOBS-FAIL-03", sources="JOB-24; Orleans poisons what kills its owners", capability="claims", needs=_FAILS)
def test_job_whose_owners_died_is_crashed(trial: Trial) -> None:
    """A job whose owners all died, `maxAttempts` of them, is `crashed` when it would be handed out, and not due again.

    Why: a job that takes its worker down with it, by the memory that it needs or a signal, never calls `fail`. Counted
    by failures alone it kills one worker after the other.

    Breaks it:

        def fail(...): job["failures"] += 1       # who is dead does not call this
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 1, maxAttempts=3))
        for number in range(3):
            take(trial, store, "a", 2_000 + 100 * number, owner=f"worker {number}", lease=100)
        gives(trial, store, 2_299, [], "claiming while the lease of the last attempt lasts")
        gives(trial, store, 2_300, [], "claiming when the lease of the last attempt has expired")
        _statuses(trial, store, {"a": "crashed"}, "the status of a job whose three owners died")
        gives(trial, store, 1_000_000, [], "claiming much later")


@check("JOBS-FAIL-04", sources="persist-queue#142: head of line; JOB-24", capability="claims", needs=_FAILS)
def test_poison_blocks_no_other_job(trial: Trial) -> None:
    """Jobs behind a poison job are handed out, also with a limit of one.

    Why: the poison job is always the oldest. If it takes the place in the answer, or ends the search, nothing behind it
    ever runs.

    Breaks it:

        job = due[0]
        if job["attempts"] >= job["maxAttempts"]:
            return []                             # and the same next time
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("poison", 1, maxAttempts=1), small_job("fails", 2, maxAttempts=1))
        tokens = gives(trial, store, 2_000, ["poison", "fails"], "claiming two jobs with one attempt", lease=100)
        fail(store, "fails", tokens["fails"], 2_001)
        save(store, *(small_job(f"good {number}", 10 + number) for number in range(3)))
        for number in range(3):
            gives(trial, store, 3_000, [f"good {number}"], "claiming one job, two poison ones being older", limit=1)
        gives(trial, store, 3_000, [], "claiming when only the poison jobs are left")
        _statuses(trial, store, {"poison": "crashed", "fails": "failed"}, "the statuses of the poison jobs")


@check(
    "JOBS-FAIL-05",
    sources="JOB-13, JOB-20; Orleans resets on success",
    capability="claims",
    needs=(*_FAILS, "JOBS-DONE-01"),
)
def test_completion_makes_attempts_begin_anew(trial: Trial) -> None:
    """Attempts are counted since the last completion: a recurring job may be claimed `maxAttempts` times for each run.

    Why: a job that fails now and then, and always succeeds in the end, has failed often enough after some weeks. If
    nobody forgets that, the heartbeat of the system stops one night.

    Breaks it:

        if len([e for e in job["history"] if e["status"] == "failed"]) >= job["maxAttempts"]: ...
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 0, runAt=1_000, intervalMs=1_000, maxAttempts=3))
        for number in range(1, 6):
            now = 1_000 * number
            fail(store, "a", take(trial, store, "a", now), now + 1)
            take(trial, store, "a", now + 2, lease=50)  # by one who dies
            complete(store, "a", take(trial, store, "a", now + 52), now + 60)
        _statuses(trial, store, {"a": "ready"}, "the status of a job that needs three attempts for each run")
        trial.equal(fetch(trial, store, "a")["runCount"], 5, "the number of its runs")


@check(
    "JOBS-FAIL-06",
    sources="JOB-20, JOB-23, JOB-24",
    capability="claims",
    promise=_DURABLE,
    needs=(*_FAILS, "JOBS-REOPEN-01"),
)
def test_attempts_survive_reopening(trial: Trial) -> None:
    """Attempts count over reopenings, and a job that has failed or crashed for good stays so.

    Why: a poison job takes the whole process with it, and the process is restarted. A count in memory begins anew each
    time, and so does the crash.

    Breaks it:

        self._attempts = collections.Counter()    # since the start
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("crashes", 1, maxAttempts=3), small_job("fails", 2, maxAttempts=3))
        for number in range(3):
            now = 2_000 + 100 * number
            tokens = gives(trial, store, now, ["crashes", "fails"], f"claiming for attempt {number + 1}", lease=100)
            fail(store, "fails", tokens["fails"], now + 1)
            store = session.reopen(store)
        for now in (5_000, 6_000):
            gives(trial, store, now, [], "claiming after three attempts, each followed by a restart")
            store = session.reopen(store)
        _statuses(trial, store, {"crashes": "crashed", "fails": "failed"}, "the statuses after restarts")


@check("JOBS-FAIL-07", sources="JOB-13, JOB-20", capability="claims", needs=_FAILS)
def test_without_a_limit_there_is_always_another_attempt(trial: Trial) -> None:
    """A job without `maxAttempts`, or with None, is never poison, however often its owners die or fail.

    Why: a default that nobody asked for ends jobs that were to be tried until they work.

    Breaks it:

        most = job.get("maxAttempts") or 25
    """
    fields: Iterable[dict[str, Any]] = ({}, {"maxAttempts": None})
    with trial.fresh() as session:
        store = session.open()
        save(store, *(small_job(f"{number}", number, **more) for number, more in enumerate(fields)))
        for number in range(30):
            claims = claim(trial, store, 2_000 + 100 * number, lease=100)
            trial.equal([one["job"]["id"] for one in claims], ["0", "1"], f"claiming for attempt {number + 1}")
            if number % 3 == 0:
                for one in claims:
                    fail(store, one["job"]["id"], one["token"], 2_001 + 100 * number)
        _statuses(trial, store, {"0": "running", "1": "running"}, "the statuses after 30 attempts")

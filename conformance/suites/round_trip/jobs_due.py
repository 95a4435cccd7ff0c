"""Which jobs of the `jobs` contract are due, and in which order: the capability `claims`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.jobs_steps import claim, gives, has, keeps, save
from conformance.values.jobs import full_job, small_job

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("JOBS-BASIC-01",)
_CLAIMS = (*_GATE, "JOBS-CLAIM-01")
_STATUSES = ("created", "initializing", "running", "stopping", "stopped", "failed", "crashed", "restarting")


@check("JOBS-CLAIM-01", sources="JOB-07; River JobGetAvailable", capability="claims", needs=_GATE)
def test_claim_hands_out_the_job(trial: Trial) -> None:
    """A claim gives the job, an int as its token, the owner, and `now + lease` as its end; the job is `running` then.

    Why: whoever executes the job knows it from the claim alone, and must know how long it is alone with it. A job that
    is executed but not marked looks idle to everybody who looks at the list.

    Breaks it:

        return [{"job": job, "token": token, "until": lease}]     # a duration, not an instant
    """
    job = small_job("a", 1, labels=["x"])
    with trial.fresh() as session:
        store = session.open()
        save(store, job)
        claims = claim(trial, store, 2_000, owner="worker 1", lease=300)
        trial.equal([one["job"].get("id") for one in claims], ["a"], "claiming the one job that is due")
        running = {**job, "status": "running"}
        given = {name: claims[0]["job"][name] for name in running if name in claims[0]["job"]}
        trial.equal(given, running, "the job as it is handed out")
        keeps(trial, store, running, "getting a job that was claimed")


@check("JOBS-CLAIM-02", sources="JOB-35; the runs contract on records", capability="claims", needs=_CLAIMS)
def test_claim_changes_nothing_else(trial: Trial) -> None:
    """A claim changes the status of the job and no other field, and hands the job out with all of them.

    Why: the payload is read, rewritten and copied on its way to the worker. What is escaped once too often, cut off or
    unknown to the table of columns arrives changed.

    Breaks it:

        job = Job(**{name: row[name] for name in COLUMNS})     # what is no column stays behind
    """
    jobs = [{**full_job("full"), "runAt": 10}, small_job("small", 1, runAt=20, extra=[None, 1.0, "\x00", {"é": []}])]
    with trial.fresh() as session:
        store = session.open()
        save(store, *jobs)
        claims = claim(trial, store, 20)
        for one, job in zip(claims, jobs, strict=False):
            expected = {**job, "status": "running"}
            given = {name: one["job"][name] for name in expected if name in one["job"]}
            trial.equal(given, expected, "the job as it is handed out")
            keeps(trial, store, expected, "getting the job that was claimed")
        trial.equal(len(claims), len(jobs), "the number of claims, both jobs being due")


@check("JOBS-DUE-01", sources="JOB-02, JOB-04; River, Oban: on or before now", capability="claims", needs=_CLAIMS)
def test_job_is_due_from_its_time_on(trial: Trial) -> None:
    """A job is due from `runAt` on, that instant included, and not before; one that is long overdue is due at once.

    Why: a scheduler sleeps until the next `runAt` and asks then. If that instant does not count, the job waits for the
    next round, and in a loop that sleeps until "the next job" for ever.

    Breaks it:

        if job["runAt"] < now:                # exactly now is not due
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, *(small_job(f"at {at}", 0, runAt=at) for at in (1, 999, 1_000, 1_001, 2_000)))
        gives(trial, store, 0, [], "claiming before any job is due")
        gives(trial, store, 998, ["at 1"], "claiming when one job is overdue")
        gives(trial, store, 1_000, ["at 999", "at 1000"], "claiming when a job's runAt is exactly now")
        gives(trial, store, 1_000, [], "claiming again at the same time")
        gives(trial, store, 1_001, ["at 1001"], "claiming a millisecond later")


@check("JOBS-DUE-02", sources="JOB-12; Quartz trigger states", capability="claims", needs=_CLAIMS)
def test_only_ready_jobs_are_due(trial: Trial) -> None:
    """A job whose status is not `ready` is never due, however old its `runAt` is.

    Why: a stopped job that runs all the same is the one that somebody has just stopped. A job that is saved as running
    belongs to whoever runs it.

    Breaks it:

        SELECT ... WHERE run_at <= ?          -- whatever the status
    """
    jobs = [small_job(status, number, status=status) for number, status in enumerate(_STATUSES)]
    with trial.fresh() as session:
        store = session.open()
        save(store, *jobs)
        gives(trial, store, 1_000_000, [], "claiming when no job is ready")
        for job in jobs:
            has(trial, store, job, "getting a job that was not due")
        save(store, small_job("ready", 50))
        gives(trial, store, 1_000_000, ["ready"], "claiming when one of the jobs is ready")


@check("JOBS-DUE-03", sources="JOB-03; Orleans in due time order", capability="claims", needs=_CLAIMS)
def test_earliest_comes_first(trial: Trial) -> None:
    """Due jobs are handed out in the order of their `runAt`, whatever the order in which they were saved.

    Why: with a limit, the order decides who waits. Jobs in the order of a table, a directory or a text ("10" before
    "9") let the oldest starve.

    Breaks it:

        due = [job for job in self._jobs.values() if job["runAt"] <= now]     # in the order of their saving
    """
    times = (700, 9, 1_000, 80, 10, 90_000, 800, 1)
    with trial.fresh() as session:
        store = session.open()
        save(store, *(small_job(f"{number}", 0, runAt=at) for number, at in enumerate(times)))
        expected = [f"{times.index(at)}" for at in sorted(times)]
        gives(trial, store, 5_000, expected[:3], "claiming the three that are due first", limit=3)
        gives(trial, store, 5_000, expected[3:-1], "claiming the others that are due")
        gives(trial, store, 100_000, ["7"], "claiming one, all but one of the leases having expired", limit=1)


@check("JOBS-DUE-04", sources="JOB-05; River ConstrainedToLimit", capability="claims", needs=_CLAIMS)
def test_limit_is_kept(trial: Trial) -> None:
    """No more jobs than the limit are handed out, and what is not handed out stays as it is; 0 gives nothing.

    Why: a worker asks for as many as it has room for, which is sometimes none. What it gets beyond that nobody runs
    until the lease is over.

    Breaks it:

        for job in due[: limit or None]:      # 0 gives all
    """
    jobs = [small_job(f"{number}", number) for number in range(6)]
    ids = [job["id"] for job in jobs]
    with trial.fresh() as session:
        store = session.open()
        save(store, *jobs)
        gives(trial, store, 2_000, [], "claiming with a limit of 0", limit=0)
        gives(trial, store, 2_000, ids[:1], "claiming with a limit of 1", limit=1)
        for job in jobs[1:]:
            has(trial, store, job, "getting a job that the limit kept back")
        gives(trial, store, 2_000, ids[1:3], "claiming with a limit of 2", limit=2)
        gives(trial, store, 2_000, [], "claiming with a limit of 0, three jobs being due", limit=0)
        gives(trial, store, 2_000, ids[3:], "claiming with a limit above the number of the others", limit=100)


@check("JOBS-DUE-05", sources="JOB-31; Quartz StoreTriggerReplaces", capability="claims", needs=_CLAIMS)
def test_a_job_that_is_saved_anew_is_due_at_its_new_time(trial: Trial) -> None:
    """What counts is the `runAt` and the status that were saved last.

    Why: an index of due times beside the records is updated when a job is added, and forgotten when it is changed. A
    job that was put off runs at its old time, and one that was stopped runs as well.

    Breaks it:

        def save_job(self, job):
            if job["id"] not in self._jobs:
                heapq.heappush(self._due, (job["runAt"], job["id"]))     # only the first time
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, *(small_job(name, 0, runAt=100) for name in ("sooner", "later", "stopped")))
        save(store, small_job("created", 0, runAt=10, status="created"))
        save(store, small_job("sooner", 0, runAt=50), small_job("later", 0, runAt=500))
        save(store, small_job("stopped", 0, runAt=100, status="stopped"), small_job("created", 0, runAt=20))
        gives(trial, store, 99, ["created", "sooner"], "claiming after one was brought forward, and one made ready")
        gives(trial, store, 100, [], "claiming at the time at which the others were to run")
        gives(trial, store, 250, ["created", "sooner"], "claiming when their leases have expired")
        gives(trial, store, 500, ["created", "sooner", "later"], "claiming at the time of the job that was put off")

"""Leases in the `jobs` contract: while one lasts nobody else gets the job, and when it has expired one taker does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.jobs_steps import (
    complete,
    ended,
    fail,
    fetch,
    gives,
    keeps,
    require_durable,
    save,
    take,
)
from conformance.values.jobs import small_job

if TYPE_CHECKING:
    from conformance.trial import Trial

_CLAIMS = ("JOBS-BASIC-01", "JOBS-CLAIM-01")
_ENDS = (*_CLAIMS, "JOBS-DONE-01")
_DURABLE = "durability:clean-close"


@check("JOBS-LEASE-01", sources="JOB-08; celery#2599, #5935; apscheduler#129", capability="claims", needs=_CLAIMS)
def test_claimed_job_is_nobody_elses(trial: Trial) -> None:
    """A job that was claimed is given to nobody, the same owner included, until the lease has expired.

    Why: two schedulers that both find the job due run it twice: two mails, two payments. So does a queue that hands a
    job out again after a time of its own, shorter than the lease that the worker was promised.

    Breaks it:

        if job["runAt"] <= now:               # whoever has it
            claims.append(job)
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("long", 0), small_job("short", 1))
        gives(trial, store, 2_000, ["long"], "claiming one of two", lease=1_000, limit=1)
        gives(trial, store, 2_000, ["short"], "claiming as another owner, one being claimed", owner="two", lease=10)
        for now in (2_000, 2_001, 2_009):
            gives(trial, store, now, [], "claiming while both leases last", owner="two")
        gives(trial, store, 2_010, ["short"], "claiming when the shorter lease has expired", owner="three", lease=5_000)
        for now in (2_500, 2_999):
            for owner in ("one", "two"):
                gives(trial, store, now, [], "claiming while the longer lease lasts", owner=owner)


@check("JOBS-LEASE-02", sources="JOB-08, JOB-20; River Rescue", capability="claims", needs=_CLAIMS)
def test_expired_lease_is_taken_over_once(trial: Trial) -> None:
    """A lease has expired exactly at `until`: one taker is given the job then, and has it for a lease of its own.

    Why: the worker was killed, and nobody else will ever tell. A job that stays with a dead owner is lost; one that
    everybody takes over runs as often as there are workers.

    Breaks it:

        if job["status"] == "running": continue     # for ever
    """
    job = small_job("a", 1)
    with trial.fresh() as session:
        store = session.open()
        save(store, job)
        take(trial, store, "a", 2_000, lease=100)
        gives(trial, store, 2_099, [], "claiming a millisecond before the lease ends", owner="two")
        take(trial, store, "a", 2_100, owner="two", lease=100)
        keeps(trial, store, {**job, "status": "running"}, "getting a job that was taken over")
        gives(trial, store, 2_100, [], "claiming at the same time, after the job was taken over", owner="three")
        gives(trial, store, 2_199, [], "claiming while the second lease lasts", owner="three")
        take(trial, store, "a", 9_999, owner="three", lease=100)
        gives(trial, store, 9_999, [], "claiming after the job was taken over a second time", owner="one")


@check("JOBS-LEASE-03", sources="JOB-20; huey#253, rq#152: pop, then crash", capability="claims", needs=_CLAIMS)
def test_claimed_job_is_still_there(trial: Trial) -> None:
    """A job that was claimed is still got and listed, and so is one whose owner never came back.

    Why: a queue that removes the job when it hands it out runs it at most once: if the worker dies, so does the job,
    and nobody finds out which one it was.

    Breaks it:

        def claim_due(self, now, owner, lease, limit):
            return [self._jobs.pop(job_id) for job_id in self._due(now)[:limit]]
    """
    jobs = [small_job("a", 1), small_job("b", 2)]
    with trial.fresh() as session:
        store = session.open()
        save(store, *jobs)
        gives(trial, store, 2_000, ["a", "b"], "claiming both jobs")
        for job in jobs:
            keeps(trial, store, {**job, "status": "running"}, "getting a job that was claimed")
        listed = sorted(one["id"] for one in store.list_jobs())
        trial.equal(listed, ["a", "b"], "listing, both jobs being claimed")
        gives(trial, store, 5_000, ["a", "b"], "claiming after both owners have died", owner="two")


@check(
    "JOBS-LEASE-04",
    sources="JOB-09; ShedLock lockCanNotBeExtendedTwice; DynamoDB lock",
    capability="claims",
    needs=_CLAIMS,
)
def test_renewed_lease_lasts_longer(trial: Trial) -> None:
    """A lease that is renewed in time ends at `now + lease` of the renewal, and no earlier and no later.

    Why: this is how a job may take longer than its lease. A heartbeat that is accepted, but does not count, gives the
    job to a second worker while the first one still works on it.

    Breaks it:

        def renew(self, job_id, token, now, lease):
            self._owners[job_id].seen = now       # but `until` stays
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 1))
        token = take(trial, store, "a", 2_000, lease=100)
        for now in (2_050, 2_149, 2_200):
            store.renew("a", token, now, 100)
            store.acknowledge()
            gives(trial, store, now + 99, [], "claiming a millisecond before the renewed lease ends", owner="two")
        store.renew("a", token, 2_250, 20)
        store.acknowledge()
        take(trial, store, "a", 2_270, owner="two")


@check("JOBS-LEASE-05", sources="JOB-08, JOB-10; lost updates", capability="claims", needs=_ENDS)
def test_saving_a_claimed_job_leaves_its_claim(trial: Trial) -> None:
    """A claimed job that is saved, as it is or as it was before the claim, is not given to anybody else for that.

    Why: someone corrects the payload of a job, or its label. If the claim is a part of the record that is replaced, the
    save takes it away from the worker who has it, and a second one begins.

    Breaks it:

        def save_job(self, job):
            self._jobs[job["id"]] = Row(job, token=0, until=None)     # a new row
    """
    job = small_job("a", 1)
    with trial.fresh() as session:
        store = session.open()
        save(store, job)
        read_before = fetch(trial, store, "a")
        token = take(trial, store, "a", 2_000)
        now = 2_000
        for read, named in ((fetch(trial, store, "a"), "it is"), (read_before, "it was before the claim")):
            now += 1
            save(store, {**read, "label": named})
            gives(trial, store, now, [], f"claiming after the claimed job was saved as {named}", owner="two")
        complete(store, "a", token, 2_010, "done")
        expected = {**job, "label": "it was before the claim", "status": "stopped", "result": "done"}
        expected.update(runCount=1, lastRunAt=2_010)
        ended(trial, store, expected, 2_010, "completed", "completing the job that was saved meanwhile")


@check(
    "JOBS-LEASE-06", sources="JOB-20, JOB-22", capability="claims", promise=_DURABLE, needs=(*_ENDS, "JOBS-REOPEN-01")
)
def test_claims_survive_reopening(trial: Trial) -> None:
    """A claim lasts over a reopening: nobody else is given the job before the lease ends, and its token ends it.

    Why: the process restarts between the execution of a job and its recording. A lease that is kept in memory is
    forgotten with it, and the job, which another process is at work on, is handed out again.

    Breaks it:

        self._leases: dict[str, Lease] = {}       # beside a table of jobs that is on the disk
    """
    job, other = small_job("a", 1), small_job("b", 2)
    with trial.fresh() as session:
        store = session.open()
        save(store, job, other)
        tokens = gives(trial, store, 2_000, ["a", "b"], "claiming both jobs", lease=100)
        store = session.reopen(store)
        keeps(trial, store, {**job, "status": "running"}, "getting a claimed job after the store was reopened")
        gives(trial, store, 2_099, [], "claiming after reopening, while the leases last", owner="two")
        store.renew("b", tokens["b"], 2_050, 500)
        store = session.reopen(store)
        complete(store, "a", tokens["a"], 2_060, [1])
        store = session.reopen(store)
        expected = {**job, "status": "stopped", "runCount": 1, "lastRunAt": 2_060, "result": [1]}
        ended(trial, store, expected, 2_060, "completed", "a job that was completed after one reopening, after another")
        gives(trial, store, 2_549, [], "claiming after reopening, while the renewed lease lasts", owner="two")
        take(trial, store, "b", 2_550, owner="two")


@check("JOBS-LEASE-07", sources="JOB-08, JOB-10", capability="claims", promise="sharing:processes", needs=_ENDS)
def test_claims_count_for_other_handles(trial: Trial) -> None:
    """A claim that was made through one handle counts in every other one, and so do its renewal and its end.

    Why: workers have handles of their own. A claim that only its own handle knows of is none.

    Breaks it:

        def __init__(self, path):
            self._claimed: set[str] = set()       # by this handle
    """
    require_durable(trial)
    with trial.fresh() as session:
        one, two = session.open(), session.open()
        save(one, small_job("a", 1), small_job("b", 2, intervalMs=1_000))
        gives(trial, two, 1_000, [], "claiming through a second handle before anything is due")
        first = gives(trial, one, 2_000, ["a"], "claiming one of two through the first handle", limit=1)
        second = gives(trial, two, 2_000, ["b"], "claiming through the second handle", owner="two")
        gives(trial, one, 2_099, [], "claiming through the first handle, while both leases last")
        one.renew("a", first["a"], 2_050, 500)
        one.acknowledge()
        complete(two, "b", second["b"], 2_060)
        gives(trial, two, 2_549, [], "claiming through the second handle, the lease being renewed", owner="two")
        take(trial, two, "a", 2_550, owner="two", lease=10_000)
        gives(trial, one, 3_002, ["b"], "claiming through the first handle at the next time of a recurring job")


@check("JOBS-TOKEN-01", sources="JOB-10; Kleppmann on fencing tokens", capability="claims", needs=_ENDS)
def test_every_token_is_higher(trial: Trial) -> None:
    """The token of a claim is higher than every token of that job before: after expiry, completion and failure.

    Why: whatever the worker writes to elsewhere keeps the highest token that it has seen, and refuses lower ones. A
    token that comes a second time lets a worker through that was given up long ago.

    Breaks it:

        token = job["attempts"] + 1               # and attempts begin anew after a completion
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 0, runAt=1_000, intervalMs=1_000))
        tokens: list[int] = []
        for now, end in (
            (1_000, None),
            (1_500, fail),
            (1_600, complete),
            (2_000, None),
            (2_500, complete),
            (3_000, None),
        ):
            token = take(trial, store, "a", now)
            _require_higher(trial, tokens, token, "the token of a claim")
            if end is not None:
                end(store, "a", token, now + 1)
        save(store, {**fetch(trial, store, "a"), "label": "saved anew"})
        _require_higher(trial, tokens, take(trial, store, "a", 3_500), "the token after the job was saved anew")


@check(
    "JOBS-TOKEN-02",
    sources="JOB-10; Kleppmann",
    capability="claims",
    promise=_DURABLE,
    needs=("JOBS-TOKEN-01", "JOBS-REOPEN-01"),
)
def test_tokens_are_higher_after_reopening(trial: Trial) -> None:
    """A token is higher than all before it after the store was closed and opened again, too.

    Why: a counter that begins with the process gives the tokens of its last life again, of which some are still in the
    hands of workers.

    Breaks it:

        self._tokens = itertools.count(1)         # since the start
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 0, runAt=1_000, intervalMs=1_000))
        tokens: list[int] = []
        for now, end in (
            (1_000, None),
            (1_500, None),
            (1_600, complete),
            (2_000, fail),
            (2_100, complete),
            (3_000, None),
        ):
            token = take(trial, store, "a", now)
            _require_higher(trial, tokens, token, "the token of a claim after the store was reopened")
            if end is not None:
                end(store, "a", token, now + 1)
            store = session.reopen(store)


def _require_higher(trial: Trial, before: list[int], token: int, what: str) -> None:
    """Require that a token is higher than those before it, and add it to them."""
    trial.true(
        not before or token > max(before), what, expected=f"an int above {max(before, default=0)}", got=repr(token)
    )
    before.append(token)

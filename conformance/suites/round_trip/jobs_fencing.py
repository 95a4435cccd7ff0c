"""Fencing in the `jobs` contract: whoever was superseded, or has ended its claim, changes nothing any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.jobs_steps import (
    complete,
    conflicts,
    ended,
    fail,
    fetch,
    gives,
    keeps,
    must_refuse,
    require_durable,
    save,
    take,
)
from conformance.values.jobs import small_job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.session import Handle
    from conformance.trial import Trial

_ENDS = ("JOBS-BASIC-01", "JOBS-CLAIM-01", "JOBS-DONE-01")
_TAKEN = (*_ENDS, "JOBS-LEASE-02")


def _verbs(store: Handle, job_id: str, token: int, now: int) -> Mapping[str, Callable[[], Any]]:
    """Return what the holder of a token may try."""
    return {
        "completing": lambda: store.complete(job_id, token, now, "of the superseded"),
        "failing": lambda: store.fail(job_id, token, now, "of the superseded"),
        "renewing": lambda: store.renew(job_id, token, now, 100),
    }


def _refused(trial: Trial, store: Handle, call: Callable[[], Any], job_id: str, what: str) -> None:
    """Require that a call is refused, with any exception, and that the job stays as it is."""
    before = fetch(trial, store, job_id)
    must_refuse(trial, call, what)
    trial.equal(fetch(trial, store, job_id), before, f"the job, after {what} was refused")


@check(
    "JOBS-FENCE-01",
    sources="JOB-10; Kleppmann on fencing; River DoesNotResignNewerTerm",
    capability="claims",
    needs=_TAKEN,
)
def test_superseded_owner_changes_nothing(trial: Trial) -> None:
    """Once a job was taken over, its former owner is refused with the conflict, and the job stays the new one's.

    Why: the worker was not dead, only slow: a pause of the garbage collector, a laptop that slept. It comes back and
    records its result over that of the worker that took over, or frees the job for a third one.

    Breaks it:

        def complete(self, job_id, token, now, result=None):
            job = self._jobs[job_id]              # whoever asks
    """
    job = small_job("a", 1)
    with trial.fresh() as session:
        store = session.open()
        save(store, job)
        first = take(trial, store, "a", 2_000, lease=100)
        second = take(trial, store, "a", 2_100, owner="two", lease=500)
        for name, call in _verbs(store, "a", first, 2_150).items():
            conflicts(trial, store, call, "a", f"{name} by an owner that was superseded")
        gives(trial, store, 2_599, [], "claiming while the lease of the new owner lasts", owner="three")
        complete(store, "a", second, 2_599, "of the new owner")
        expected = {**job, "status": "stopped", "runCount": 1, "lastRunAt": 2_599, "result": "of the new owner"}
        ended(trial, store, expected, 2_599, "completed", "getting the job that the new owner completed")
        for name, call in _verbs(store, "a", first, 2_600).items():
            conflicts(trial, store, call, "a", f"{name} by an owner that was superseded, the job being done")


@check("JOBS-FENCE-02", sources="JOB-10, JOB-12", capability="claims", needs=_ENDS)
def test_ended_claim_ends_nothing_again(trial: Trial) -> None:
    """A token whose claim was completed or has failed is refused with the conflict, and nothing is recorded twice.

    Why: an answer was lost and the worker asks again, or a `finally` fails what was completed. A run that counts twice
    is one of `maxRuns` that never happens.

    Breaks it:

        if token == job["token"]:                 # it still is, after the end
            job["runCount"] += 1
    """
    with trial.fresh() as session:
        store = session.open()
        save(
            store,
            *(small_job(name, n, runAt=1_000 + n, intervalMs=500) for n, name in enumerate(("completed", "failed"))),
        )
        tokens = gives(trial, store, 1_001, ["completed", "failed"], "claiming both", lease=10_000)
        complete(store, "completed", tokens["completed"], 1_100)
        fail(store, "failed", tokens["failed"], 1_100)
        for job_id, token in tokens.items():
            for name, call in _verbs(store, job_id, token, 1_200).items():
                conflicts(trial, store, call, job_id, f"{name} a claim that was {job_id} already")


@check("JOBS-FENCE-03", sources="JOB-09; River DoesNotReelectExpiredRow", capability="claims", needs=_ENDS)
def test_expired_lease_is_not_renewed(trial: Trial) -> None:
    """A lease that has expired, exactly at `until` or later, is not renewed, and the job is for whoever asks next.

    Why: between the end of the lease and the renewal somebody may have looked, and have begun. Leases that come back to
    life make "it is mine until then" mean nothing.

    Breaks it:

        UPDATE jobs SET until = ? WHERE token = ?     -- AND until > now
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 1), small_job("b", 2))
        tokens = gives(trial, store, 2_000, ["a", "b"], "claiming both jobs", lease=100)
        for job_id, now in (("a", 2_100), ("b", 2_101)):

            def renew(job_id: str = job_id, now: int = now) -> object:
                return store.renew(job_id, tokens[job_id], now, 5_000)

            conflicts(trial, store, renew, job_id, f"renewing at {now} a lease that has expired at 2100")
        gives(trial, store, 2_101, ["a", "b"], "claiming after expired leases were not renewed", owner="two")


@check("JOBS-FENCE-04", sources="JOB-21; at-least-once delivery", capability="claims", needs=_ENDS)
def test_late_end_counts_if_nobody_took_over(trial: Trial) -> None:
    """A completion or a failure is accepted after the lease has expired, as long as nobody else has claimed the job.

    Why: the work is done. To refuse it because the clock has moved on means to do it once more, with all its effects.

    Breaks it:

        if now >= job["until"]:
            raise ConflictError                   # although the job is still waiting for a taker
    """
    jobs = [small_job("completed", 1), small_job("failed", 2)]
    with trial.fresh() as session:
        store = session.open()
        save(store, *jobs)
        tokens = gives(trial, store, 2_000, ["completed", "failed"], "claiming both jobs", lease=100)
        complete(store, "completed", tokens["completed"], 2_100, 1)
        expected = {**jobs[0], "status": "stopped", "runCount": 1, "lastRunAt": 2_100, "result": 1}
        ended(trial, store, expected, 2_100, "completed", "getting a job that was completed when its lease had expired")
        fail(store, "failed", tokens["failed"], 9_000, "late")
        ended(trial, store, {**jobs[1], "error": "late"}, 9_000, "failed", "getting a job that failed after its lease")
        gives(trial, store, 9_000, ["failed"], "claiming after both claims were ended late")


@check("JOBS-FENCE-05", sources="JOB-10, JOB-12; River UnknownJobIgnored", capability="claims", needs=_ENDS)
def test_token_that_was_never_given_ends_nothing(trial: Trial) -> None:
    """A token that was not given for this job is refused, and so is any on a job that is not claimed; nothing changes.

    Why: tokens get mixed up between jobs, and between stores. A store that compares with "not lower" takes any number
    that is high enough for the owner.

    Breaks it:

        if token < job["token"]:                  # and a higher one passes
            raise ConflictError
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 1), small_job("never claimed", 9_000))
        token = take(trial, store, "a", 2_000)
        for other in (token + 1, token - 1, token + 1_000, -token - 1):
            for name, call in _verbs(store, "a", other, 2_001).items():
                _refused(
                    trial, store, call, "a", f"{name} with the token {other}, {token} being the one that was given"
                )
        for other in (0, 1, token):
            for name, call in _verbs(store, "never claimed", other, 2_001).items():
                _refused(trial, store, call, "never claimed", f"{name} a job that was never claimed, with a token")
        for name, call in _verbs(store, "no such job", token, 2_001).items():
            trial.true(trial.refused(call), f"{name} a job that is not there", expected="an exception", got="none")
        keeps(trial, store, {**small_job("a", 1), "status": "running"}, "getting the job at the end")
        complete(store, "a", token, 2_002)


@check(
    "JOBS-FENCE-06",
    sources="JOB-10; Kleppmann on fencing",
    capability="claims",
    promise="durability:clean-close",
    needs=(*_TAKEN, "JOBS-FENCE-01", "JOBS-REOPEN-01"),
)
def test_fencing_survives_reopening(trial: Trial) -> None:
    """Who was superseded before the store was closed is refused after it was opened again, and the new owner is not.

    Why: the worker sleeps through the restart of the store as well. What was refused yesterday must not pass today.

    Breaks it:

        self._tokens: dict[str, int] = {}         # none known, so that any passes
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 1))
        first = take(trial, store, "a", 2_000, lease=100)
        second = take(trial, store, "a", 2_100, owner="two", lease=500)
        store = session.reopen(store)
        for name, call in _verbs(store, "a", first, 2_150).items():
            conflicts(trial, store, call, "a", f"{name} by an owner that was superseded before the store was reopened")
        complete(store, "a", second, 2_300)
        store = session.reopen(store)
        for token in (first, second):
            for name, call in _verbs(store, "a", token, 2_400).items():
                conflicts(trial, store, call, "a", f"{name} a claim that has ended before the store was reopened")


@check(
    "JOBS-FENCE-07",
    sources="JOB-10, JOB-28",
    capability="claims",
    promise="sharing:processes",
    needs=(*_TAKEN, "JOBS-FENCE-01"),
)
def test_fencing_counts_in_other_handles(trial: Trial) -> None:
    """Who was superseded through another handle is refused in its own.

    Why: the worker that took over has another handle, in another process. The slow one asks its own, which remembers a
    claim that looks as valid as ever.

    Breaks it:

        def complete(self, job_id, token, now, result=None):
            if token != self._mine[job_id]: ...   # what this handle was given
    """
    require_durable(trial)
    with trial.fresh() as session:
        slow, quick = session.open(), session.open()
        save(slow, small_job("a", 1))
        first = take(trial, slow, "a", 2_000, lease=100)
        second = take(trial, quick, "a", 2_100, owner="two", lease=500)
        for name, call in _verbs(slow, "a", first, 2_150).items():
            conflicts(trial, slow, call, "a", f"{name} by an owner that was superseded through another handle")
        complete(quick, "a", second, 2_200)
        for name, call in _verbs(slow, "a", second, 2_250).items():
            conflicts(trial, slow, call, "a", f"{name} a claim that was completed through another handle")

"""The `jobs` contract against a small model, in random sequences of all that is done with jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.models.jobs import JobModel
from conformance.suites.round_trip.jobs_steps import (
    claim,
    complete,
    conflicts,
    ended,
    fail,
    fetch,
    is_durable,
    keeps,
    lists,
    save,
)
from conformance.values.jobs import small_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.session import Handle, Session
    from conformance.trial import Trial

_IDS = ("a", "b", "c")
_POLICIES: tuple[dict[str, str], ...] = ({}, {"misfire": "once"}, {"misfire": "all"}, {"misfire": "skip"})


class _Model:
    """A store, and what it must hold; each step is done to both."""

    def __init__(self, trial: Trial, session: Session) -> None:
        self.trial, self.session = trial, session
        self.store: Handle = session.open()
        self.now = 1_000
        self.kept: dict[str, JobModel] = {}
        self.claims: list[tuple[str, int]] = []

    def save(self, which: int, delay: int, more: int) -> None:
        """Save a new job, or one that is there with another label."""
        job_id = _IDS[which % len(_IDS)]
        if job_id in self.kept:
            job = {**fetch(self.trial, self.store, job_id), "label": more}
            self.kept[job_id].job["label"] = more
        else:
            recurs = {"intervalMs": 20, "maxRuns": 3 if more & 4 else None, **_POLICIES[more & 3]}
            tries = {"maxAttempts": 2} if more & 8 else {}
            job = small_job(job_id, more, runAt=self.now + delay, **(recurs if more & 16 else {}), **tries)
            self.kept[job_id] = JobModel(dict(job))
        save(self.store, job)

    def wait(self, _which: int, passed: int, _more: int) -> None:
        """Let time pass."""
        self.now += passed

    def claim(self, _which: int, lease: int, limit: int) -> None:
        """Claim what is due; jobs that are due at the same time may come in any order."""
        lease, limit = lease + 1, (3, 1, 2, 0)[limit % 4]
        due = {job_id: kept for job_id, kept in self.kept.items() if kept.is_due(self.now)}
        moved = {job_id for job_id, kept in due.items() if kept.is_poison() or kept.is_missed(self.now)}
        wanted = sorted(kept.job["runAt"] for job_id, kept in due.items() if job_id not in moved)
        given = claim(self.trial, self.store, self.now, lease=lease, limit=limit)
        ids = [one["job"]["id"] for one in given]
        what = f"claiming at {self.now} with a limit of {limit}"
        told = {job_id: kept.job["runAt"] for job_id, kept in due.items() if job_id not in moved}
        times = [told[job_id] for job_id in ids if job_id in told]
        fine = len(set(ids)) == len(ids) == len(times) and times == wanted[:limit]
        self.trial.true(fine, what, expected=f"of {literal(told)} the earliest {limit}", got=literal(ids))
        for one in given:
            kept = self.kept[one["job"]["id"]]
            higher = all(one["token"] > token for job_id, token in self.claims if job_id == one["job"]["id"])
            self.trial.true(higher, f"{what}: the token", expected="higher than all before", got=repr(one["token"]))
            run_at = kept.job["runAt"]
            if kept.job.get("misfire") == "skip" and kept.job["intervalMs"] and self.now - run_at >= 20:
                run_at = self.now  # late by whole intervals: the time of its grid that is now
            kept.job.update(status="running", runAt=run_at)
            kept.token, kept.until, kept.attempts = one["token"], self.now + lease, kept.attempts + 1
            self.claims.append((one["job"]["id"], one["token"]))
        for job_id in moved:
            self._moved(job_id, sure=len(given) < limit, what=what)

    def _moved(self, job_id: str, *, sure: bool, what: str) -> None:
        """A job that is poison or was missed has been moved on, unless the limit was reached before it."""
        kept = self.kept[job_id]
        got = fetch(self.trial, self.store, job_id)
        if not sure and (got["status"], got["runAt"]) == (kept.job["status"], kept.job["runAt"]):
            return
        crashed, claimed = kept.is_poison(), kept.token is not None
        kept.job.update({"status": "crashed"} if crashed else {"runAt": kept.next_after(self.now)})
        # Whether a claim that has expired ends with the time that is missed is not said: it is not used any more.
        self.claims = [pair for pair in self.claims if pair[0] != job_id]
        if crashed or not (claimed and got["status"] == "running"):
            kept.token, kept.job["status"] = None, "crashed" if crashed else "ready"
        keeps(self.trial, self.store, kept.job, f"a job that was moved on by {what}")

    def end(self, which: int, how: int, more: int) -> None:
        """Complete, fail or renew one of the claims that there ever were."""
        if not self.claims:
            return
        job_id, token = self.claims[-1 - which % len(self.claims)]
        kept = self.kept.get(job_id)
        current = kept is not None and kept.token == token
        verb = ("complete", "fail", "renew")[how % 3]
        calls: dict[str, Callable[[], Any]] = {
            "complete": lambda: complete(self.store, job_id, token, self.now, more),
            "fail": lambda: fail(self.store, job_id, token, self.now, more),
            "renew": lambda: self.store.renew(job_id, token, self.now, more + 1),
        }
        if kept is None:
            return
        if not current or (verb == "renew" and kept.until <= self.now):
            conflicts(self.trial, self.store, calls[verb], job_id, f"to {verb} at {self.now} with the token {token}")
            return
        calls[verb]()
        self.store.acknowledge()
        if verb == "renew":
            kept.until = self.now + more + 1
        else:
            self._ended(kept, verb, more)

    def _ended(self, kept: JobModel, verb: str, more: int) -> None:
        job, kept.token = kept.job, None
        if verb == "complete":
            job.update(runCount=job["runCount"] + 1, lastRunAt=self.now, result=more, error=None, status="stopped")
            if job["intervalMs"] and (job["maxRuns"] is None or job["runCount"] < job["maxRuns"]):
                job.update(status="ready", runAt=self._next_time(kept))
            kept.attempts = 0
        else:
            job.update(error=more, status="failed" if kept.is_poison() else "ready")
        how = "completed" if verb == "complete" else "failed"
        ended(self.trial, self.store, job, self.now, how, f"the job after to {verb} at {self.now}")
        job["history"] = fetch(self.trial, self.store, job["id"])["history"]

    def _next_time(self, kept: JobModel) -> int:
        job, run_at = kept.job, kept.job["runAt"]
        if job.get("misfire") != "skip":
            return kept.next_after_completion(self.now)
        # What is made of a run that took long is not said.
        got = fetch(self.trial, self.store, job["id"])["runAt"]
        return int(got if type(got) is int and got > run_at and (got - run_at) % 20 == 0 else run_at + 20)

    def reopen(self, _which: int, _how: int, _more: int) -> None:
        """Close the store and open it again."""
        if is_durable(self.trial):
            self.store = self.session.reopen(self.store)

    def compare(self) -> None:
        """Require that the store holds what the model holds."""
        for kept in self.kept.values():
            stopped = kept.job["status"] == "stopped"
            expected = {name: value for name, value in kept.job.items() if not (stopped and name == "runAt")}
            keeps(self.trial, self.store, expected, "getting a job")
        lists(self.trial, self.store, self.kept, "listing")


_STEPS = {"save": _Model.save, "wait": _Model.wait, "claim": _Model.claim, "end": _Model.end, "reopen": _Model.reopen}


@check(
    "JOBS-MODEL-01",
    sources="JOB-01 to JOB-28; property-based testing",
    capability="claims",
    needs=("JOBS-BASIC-01", "JOBS-CLAIM-01", "JOBS-DONE-01", "JOBS-FAIL-01", "JOBS-RECUR-01", "JOBS-LIST-01"),
)
def test_random_sequences_agree_with_the_model(trial: Trial) -> None:
    """Any sequence of saves, claims, renewals, completions, failures and reopenings gives what a small model gives.

    Why: bugs live between the rules: a failure after a takeover after a reopening. The shortest is shown.

    Breaks it:

        def renew(self, job_id, token, now, lease):
            self._attempts[job_id] += 1           # a renewal is no attempt
    """
    from hypothesis import strategies as st

    names = st.sampled_from(["claim", "end", "wait", "claim", "end", "save", "reopen"])
    step = st.tuples(names, st.integers(0, 5), st.integers(0, 45), st.integers(0, 31))
    most = trial.effort.steps

    @trial.examples(st.tuples(*[st.integers(0, 31)] * len(_IDS)), st.lists(step, min_size=most // 2, max_size=most))
    def _(kinds: tuple[int, ...], steps: list[tuple[str, int, int, int]]) -> None:
        with trial.fresh() as session:
            model = _Model(trial, session)
            for which, kind in enumerate(kinds):
                model.save(which, which, kind)
            for name, which, how, more in steps:
                _STEPS[name](model, which, how, more)
            model.compare()

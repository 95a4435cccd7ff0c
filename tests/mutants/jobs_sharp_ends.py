"""Job stores with a bug so narrow that one rule of ended claims notices, or its neighbours: ends, failures, times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.jobs_base import Entry, PlainJobs, jobs_mutant


class StopsByCountInMemory(PlainJobs):
    """Compares `maxRuns` with a count in memory, which a save sets and a start does not."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.counts: dict[str, int] = {}

    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        self.counts[job["id"]] = job.get("runCount") or 0

    def completed(self, job: Any, now: int, result: Any) -> Any:
        count = self.counts.get(job["id"], 0)
        self.counts[job["id"]] = count + 1
        return {**super().completed({**job, "runCount": count}, now, result), "runCount": (job["runCount"] or 0) + 1}


class HighWaterMark(PlainJobs):
    """Remembers how far a batch is done, as an offset; what lies before it is taken for done, too."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.batches: dict[tuple[str, int], dict[str, str]] = {}

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        claims = super().claim_due(now, owner, lease, limit)
        batch = {"done": ""}
        self.batches.update({(claim["job"]["id"], claim["token"]): batch for claim in claims})
        return claims

    def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        batch = self.batches.get((job_id, token), {"done": ""})
        if job_id >= batch["done"]:
            super().complete(job_id, token, now, result)
            batch["done"] = job_id


class FailureClearsTheResult(PlainJobs):
    """A failure writes `result` and `error` as a completion does."""

    def failed(self, entry: Entry, now: int, error: Any) -> Any:
        return {**super().failed(entry, now, error), "result": None}


class AttemptsOfAnOwner(PlainJobs):
    """Counts the attempts of each owner, of which a job has another each time."""

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        attempts = entry["attempts"] if entry["owner"] in (None, owner) else 0
        return super().claim({**entry, "attempts": attempts}, now, owner, lease)


class OneAttemptLess(PlainJobs):
    """A completion takes its own attempt back, and not those that failed before it."""

    def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        before = self.held(job_id, token, now)
        super().complete(job_id, token, now, result)
        entry = self.entry(job_id)
        assert entry is not None
        self.write(job_id, {**entry, "attempts": before["attempts"] - 1})


class LongRunsDrift(PlainJobs):
    """Gives a job a pause of a whole interval, if its run took half of one."""

    since = 0

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        claim = super().claim(entry, now, owner, lease)
        again = self.entry(entry["job"]["id"])
        assert again is not None
        self.write(entry["job"]["id"], {**again, "since": now})
        return claim

    def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        self.since = self.held(job_id, token, now).get("since", now)
        super().complete(job_id, token, now, result)

    def next_time(self, job: Any, now: int) -> int:
        interval = int(job["intervalMs"])
        return now + interval if now - self.since >= interval / 2 else super().next_time(job, now)


class NoneIsAPolicy(PlainJobs):
    """Asks for `job.get("misfire", "once")`, which is None where the field is there and null."""

    def next_time(self, job: Any, now: int) -> int:
        policy = job.get("misfire", "once")
        return super().next_time({**job, "misfire": "all"} if policy is None else job, now)


class NextTimeMayLieBack(PlainJobs):
    """Finds the first time of the grid after now, even if now lies before the time that was run."""

    def next_time(self, job: Any, now: int) -> int:
        run_at, interval = int(job["runAt"]), int(job["intervalMs"])
        if job.get("misfire") == "all":
            return super().next_time(job, now)
        return run_at + interval * ((now - run_at) // interval + 1)


class SearchGivesUp(PlainJobs):
    """Looks for the next time in a loop that ends after a thousand steps, lest it be endless."""

    def next_time(self, job: Any, now: int) -> int:
        run_at, interval = int(job["runAt"]), int(job["intervalMs"])
        return min(super().next_time(job, now), run_at + 1_000 * interval)


MUTANTS = [
    jobs_mutant(
        "jobs_stops_by_count_in_memory",
        "runs are counted up to maxRuns since the start, though written right",
        "DONE-04",
        StopsByCountInMemory,
    ),
    jobs_mutant(
        "jobs_high_water_mark",
        "of a batch what comes before a job that was completed is taken for done",
        "DONE-05",
        HighWaterMark,
    ),
    jobs_mutant(
        "jobs_failure_clears_the_result",
        "a failure takes away the result of the run before",
        "FAIL-01",
        FailureClearsTheResult,
    ),
    jobs_mutant("jobs_attempts_of_an_owner", "attempts begin anew with another owner", "FAIL-03", AttemptsOfAnOwner),
    jobs_mutant(
        "jobs_one_attempt_less",
        "a completion makes one attempt undone, whatever failed before",
        "FAIL-05",
        OneAttemptLess,
    ),
    jobs_mutant(
        "jobs_long_runs_drift",
        "the next time is counted from the end of a run that was long",
        "RECUR-01",
        LongRunsDrift,
    ),
    jobs_mutant(
        "jobs_none_is_a_policy",
        "a misfire that is null is no policy, and all is made up for",
        "RECUR-03",
        NoneIsAPolicy,
    ),
    jobs_mutant(
        "jobs_next_time_may_lie_back",
        "a clock that was put back puts the next time before the last",
        "CLOCK-01",
        NextTimeMayLieBack,
    ),
    jobs_mutant(
        "jobs_search_gives_up", "the next time is looked for within a thousand intervals", "CLOCK-02", SearchGivesUp
    ),
]

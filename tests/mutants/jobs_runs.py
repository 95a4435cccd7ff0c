"""Job stores that end claims wrongly: completions, the times of recurring jobs, and failures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference_backends._json import dumps, loads
from tests.mutants.jobs_base import Entry, PlainJobs, jobs_mutant


class CountStays(PlainJobs):
    def completed(self, job: Any, now: int, result: Any) -> Any:
        return {**super().completed(job, now, result), "runCount": job.get("runCount") or 0}


class ErrorStays(PlainJobs):
    def completed(self, job: Any, now: int, result: Any) -> Any:
        return {**super().completed(job, now, result), "error": job["error"]}


class LastRunIsItsTime(PlainJobs):
    """Notes when a job was due for when it ran."""

    def completed(self, job: Any, now: int, result: Any) -> Any:
        return {**super().completed(job, now, result), "lastRunAt": job["runAt"]}


class OnceRunsAgain(PlainJobs):
    def completed(self, job: Any, now: int, result: Any) -> Any:
        after = super().completed(job, now, result)
        return after if job.get("intervalMs") else {**after, "status": "ready"}


class OnceUnlessMaxRuns(PlainJobs):
    """Takes a job with `maxRuns` for one that recurs."""

    def completed(self, job: Any, now: int, result: Any) -> Any:
        after = super().completed(job, now, result)
        return {**after, "status": "ready"} if (job.get("maxRuns") or 0) > after["runCount"] else after


class LastTenEntries(PlainJobs):
    def noted(self, job: Any, now: int, status: str) -> Any:
        after = super().noted(job, now, status)
        return {**after, "history": after["history"][-10:]}


class HistoryRewritten(PlainJobs):
    def noted(self, job: Any, now: int, status: str) -> Any:
        history = [{"at": entry["at"], "status": entry["status"]} for entry in job["history"]]
        return super().noted({**job, "history": history}, now, status)


class NewestFirst(PlainJobs):
    def noted(self, job: Any, now: int, status: str) -> Any:
        after = super().noted(job, now, status)
        return {**after, "history": [after["history"][-1], *after["history"][:-1]]}


class RunsSinceTheStart(PlainJobs):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.counts: dict[str, int] = {}

    def completed(self, job: Any, now: int, result: Any) -> Any:
        self.counts[job["id"]] = self.counts.get(job["id"], 0) + 1
        return super().completed({**job, "runCount": self.counts[job["id"]] - 1}, now, result)


class DueSinceTheStart(PlainJobs):
    """Has an index of due jobs in memory, which knows what was saved since the start."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.known: set[str] = set()

    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        self.known.add(job["id"])

    def is_due(self, entry: Entry, now: int) -> bool:
        return entry["job"]["id"] in self.known and super().is_due(entry, now)


class BatchWrittenWhole(PlainJobs):
    """Ends a job by writing the whole batch with which it was claimed, as it was then."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.batch: list[Entry] = []

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        claims = super().claim_due(now, owner, lease, limit)
        if claims:
            self.batch = [entry for entry in self.entries() if entry["until"] is not None]
        return claims

    def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        super().complete(job_id, token, now, result)
        for entry in self.batch:
            if entry["job"]["id"] != job_id and entry["job"]["runCount"] == 0:
                self.write(entry["job"]["id"], loads(dumps(entry)))


class Drifts(PlainJobs):
    def next_time(self, job: Any, now: int) -> int:
        return now + int(job["intervalMs"])


class OnceMore(PlainJobs):
    def completed(self, job: Any, now: int, result: Any) -> Any:
        if job.get("maxRuns") is None or job["maxRuns"] < 3:
            return super().completed(job, now, result)
        return {**super().completed({**job, "maxRuns": job["maxRuns"] + 1}, now, result), "maxRuns": job["maxRuns"]}


class FailuresCount(PlainJobs):
    """Counts the entries of the history as runs."""

    def completed(self, job: Any, now: int, result: Any) -> Any:
        failures = sum(entry["status"] == "failed" for entry in job["history"])
        after = super().completed(job, now, result)
        over = job.get("maxRuns") is not None and after["runCount"] + failures >= job["maxRuns"]
        return {**after, "status": "stopped"} if over else after


class OneByOne(PlainJobs):
    """Goes on by one interval, whatever was missed and whatever the policy."""

    def next_time(self, job: Any, now: int) -> int:
        return int(job["runAt"]) + int(job["intervalMs"])


class AllIsOnce(PlainJobs):
    def next_time(self, job: Any, now: int) -> int:
        return super().next_time({**job, "misfire": "once"}, now)


class SkipIsOnce(PlainJobs):
    def not_skipped(self, job: Any, now: int) -> int:
        return int(job["runAt"])


class SkipIsForEver(PlainJobs):
    """Passes over a job that is late, and leaves its time where it is."""

    def is_due(self, entry: Entry, now: int) -> bool:
        job = entry["job"]
        late = job.get("misfire") == "skip" and job.get("intervalMs") and now - job["runAt"] >= job["intervalMs"]
        return super().is_due(entry, now) and not late


class SkipsNow(PlainJobs):
    """Moves a job that is late beyond the time of its grid that is now."""

    def not_skipped(self, job: Any, now: int) -> int:
        later = super().not_skipped(job, now)
        return later + job["intervalMs"] if later == now and later != job["runAt"] else later


class NextTimeOfTheClock(PlainJobs):
    """Works the next time out of the clock."""

    def next_time(self, job: Any, now: int) -> int:
        interval = int(job["intervalMs"])
        return now - (now - int(job["runAt"])) % interval + interval


class OwnClock(PlainJobs):
    """A lease never ends before the latest time that was ever given."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.latest = 0

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        self.latest = max(self.latest, now)
        return super().claim_due(now, owner, lease, limit)

    def is_due(self, entry: Entry, now: int) -> bool:
        return super().is_due(entry, now if entry["until"] is None else max(now, self.latest + 50))


class FailureIsARun(PlainJobs):
    def failed(self, entry: Entry, now: int, error: Any) -> Any:
        after = super().failed(entry, now, error)
        return {**after, "runCount": after["runCount"] + 1}


class FailureMovesOn(PlainJobs):
    def failed(self, entry: Entry, now: int, error: Any) -> Any:
        after = super().failed(entry, now, error)
        return {**after, "runAt": self.next_time(after, now)} if after.get("intervalMs") else after


class FailureLeavesNoTrace(PlainJobs):
    def failed(self, entry: Entry, now: int, error: Any) -> Any:
        return {**super().failed(entry, now, error), "history": entry["job"]["history"]}


class NeverPoison(PlainJobs):
    def is_poison(self, entry: Entry) -> bool:
        return False


class FailuresArePoison(PlainJobs):
    """Counts the failures that were told, not the claims."""

    def is_poison(self, entry: Entry) -> bool:
        failures = [one for one in entry["job"]["history"] if one["status"] == "failed"]
        most = entry["job"].get("maxAttempts")
        # One of them is being noted when a failure asks.
        return most is not None and entry["until"] is not None and len(failures) + 1 >= most


class CrashIsAFailure(PlainJobs):
    """Calls a job failed whose owners died."""

    def write(self, job_id: str, entry: Entry) -> None:
        if entry["job"] and entry["job"]["status"] == "crashed":
            entry = {**entry, "job": {**entry["job"], "status": "failed"}}
        super().write(job_id, entry)


class HeadOfLine(PlainJobs):
    """A poison job at the head ends the search."""

    def ordered(self, due: list[Entry]) -> list[Entry]:
        due = super().ordered(due)
        places = [place for place, entry in enumerate(due) if self.is_poison(entry)]
        return due[: places[0]] if places else due


class PoisonTakesThePlace(PlainJobs):
    """Poison jobs stay running, and count for the limit, so that they take the place of others."""

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        poison = [e for e in self.entries() if e["job"] is not None and self.is_due(e, now) and self.is_poison(e)]
        return super().claim_due(now, owner, lease, max(limit - len(poison), 0))


class AttemptsForEver(PlainJobs):
    """Counts all attempts since the job was made."""

    def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        before = self.entry(job_id)
        super().complete(job_id, token, now, result)
        after = self.entry(job_id)
        if before is not None and after is not None:
            self.write(job_id, {**after, "attempts": before["attempts"]})


class TwentyFiveAttempts(PlainJobs):
    def is_poison(self, entry: Entry) -> bool:
        return bool(entry["attempts"] >= (entry["job"].get("maxAttempts") or 25))


class SaveForgetsAttempts(PlainJobs):
    """Counts attempts anew when a job is saved."""

    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        entry = self.entry(job["id"])
        assert entry is not None
        self.write(job["id"], {**entry, "attempts": 0})


class RenewalIsALongOne(PlainJobs):
    """A lease that is renewed for less than is left of it keeps its end."""

    def renew(self, job_id: str, token: int, now: int, lease: int) -> None:
        entry = self.entry(job_id)
        left = entry["until"] - now if entry is not None and entry["until"] is not None else 0
        super().renew(job_id, token, now, max(lease, left))


def _mutant(name: str, bug: str, killed_by: str, jobs: Callable[[Path], Any]) -> Any:
    return jobs_mutant(f"jobs_{name}", bug, killed_by, jobs)


MUTANTS = [
    _mutant("count_stays", "a completion is not counted", "DONE-01", CountStays),
    _mutant("error_stays", "the error of before stays beside the new result", "DONE-01", ErrorStays),
    _mutant("last_run_is_its_time", "the last run is noted for when it was due", "DONE-01", LastRunIsItsTime),
    _mutant("once_runs_again", "a job that was to run once is ready again", "DONE-01", OnceRunsAgain),
    _mutant("once_unless_max_runs", "a job with maxRuns, but no interval, runs again", "DONE-02", OnceUnlessMaxRuns),
    _mutant("last_ten_entries", "the history has the last ten entries only", "DONE-03", LastTenEntries),
    _mutant("history_rewritten", "a completion writes the whole history anew", "DONE-03", HistoryRewritten),
    _mutant("history_newest_first", "a completion is noted at the head of the history", "DONE-03", NewestFirst),
    _mutant("runs_since_start", "runs are counted since the start", "DONE-04", RunsSinceTheStart),
    _mutant("due_since_start", "what was saved before the start is not due", "DONE-04", DueSinceTheStart),
    _mutant("batch_written_whole", "the end of a job undoes that of others of its batch", "DONE-05", BatchWrittenWhole),
    _mutant("drifts", "an interval is counted from the end of the run", "RECUR-01", Drifts),
    _mutant("once_more", "a job runs once more than it may", "RECUR-02 DONE-04", OnceMore),
    _mutant("failures_count", "failures count for maxRuns", "RECUR-02", FailuresCount),
    _mutant("one_by_one", "all times that were missed are run, whatever the policy", "RECUR-03 CLOCK-02", OneByOne),
    _mutant("all_is_once", "times that were missed are not made up for", "RECUR-04", AllIsOnce),
    _mutant("skip_is_once", "a time that was missed is not skipped", "RECUR-05", SkipIsOnce),
    _mutant("skip_is_for_ever", "a job that skips what it missed is late for ever", "RECUR-05", SkipIsForEver),
    _mutant("skips_now", "a time of the grid that is now is skipped", "RECUR-05", SkipsNow),
    _mutant("next_time_of_clock", "a clock that is put back runs a job twice", "CLOCK-01", NextTimeOfTheClock),
    _mutant("own_clock", "a lease is judged by the latest time that was given", "CLOCK-02", OwnClock),
    _mutant("failure_is_a_run", "a failure counts as a run", "FAIL-01", FailureIsARun),
    _mutant("failure_moves_on", "a failed job waits for its next time", "FAIL-01", FailureMovesOn),
    _mutant("failure_leaves_no_trace", "a failure is not in the history", "FAIL-01", FailureLeavesNoTrace),
    _mutant("never_poison", "a job is tried for ever", "FAIL-02 FAIL-03 FAIL-06", NeverPoison),
    _mutant("failures_are_poison", "attempts whose owners died are not counted", "FAIL-03 FAIL-05", FailuresArePoison),
    _mutant("crash_is_a_failure", "a job whose owners died is called failed", "FAIL-03", CrashIsAFailure),
    _mutant("poison_item_head_of_line", "a poison job blocks those behind it", "FAIL-04", HeadOfLine),
    _mutant("poison_takes_the_place", "poison jobs count for the limit", "FAIL-04", PoisonTakesThePlace),
    _mutant("attempts_for_ever", "attempts are counted since the job was made", "FAIL-05", AttemptsForEver),
    _mutant("twenty_five_attempts", "a job without maxAttempts has 25", "FAIL-07", TwentyFiveAttempts),
    _mutant("save_forgets_attempts", "attempts are counted anew when a job is saved", "FAIL-02", SaveForgetsAttempts),
    _mutant("renewal_is_a_long_one", "a renewal never lets a lease end earlier", "LEASE-04", RenewalIsALongOne),
]

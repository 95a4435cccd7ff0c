"""A `jobs` store over any `state` store that has `cas`: each job is one entry, changed by compare-and-set.

    jobs = JobStore(FileState(path))

The entry of a job has the record, and beside it the claim: the token, its owner, the end of the lease (None once the
claim has ended), and how many claims there were since the job was completed or restarted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_backends._errors import ConflictError
from reference_backends._records import StateStore, changed, check_id, check_record, found, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ConflictError", "JobStore"]

_UNCLAIMED: Mapping[str, Any] = {"owner": None, "until": None}
_NEW: Mapping[str, Any] = {"job": None, "token": 0, **_UNCLAIMED, "attempts": 0}
_FAILURES = frozenset({"failed", "crashed"})
#: From each status to those that may follow it; see `_may_follow` for what may fail.
_NEXT: Mapping[str, frozenset[str]] = {
    "created": frozenset({"initializing", "stopped"}),
    "initializing": frozenset({"ready"}),
    "ready": frozenset({"running", "stopping", "stopped"}),
    "running": frozenset({"ready", "stopping", "stopped"}),
    "stopping": frozenset({"stopped"}),
    "stopped": frozenset({"restarting"}),
    "failed": frozenset({"restarting"}),
    "crashed": frozenset({"restarting"}),
    "restarting": frozenset({"initializing", "ready", "stopped"}),
}
_CANNOT_FAIL = frozenset({"created", "stopped"}) | _FAILURES


class JobStore:
    """Jobs in a state store, which belongs to this one from then on. All times are milliseconds, given by the caller.

    As durable, as shared and as careful with damage as the state store is. Every verb raises what the state store does.

    Args:
        state: Where the jobs are kept; it holds nothing else.
    """

    def __init__(self, state: StateStore) -> None:
        self._state = state

    def save_job(self, job: dict[str, Any]) -> None:
        """Save a job, in place of the one with its id.

        Raises:
            TypeError: The job is no dict, or something in it is not JSON.
            ValueError: It has no id.
            ConflictError: It was read before the last run: its count is lower, or its history lacks entries.
        """
        job_id = check_record(job, "job")

        def save(entry: Any) -> Any:
            entry = entry or _NEW
            if entry["job"] is not None and _goes_back(entry["job"], job):
                raise ConflictError(f"The job {job_id!r} has run since it was read; saving it would undo that.")
            return {**entry, "job": job}

        changed(self._state, job_id, save)

    def get_job(self, job_id: str) -> dict[str, Any] | None:
        """Return the job with an id, None when there is none."""
        entry = found(self._state, check_id(job_id))
        job: dict[str, Any] | None = entry and entry["job"]
        return job

    def list_jobs(self) -> list[dict[str, Any]]:
        """Return all jobs, in the order of their ids."""
        return [entry["job"] for entry in listed(self._state) if entry["job"] is not None]

    def delete_job(self, job_id: str) -> None:
        """Delete a job; one that is not there is no error."""

        def delete(entry: Any) -> Any:
            # The token stays, so that a job that is saved again under this id gives none twice.
            return entry if entry is None or entry["job"] is None else {**_NEW, "token": entry["token"]}

        changed(self._state, check_id(job_id), delete)

    def set_status(self, job_id: str, status: str) -> dict[str, Any]:
        """Move a job to another status, and return it; the status that it has already is no error.

        A move takes the job from whoever has claimed it. A job that is restarted may be claimed as often as a new one.

        Raises:
            KeyError: There is no such job.
            ConflictError: The job can't go from its status to this one.
        """

        def move(entry: Any) -> Any:
            job = _present(entry, job_id)
            if job.get("status") == status:
                return entry
            if not _may_follow(job.get("status"), status):
                raise ConflictError(f"The job {job_id!r} can't go from {job.get('status')!r} to {status!r}.")
            attempts = 0 if status == "restarting" else entry["attempts"]
            return {**entry, "job": {**job, "status": status}, **_UNCLAIMED, "attempts": attempts}

        job: dict[str, Any] = changed(self._state, check_id(job_id), move)["job"]
        return job

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> list[dict[str, Any]]:
        """Claim due jobs, the earliest first, and return each with its token.

        Args:
            now: The time.
            owner: Who claims.
            lease: How long nobody else is given the jobs.
            limit: How many at most.

        Returns:
            Dicts with `job`, `token`, `owner` and `until`.

        Raises:
            ValueError: The limit is negative, or the lease is not positive.
        """
        if limit < 0 or lease <= 0:
            raise ValueError(f"limit={limit}, lease={lease}: give a limit of 0 or more and a lease above 0.")
        waiting = [entry["job"] for entry in listed(self._state) if entry["job"] is not None and _is_free(entry, now)]
        waiting.sort(key=lambda job: (job["runAt"], job["id"]))
        claims: list[dict[str, Any]] = []
        for job in waiting:
            if len(claims) >= limit:
                break
            if claim := self._claim(job["id"], now, owner, now + lease):
                claims.append(claim)
        return claims

    def renew(self, job_id: str, token: int, now: int, lease: int) -> None:
        """Let the lease of a claim end at `now + lease`.

        Raises:
            ConflictError: The claim was superseded or has ended, or its lease has expired.
        """

        def renewed(entry: Any) -> Any:
            _held(entry, job_id, token)
            if entry["until"] <= now:
                raise ConflictError(f"The lease of the job {job_id!r} has expired at {entry['until']}.")
            return {**entry, "until": now + lease}

        changed(self._state, check_id(job_id), renewed)

    def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        """End a claim: the job was done.

        Raises:
            ConflictError: The claim was superseded or has ended.
        """

        def completed(entry: Any) -> Any:
            job = _held(entry, job_id, token)
            count = (job.get("runCount") or 0) + 1
            ended = {"runCount": count, "lastRunAt": now, "result": result, "error": None}
            again = job.get("intervalMs") and (job.get("maxRuns") is None or count < job["maxRuns"])
            moved = {"status": "ready", "runAt": _next_time(job, now)} if again else {"status": "stopped"}
            job = {**_noted(job, now, "completed"), **ended, **moved}
            return {**entry, "job": job, **_UNCLAIMED, "attempts": 0}

        changed(self._state, check_id(job_id), completed)

    def fail(self, job_id: str, token: int, now: int, error: Any = None) -> None:
        """End a claim: the job was not done. It is due again, unless it was claimed as often as it may be.

        Raises:
            ConflictError: The claim was superseded or has ended.
        """

        def failed(entry: Any) -> Any:
            job = _held(entry, job_id, token)
            status = "failed" if _is_poison(entry) else "ready"
            return {**entry, "job": {**_noted(job, now, "failed"), "error": error, "status": status}, **_UNCLAIMED}

        changed(self._state, check_id(job_id), failed)

    def close(self) -> None:
        """Close the state store."""
        self._state.close()

    def _claim(self, job_id: str, now: int, owner: str, until: int) -> dict[str, Any] | None:
        """Claim one job; return None when it is not to be had any more, or is moved on: as poison, or as missed."""
        claim: dict[str, Any] | None = None

        def take(entry: Any) -> Any:
            nonlocal claim
            claim = None  # of several calls the last one counts: what it returns is what was written
            if entry is None or entry["job"] is None or not _is_free(entry, now):
                return entry
            job = entry["job"]
            if _is_poison(entry):
                return {**entry, "job": {**job, "status": "crashed"}, **_UNCLAIMED}
            run_at = _not_skipped(job, now)
            if run_at > now:
                return {**entry, "job": {**job, "status": "ready", "runAt": run_at}, **_UNCLAIMED}
            job = {**job, "status": "running", "runAt": run_at}
            claim = {"job": job, "token": entry["token"] + 1, "owner": owner, "until": until}
            return {**entry, **claim, "attempts": entry["attempts"] + 1}

        changed(self._state, job_id, take)
        return claim


def _present(entry: Any, job_id: str) -> dict[str, Any]:
    if entry is None or entry["job"] is None:
        raise KeyError(job_id)
    job: dict[str, Any] = entry["job"]
    return job


def _held(entry: Any, job_id: str, token: int) -> dict[str, Any]:
    """Return the job of a claim that was neither superseded nor ended."""
    if entry is None or entry["job"] is None or entry["token"] != token or entry["until"] is None:
        raise ConflictError(f"The claim {token} on the job {job_id!r} was superseded, or has ended.")
    job: dict[str, Any] = entry["job"]
    return job


def _is_free(entry: Mapping[str, Any], now: int) -> bool:
    """Tell whether a job is due and nobody's: what is running without a lease was not claimed here."""
    job, until = entry["job"], entry["until"]
    run_at = job.get("runAt")
    if not isinstance(run_at, (int, float)) or not run_at <= now:  # NaN is never due
        return False
    if until is not None and until > now:
        return False  # whatever status was saved meanwhile
    return job.get("status") == "ready" or (job.get("status") == "running" and until is not None)


def _is_poison(entry: Mapping[str, Any]) -> bool:
    most = entry["job"].get("maxAttempts")
    return most is not None and entry["attempts"] >= most


def _next_time(job: Mapping[str, Any], now: int) -> Any:
    interval, run_at = job["intervalMs"], job["runAt"]
    if job.get("misfire") == "all":
        return run_at + interval
    return run_at + interval * max(1, (now - run_at) // interval + 1)


def _not_skipped(job: Mapping[str, Any], now: int) -> Any:
    """Return the time of a job that skips what it missed: the first on its grid that is not before `now`."""
    interval, run_at = job.get("intervalMs"), job["runAt"]
    if job.get("misfire") != "skip" or not interval or now - run_at < interval:
        return run_at
    return run_at + interval * -(-(now - run_at) // interval)


def _noted(job: Mapping[str, Any], now: int, status: str) -> dict[str, Any]:
    return {**job, "history": [*(job.get("history") or []), {"at": now, "status": status}]}


def _goes_back(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    history, longer = before.get("history") or [], after.get("history") or []
    kept = isinstance(longer, list) and longer[: len(history)] == history
    return (after.get("runCount") or 0) < (before.get("runCount") or 0) or not kept


def _may_follow(status: Any, following: str) -> bool:
    if following in _FAILURES:
        return status in _NEXT and status not in _CANNOT_FAIL
    return following in _NEXT.get(status, ())

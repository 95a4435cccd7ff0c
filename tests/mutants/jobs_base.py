"""An honest little job store to break, and what opens it; the mutants of jobs are made of it."""

from __future__ import annotations

import copy
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from reference_backends._json import check_key, check_value, dumps, loads
from tests.mutants.base import Mutant

Entry = dict[str, Any]


class ConflictError(Exception):
    """Somebody else was faster, or the job can't go there."""


NEXT = {
    "created": {"initializing", "stopped"},
    "initializing": {"ready", "failed", "crashed"},
    "ready": {"running", "stopping", "stopped", "failed", "crashed"},
    "running": {"ready", "stopping", "stopped", "failed", "crashed"},
    "stopping": {"stopped", "failed", "crashed"},
    "stopped": {"restarting"},
    "failed": {"restarting"},
    "crashed": {"restarting"},
    "restarting": {"initializing", "ready", "stopped", "failed", "crashed"},
}


class PlainJobs:
    """An honest, quick job store on one file: JSON texts in SQLite, not synced, with every capability.

    An entry is a dict: `job` (None when deleted), `token`, `owner`, `until`, `attempts`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.threads = threading.RLock()  # one connection is one transaction, whoever uses it
        # An async store is opened in one thread and called in another, one at a time.
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self.database.execute("PRAGMA journal_mode = TRUNCATE")
        self.database.execute("PRAGMA synchronous = OFF")
        self.database.execute("CREATE TABLE IF NOT EXISTS jobs (id BLOB PRIMARY KEY, entry TEXT)")

    # -- the verbs ----------------------------------------------------------------------------------------------------

    def save_job(self, job: Any) -> Any:
        """Save a job, unless it was read before the last run."""
        self.check(job)
        with self.writing():
            entry = self.entry(job["id"]) or self.new()
            if entry["job"] is not None and self.goes_back(entry["job"], job):
                raise ConflictError(job["id"])
            self.write(job["id"], {**entry, "job": job})

    def get_job(self, job_id: str) -> Any:
        """Return a job, None when there is none."""
        entry = self.entry(job_id)
        return entry and entry["job"]

    def list_jobs(self) -> Any:
        """Return all jobs."""
        return [entry["job"] for entry in self.entries() if entry["job"] is not None]

    def delete_job(self, job_id: str) -> None:
        """Delete a job; its token stays."""
        with self.writing():
            entry = self.entry(job_id)
            if entry is not None:
                self.write(job_id, {**self.new(), "token": entry["token"]})

    def set_status(self, job_id: str, status: str) -> Any:
        """Move a job to another status."""
        with self.writing():
            entry = self.entry(job_id)
            if entry is None or entry["job"] is None:
                raise KeyError(job_id)
            job = entry["job"]
            if job["status"] != status:
                if not self.may_follow(job["status"], status):
                    raise ConflictError(f"{job['status']} to {status}")
                job = {**job, "status": status}
                attempts = 0 if status == "restarting" else entry["attempts"]
                self.write(job_id, {**entry, "job": job, "until": None, "attempts": attempts})
            return job

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        """Claim due jobs."""
        claims: list[Any] = []
        with self.writing():
            due = [e for e in self.entries() if e["job"] is not None and self.is_due(e, now)]
            for entry in self.ordered(due):
                if len(claims) >= limit:
                    break
                job = entry["job"]
                if self.is_poison(entry):
                    self.write(job["id"], {**entry, "job": {**job, "status": "crashed"}, "until": None})
                    continue
                later = self.not_skipped(job, now)
                if later > now:
                    moved = {**job, "runAt": later, "status": "ready"}
                    self.write(job["id"], {**entry, "job": moved, "until": None})
                    continue
                claims.append(self.claim({**entry, "job": {**job, "runAt": later}}, now, owner, lease))
        return claims

    def renew(self, job_id: str, token: int, now: int, lease: int) -> None:
        """Let the lease end later."""
        with self.writing():
            entry = self.held(job_id, token, now)
            if entry["until"] <= now:
                raise ConflictError(f"the lease has expired at {entry['until']}")
            self.write(job_id, {**entry, "until": now + lease})

    def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        """End a claim: done."""
        with self.writing():
            entry = self.held(job_id, token, now)
            self.write(
                job_id, {**entry, "job": self.completed(entry["job"], now, result), "until": None, "attempts": 0}
            )

    def fail(self, job_id: str, token: int, now: int, error: Any = None) -> None:
        """End a claim: not done."""
        with self.writing():
            entry = self.held(job_id, token, now)
            self.write(job_id, {**entry, "job": self.failed(entry, now, error), "until": None})

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    # -- for mutants to change ----------------------------------------------------------------------------------------

    def check(self, job: Any) -> None:
        """Refuse what is no job."""
        if type(job) is not dict:
            raise TypeError(f"a job is a dict, not a {type(job).__name__}")
        check_value(job)
        if type(job.get("id")) is not str or not job["id"]:
            raise ValueError("a job has an id")

    def goes_back(self, before: Any, after: Any) -> bool:
        """Tell whether a save would undo a run."""
        history = before.get("history") or []
        fewer = (after.get("runCount") or 0) < (before.get("runCount") or 0)
        return fewer or (after.get("history") or [])[: len(history)] != history

    def is_due(self, entry: Entry, now: int) -> bool:
        """Tell whether a job is due and nobody's."""
        job = entry["job"]
        if type(job.get("runAt")) is not int or job["runAt"] > now:
            return False
        if entry["until"] is None:
            return bool(job.get("status") == "ready")
        return bool(entry["until"] <= now and job.get("status") in ("ready", "running"))

    def ordered(self, due: list[Entry]) -> list[Entry]:
        """Return due entries, the earliest first."""
        return sorted(due, key=lambda entry: entry["job"]["runAt"])

    def is_poison(self, entry: Entry) -> bool:
        """Tell whether a job was claimed as often as it may be."""
        most = entry["job"].get("maxAttempts")
        return most is not None and entry["attempts"] >= most

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        """Make one job somebody's."""
        token, until = self.token_after(entry), now + lease
        entry = {**entry, "job": {**entry["job"], "status": "running"}, "token": token, "owner": owner, "until": until}
        self.write(entry["job"]["id"], {**entry, "attempts": entry["attempts"] + 1})
        return {"job": copy.deepcopy(entry["job"]), "token": token, "owner": owner, "until": until}

    def token_after(self, entry: Entry) -> int:
        """Return the token of the next claim."""
        return int(entry["token"]) + 1

    def held(self, job_id: str, token: int, now: int) -> Entry:
        """Return the entry of a claim that was neither superseded nor ended."""
        entry = self.entry(job_id)
        if entry is None or entry["job"] is None or entry["until"] is None or entry["token"] != token:
            raise ConflictError(f"the claim {token} on {job_id} is over, at {now}")
        return entry

    def completed(self, job: Any, now: int, result: Any) -> Any:
        """Return a job after a run that was completed."""
        count = (job.get("runCount") or 0) + 1
        job = {
            **self.noted(job, now, "completed"),
            "runCount": count,
            "lastRunAt": now,
            "result": result,
            "error": None,
        }
        if job.get("intervalMs") and (job.get("maxRuns") is None or count < job["maxRuns"]):
            return {**job, "status": "ready", "runAt": self.next_time(job, now)}
        return {**job, "status": "stopped"}

    def failed(self, entry: Entry, now: int, error: Any) -> Any:
        """Return a job after a run that failed."""
        status = "failed" if self.is_poison(entry) else "ready"
        return {**self.noted(entry["job"], now, "failed"), "error": error, "status": status}

    def noted(self, job: Any, now: int, status: str) -> Any:
        """Return a job with one more entry in its history."""
        return {**job, "history": [*(job.get("history") or []), {"at": now, "status": status}]}

    def next_time(self, job: Any, now: int) -> int:
        """Return when a job is due after a completion."""
        run_at, interval = int(job["runAt"]), int(job["intervalMs"])
        if job.get("misfire") == "all":
            return run_at + interval
        return run_at + interval * max((now - run_at) // interval + 1, 1)

    def not_skipped(self, job: Any, now: int) -> int:
        """Return when a job is due that skips what it missed."""
        run_at, interval = int(job["runAt"]), job.get("intervalMs")
        if job.get("misfire") == "skip" and interval and now - run_at >= interval:
            while run_at < now:
                run_at += interval
        return run_at

    def may_follow(self, status: str, following: str) -> bool:
        """Tell whether a job may go from one status to another."""
        return following in NEXT.get(status, ())

    # -- the file -----------------------------------------------------------------------------------------------------

    def new(self) -> Entry:
        """Return the entry of a job that was never saved."""
        return {"job": None, "token": 0, "owner": None, "until": None, "attempts": 0}

    def entry(self, job_id: str) -> Entry | None:
        """Return the entry of an id."""
        check_key(job_id)
        rows = self.rows("SELECT entry FROM jobs WHERE id = ?", job_id.encode("utf-8", "surrogatepass"))
        return loads(rows[0][0]) if rows else None

    def entries(self) -> list[Entry]:
        """Return all entries, in the order of their ids."""
        return [loads(text) for (text,) in self.rows("SELECT entry FROM jobs ORDER BY id")]

    def write(self, job_id: str, entry: Entry) -> None:
        """Write an entry."""
        check_value(entry)
        self.rows("INSERT OR REPLACE INTO jobs VALUES (?, ?)", job_id.encode("utf-8", "surrogatepass"), dumps(entry))

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        """Run a statement and return its rows."""
        with self.threads:
            return self.database.execute(sql, parameters).fetchall()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make what is written in the block one step."""
        with self.threads:
            self.rows("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.rows("ROLLBACK")
                raise
            self.rows("COMMIT")


@dataclass(frozen=True)
class Opener:
    """Opens a job store at a place; found again by a child process, as a lambda would not be."""

    jobs: Callable[[Path], Any]

    def __call__(self, where: Where) -> Any:
        return self.jobs(where.path / "jobs")


def backend(name: str, jobs: Callable[[Path], Any], **promises: Any) -> Backend:
    """Return a backend that opens `jobs` with the path of a file."""
    given = {"durability": "process-crash", "corruption": "silent", "errors": {"conflict": ConflictError}, **promises}
    return Backend(name, jobs=Opener(jobs), **given)


def jobs_mutant(name: str, bug: str, killed_by: str, jobs: Callable[[Path], Any], **promises: Any) -> Mutant:
    """Return a mutant that opens `jobs` with the path of a file; `killed_by` has the codes without their `JOBS-`."""
    return Mutant(name, bug, tuple(f"JOBS-{code}" for code in killed_by.split()), backend(name, jobs, **promises))


HONEST = backend("plain_jobs", PlainJobs)

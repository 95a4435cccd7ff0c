"""Odd but legal job stores: the checks must pass every one of them."""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from reference_backends._json import dumps, loads
from tests.mutants.jobs_base import Entry, PlainJobs, backend

SUITES = ("round-trip",)


class MissingJobError(Exception):
    """There is no such job."""


class TellingJobs(PlainJobs):
    """Notes the owner in the record and when in the history, lists summaries, newest id first, and is strict.

    It raises where a job is missing, refuses to delete what is running, jumps with its tokens, hands jobs out one by
    one and fewer than it might, and forgets the time of a job that is stopped.
    """

    def get_job(self, job_id: str) -> Any:
        """Return a job, or raise."""
        job = super().get_job(job_id)
        if job is None:
            raise MissingJobError(job_id)
        return job

    def list_jobs(self) -> Iterator[dict[str, Any]]:
        """Give summaries."""
        for job in reversed(super().list_jobs()):
            yield {name: job[name] for name in ("id", "status", "runAt") if name in job}

    def delete_job(self, job_id: str) -> None:
        """Delete a job that is there, and nobody's."""
        entry = self.entry(job_id)
        if entry is None or entry["job"] is None:
            raise MissingJobError(job_id)
        if entry["until"] is not None:
            raise RuntimeError(f"{job_id} is running")
        super().delete_job(job_id)

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Iterator[Any]:
        """Give claims as a generator, whose dicts say more."""
        for claim in super().claim_due(now, owner, lease, limit):
            yield {**claim, "attempt": 1, "job": {**claim["job"], "lockedBy": owner}}

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        """Note the owner in the record."""
        entry = {**entry, "job": {**entry["job"], "lockedBy": owner}}
        return super().claim(entry, now, owner, lease)

    def token_after(self, entry: Entry) -> int:
        """Jump."""
        return int(entry["token"]) + 1_000_003

    def noted(self, job: Any, now: int, status: str) -> Any:
        """Note more than is asked for."""
        after = super().noted({**job, "lockedBy": None}, now, status)
        after["history"][-1] = {"attempt": len(after["history"]), **after["history"][-1], "owner": job.get("lockedBy")}
        return after

    def completed(self, job: Any, now: int, result: Any) -> Any:
        """Forget the time of what is stopped."""
        after = super().completed(job, now, result)
        return {**after, "runAt": None} if after["status"] == "stopped" else after


class OldestFirst(PlainJobs):
    """Lists jobs in the order of their first save, and hands them out in it where they are due at the same time."""

    def entries(self) -> list[Entry]:
        """Return all in the order of their first save."""
        rows = self.rows("SELECT entry FROM jobs ORDER BY number")
        return [loads(text) for (text,) in rows]

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        columns = [row[1] for row in self.rows("PRAGMA table_info(jobs)")]
        if "number" not in columns:
            self.rows("ALTER TABLE jobs ADD COLUMN number INTEGER")

    def write(self, job_id: str, entry: Entry) -> None:
        """Write an entry in its place."""
        key = job_id.encode("utf-8", "surrogatepass")
        if self.rows("SELECT 1 FROM jobs WHERE id = ?", key):
            self.rows("UPDATE jobs SET entry = ? WHERE id = ?", dumps(entry), key)
        else:
            sql = "INSERT INTO jobs SELECT ?, ?, coalesce(max(number), 0) + 1 FROM jobs"
            self.rows(sql, key, dumps(entry))


class BufferedJobs(PlainJobs):
    """Keeps what is written in memory until `flush`, or `close`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.pending: dict[str, Entry] = {}

    def entry(self, job_id: str) -> Entry | None:
        """Return the pending entry, or that of the file."""
        with self.threads:
            return copy.deepcopy(self.pending[job_id]) if job_id in self.pending else super().entry(job_id)

    def entries(self) -> list[Entry]:
        """Return all entries."""
        with self.threads:
            ids = {
                loads(dumps(bytes(row[0]).decode("utf-8", "surrogatepass"))) for row in self.rows("SELECT id FROM jobs")
            }
            found = [self.entry(job_id) for job_id in sorted(ids | self.pending.keys())]
            return [entry for entry in found if entry is not None]

    def write(self, job_id: str, entry: Entry) -> None:
        """Keep an entry back."""
        self.pending[job_id] = loads(dumps(entry))

    def flush(self) -> None:
        """Write what is pending."""
        with self.threads:
            pending, self.pending = self.pending, {}
            for job_id, entry in pending.items():
                super().write(job_id, entry)

    def close(self) -> None:
        """Write what is pending, and let the file go."""
        self.flush()
        super().close()


class AsyncJobs:
    """Jobs whose verbs are coroutines and async generators, without any capability but claims."""

    def __init__(self, path: Path) -> None:
        self._jobs = PlainJobs(path)
        self._lock = asyncio.Lock()

    async def save_job(self, job: Any) -> None:
        """Save a job."""
        async with self._lock:
            self._jobs.save_job(job)

    async def get_job(self, job_id: str) -> Any:
        """Return a job."""
        return self._jobs.get_job(job_id)

    async def list_jobs(self) -> AsyncIterator[Any]:
        """Give all jobs."""
        for job in self._jobs.list_jobs():
            yield job

    async def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        """Claim due jobs."""
        async with self._lock:
            return tuple(self._jobs.claim_due(now, owner, lease, limit))

    async def renew(self, job_id: str, token: int, now: int, lease: int) -> None:
        """Let the lease end later."""
        self._jobs.renew(job_id, token, now, lease)

    async def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        """End a claim."""
        self._jobs.complete(job_id, token, now, result)

    async def fail(self, job_id: str, token: int, now: int, error: Any = None) -> None:
        """End a claim."""
        self._jobs.fail(job_id, token, now, error)

    async def close(self) -> None:
        """Close the file."""
        self._jobs.close()


class MemoryJobs:
    """Records in memory, which keep whatever can be copied; no capability."""

    def __init__(self, path: Path) -> None:
        self._jobs: dict[str, Any] = {}
        self._lock = threading.Lock()

    def save_job(self, job: Any) -> None:
        """Save a job; it is copied by its pickle, so that what has none is refused."""
        if not isinstance(job, dict) or not isinstance(job.get("id"), str) or not job["id"]:
            raise TypeError("a job is a dict with a text as its id")
        with self._lock:
            before = self._jobs.get(job["id"], {})
            history = before.get("history", [])
            if job.get("runCount", 0) < before.get("runCount", 0) or job.get("history", [])[: len(history)] != history:
                raise RuntimeError("the job has run meanwhile")
            self._jobs[str(job["id"])] = copy.deepcopy(job)

    def get_job(self, job_id: str) -> Any:
        """Return a copy."""
        return copy.deepcopy(self._jobs[job_id])

    def list_jobs(self) -> Any:
        """Return the ids, in dicts."""
        return [{"id": job_id} for job_id in self._jobs]


ODD = [
    backend("odd_jobs_telling", TellingJobs, errors={"missing": MissingJobError}),
    backend("odd_jobs_oldest_first", OldestFirst),
    backend("odd_jobs_buffered", BufferedJobs, flush=BufferedJobs.flush, sharing="threads"),
    backend("odd_jobs_async", AsyncJobs, sharing="single"),
    backend("odd_jobs_in_memory", MemoryJobs, durability="volatile", sharing="single"),
]

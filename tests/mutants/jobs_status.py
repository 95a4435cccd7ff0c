"""Job stores that move jobs along wrongly, or delete them wrongly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference_backends._json import dumps, loads
from tests.mutants.jobs_base import NEXT, ConflictError, Entry, PlainJobs, jobs_mutant


class StoppingIsRefused(PlainJobs):
    def may_follow(self, status: str, following: str) -> bool:
        return following != "stopping" and super().may_follow(status, following)


class StatusTakesFields(PlainJobs):
    def set_status(self, job_id: str, status: str) -> Any:
        job = super().set_status(job_id, status)
        entry = self.entry(job_id)
        assert entry is not None
        self.write(job_id, {**entry, "job": {**job, "error": None}})
        return job


class StatusInMemory(PlainJobs):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.statuses: dict[str, str] = {}

    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        self.statuses.pop(job["id"], None)

    def entry(self, job_id: str) -> Entry | None:
        entry = super().entry(job_id)
        if entry is not None and entry["job"] is not None and job_id in self.statuses:
            entry["job"]["status"] = self.statuses[job_id]
        return entry

    def set_status(self, job_id: str, status: str) -> Any:
        job = self.get_job(job_id)
        if job is None:
            raise KeyError(job_id)
        if job["status"] != status and not self.may_follow(job["status"], status):
            raise ConflictError(job_id)
        self.statuses[job_id] = status
        return {**job, "status": status}


class AnyMove(PlainJobs):
    def may_follow(self, status: str, following: str) -> bool:
        return following in NEXT


class AnyText(PlainJobs):
    def may_follow(self, status: str, following: str) -> bool:
        return following not in NEXT or super().may_follow(status, following)


class RefusedMoveIsMade(PlainJobs):
    def set_status(self, job_id: str, status: str) -> Any:
        try:
            return super().set_status(job_id, status)
        except ConflictError:
            entry = self.entry(job_id)
            assert entry is not None
            self.write(job_id, {**entry, "job": {**entry["job"], "status": status}})
            raise


class RepeatIsRefused(PlainJobs):
    def set_status(self, job_id: str, status: str) -> Any:
        job = self.get_job(job_id)
        if job is not None and job["status"] == status:
            raise ConflictError(f"{job_id} is {status} already")
        return super().set_status(job_id, status)


class RepeatIsNoted(PlainJobs):
    def set_status(self, job_id: str, status: str) -> Any:
        job = self.get_job(job_id)
        if job is not None and job["status"] == status:
            entry = self.entry(job_id)
            assert entry is not None
            self.write(job_id, {**entry, "job": {**job, "history": [*job["history"], {"at": 0, "status": status}]}})
        return super().set_status(job_id, status)


class StatusMakesAJob(PlainJobs):
    def set_status(self, job_id: str, status: str) -> Any:
        try:
            return super().set_status(job_id, status)
        except KeyError:
            self.write(job_id, {**self.new(), "job": {"id": job_id, "status": status}})
            return {"id": job_id, "status": status}


class StatusDoesNotReachTheQueue(PlainJobs):
    """What is due is found in a queue that saves and claims fill, and moves don't touch."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.queue: set[str] = set()

    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        (self.queue.add if job.get("status") == "ready" else self.queue.discard)(job["id"])

    def is_due(self, entry: Entry, now: int) -> bool:
        status = "ready" if entry["job"]["id"] in self.queue else entry["job"]["status"]
        return super().is_due({**entry, "job": {**entry["job"], "status": status}}, now)

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        self.queue.discard(entry["job"]["id"])
        return super().claim(entry, now, owner, lease)


class RestartDoesNotForget(PlainJobs):
    def set_status(self, job_id: str, status: str) -> Any:
        before = self.entry(job_id)
        job = super().set_status(job_id, status)
        after = self.entry(job_id)
        if before is not None and after is not None:
            self.write(job_id, {**after, "attempts": before["attempts"]})
        return job


class DeleteLeavesTheRecord(PlainJobs):
    """Takes a job out of the listing alone."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.deleted: set[str] = set()

    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        self.deleted.discard(job["id"])

    def delete_job(self, job_id: str) -> None:
        self.deleted.add(job_id)

    def list_jobs(self) -> Any:
        return [job for job in super().list_jobs() if job["id"] not in self.deleted]


class DeletesByBeginning(PlainJobs):
    def delete_job(self, job_id: str) -> None:
        for job in self.list_jobs():
            if job["id"].startswith(job_id):
                super().delete_job(job["id"])


class DeletesTheLast(PlainJobs):
    """Where a job is not there, it deletes the last one."""

    def delete_job(self, job_id: str) -> None:
        ids = [job["id"] for job in self.list_jobs()]
        super().delete_job(job_id if job_id in ids else ids[-1])


class DeleteInMemory(DeleteLeavesTheRecord):
    def save_job(self, job: Any) -> Any:
        if job["id"] in self.deleted:
            PlainJobs.delete_job(self, job["id"])
        super().save_job(job)

    def get_job(self, job_id: str) -> Any:
        return None if job_id in self.deleted else super().get_job(job_id)

    def is_due(self, entry: Entry, now: int) -> bool:
        return entry["job"]["id"] not in self.deleted and super().is_due(entry, now)


class DeletedIsDue(PlainJobs):
    """The queue of due jobs keeps what was deleted."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS deleted (id BLOB PRIMARY KEY, entry TEXT)")

    def delete_job(self, job_id: str) -> None:
        self.rows("INSERT OR REPLACE INTO deleted SELECT id, entry FROM jobs WHERE id = ?", job_id.encode())
        super().delete_job(job_id)

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        claims = super().claim_due(now, owner, lease, limit)
        for (text,) in self.rows("SELECT entry FROM deleted"):
            entry = loads(text)
            if entry["job"] and self.is_due(entry, now):
                claims.append({"job": entry["job"], "token": 1, "owner": owner, "until": now + lease})
        return claims


class CompletionBringsBack(PlainJobs):
    """Completes the job as it was claimed, whatever became of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.claims: dict[str, Entry] = {}

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        claim = super().claim(entry, now, owner, lease)
        self.claims[claim["job"]["id"]] = {**entry, **claim, "attempts": 1}
        return claim

    def held(self, job_id: str, token: int, now: int) -> Entry:
        entry = self.entry(job_id)
        if entry is not None and entry["job"] is None and job_id in self.claims:
            return loads(dumps(self.claims[job_id]))  # type: ignore[no-any-return]
        return super().held(job_id, token, now)


class DeleteForgetsTokens(PlainJobs):
    def delete_job(self, job_id: str) -> None:
        self.rows("DELETE FROM jobs WHERE id = ?", job_id.encode())


def _mutant(name: str, bug: str, killed_by: str, jobs: Callable[[Path], Any]) -> Any:
    return jobs_mutant(f"jobs_{name}", bug, killed_by, jobs)


MUTANTS = [
    _mutant("stopping_is_refused", "a legal move is refused", "STATUS-01", StoppingIsRefused),
    _mutant("status_takes_fields", "a move takes the error along", "STATUS-01", StatusTakesFields),
    _mutant("status_in_memory", "statuses are kept in memory", "STATUS-02", StatusInMemory),
    _mutant("any_move", "every move between statuses is made", "STATUS-03", AnyMove),
    _mutant("any_text", "any text is a status", "STATUS-03", AnyText),
    _mutant("refused_move_is_made", "a move that is refused is made", "STATUS-03", RefusedMoveIsMade),
    _mutant("repeat_is_refused", "the status that a job has is refused", "STATUS-04", RepeatIsRefused),
    _mutant("repeat_is_noted", "the status that a job has is noted once more", "STATUS-04", RepeatIsNoted),
    _mutant("status_makes_a_job", "the status of a missing job makes one", "STATUS-05", StatusMakesAJob),
    _mutant("status_misses_queue", "a stopped job is still due", "STATUS-06", StatusDoesNotReachTheQueue),
    _mutant("restart_does_not_forget", "a restarted job fails at once", "STATUS-07", RestartDoesNotForget),
    _mutant("delete_leaves_record", "a deleted job is got, but not listed", "DELETE-01", DeleteLeavesTheRecord),
    _mutant("deletes_by_beginning", "a delete takes all with the same beginning", "DELETE-01", DeletesByBeginning),
    _mutant("deletes_the_last", "deleting a missing job deletes another one", "DELETE-02", DeletesTheLast),
    _mutant("delete_in_memory", "a deleted job comes back with the next start", "DELETE-03", DeleteInMemory),
    _mutant("deleted_is_due", "a deleted job is still due", "DELETE-04", DeletedIsDue),
    _mutant("completion_brings_back", "a completion brings a deleted job back", "DELETE-04", CompletionBringsBack),
    _mutant(
        "delete_forgets_tokens",
        "a job under the id of a deleted one gives its tokens",
        "DELETE-05",
        DeleteForgetsTokens,
    ),
]

"""persist-queue's SQLiteAckQueue: its rows have numbers, so the row of a job is looked for by the id in it."""

from __future__ import annotations

from typing import Any

from persistqueue import SQLiteAckQueue

from conformance import Backend, Where, adapt


def open_jobs(where: Where) -> Any:
    """Open the queue."""
    queue = SQLiteAckQueue(str(where.path / "store"))

    def row_of(job_id: Any) -> Any:
        return next((row for row in queue.queue() if row["data"]["id"] == job_id), None)

    def save_job(job: Any) -> None:
        if not isinstance(job, dict) or not isinstance(job.get("id"), str) or not job["id"]:
            raise ValueError("A queue knows no ids: those of the jobs are this adapter's.")
        row = row_of(job["id"])
        if row is None:
            queue.put(job)
        else:
            queue.update(job, id=row["id"])

    def get_job(job_id: Any) -> Any:
        row = row_of(job_id)
        return row and row["data"]

    return adapt(queue, save_job=save_job, get_job=get_job, list_jobs=lambda: [row["data"] for row in queue.queue()])


FOUND = "a job's row is looked for first and written then, so that another writer may come between"
backend = Backend("persist-queue", jobs=open_jobs, lacks={"threads": FOUND, "processes": FOUND})

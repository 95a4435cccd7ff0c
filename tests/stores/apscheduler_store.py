"""APScheduler with its SQLAlchemyJobStore on SQLite: a job is scheduled at its `runAt`, with the record as argument."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.base import BaseScheduler

from conformance import Backend, Where, adapt


class Still(BaseScheduler):
    """A scheduler that runs nothing: it is paused, and nobody wakes it."""

    def wakeup(self) -> None:
        """Do nothing."""

    def shutdown(self, wait: bool = True) -> None:  # noqa: FBT001, FBT002 - it is the scheduler's signature
        """End it, as every scheduler ends."""
        super().shutdown(wait)


def handler(job: Any) -> None:
    """Do what the job is for: nothing."""


def open_jobs(where: Where) -> Any:
    """Start a scheduler that is paused."""
    jobs = SQLAlchemyJobStore(f"sqlite:///{where.path / 'store.sqlite'}")
    scheduler = Still(jobstores={"default": jobs}, timezone=timezone.utc)
    scheduler.start(paused=True)

    def save_job(job: Any) -> None:
        if not isinstance(job, dict) or "id" not in job:
            raise ValueError("There is no id to schedule it under.")
        run_at = job.get("runAt")
        at = datetime.fromtimestamp(run_at / 1000, timezone.utc) if isinstance(run_at, (int, float)) else None
        scheduler.add_job(handler, "date", args=[job], id=job["id"], next_run_time=at, replace_existing=True)

    def get_job(job_id: Any) -> Any:
        found = scheduler.get_job(job_id)
        return found and found.args[0]

    return adapt(
        scheduler,
        save_job=save_job,
        get_job=get_job,
        list_jobs=lambda: [job.args[0] for job in scheduler.get_jobs()],
        delete_job="remove_job",
        close="shutdown",
    )


backend = Backend("apscheduler", jobs=open_jobs, errors={"missing": JobLookupError})

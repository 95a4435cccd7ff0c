"""Job stores whose records are wrong: what is saved, got and listed, and how long it lives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.jobs_base import PlainJobs, jobs_mutant


class AnotherJob(PlainJobs):
    def get_job(self, job_id: str) -> Any:
        found = super().get_job(job_id)
        return next(iter(self.list_jobs()), None) if found is None else found


class OnlyKnownFields(PlainJobs):
    def write(self, job_id: str, entry: Any) -> None:
        known = ("id", "handler", "payload", "runAt", "intervalMs", "maxRuns", "maxAttempts", "misfire", "runCount")
        known += ("status", "result", "error", "lastRunAt", "history")
        job = entry["job"] and {name: value for name, value in entry["job"].items() if name in known}
        super().write(job_id, {**entry, "job": job})


class Forgetful(PlainJobs):
    """Begins anew at each opening."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("DELETE FROM jobs")


MUTANTS = [
    jobs_mutant("jobs_get_another", "get_job gives another job rather than none", "BASIC-01", AnotherJob),
    jobs_mutant("jobs_known_fields", "fields that the store does not know are dropped", "BASIC-01", OnlyKnownFields),
    jobs_mutant("jobs_gone_at_opening", "each opening begins with an empty store", "REOPEN-01", Forgetful),
]

"""Stores of runs and jobs that use every freedom that the rule books leave: none must be accused for it."""

from __future__ import annotations

from typing import Any

from tests.mutants import jobs_base, runs_base
from tests.mutants.jobs_base import Entry, PlainJobs
from tests.mutants.runs_base import PlainRuns

SUITES = ("round-trip", "crash-recovery")


class LastOfEqualsFirst(PlainJobs):
    """Hands out jobs that are due at the same time in the reverse order of their ids."""

    def ordered(self, due: list[Entry]) -> list[Entry]:
        """Return due entries, the earliest first."""
        return super().ordered(sorted(due, key=lambda entry: str(entry["job"]["id"]), reverse=True))


class CountingJobs(PlainJobs):
    """Lists summaries with counts of its own, which are in no record, and null for what a record has not."""

    def list_jobs(self) -> Any:
        """Return summaries."""
        return (
            {"id": job["id"], "status": job.get("status"), "runs": len(job.get("history") or [])}
            for job in super().list_jobs()
        )


class StrictTokens(PlainJobs):
    """Tells a token that it never gave from one that was superseded, and a missing job from both."""

    def held(self, job_id: str, token: int, now: int) -> Entry:
        """Return the entry of a claim."""
        entry = self.entry(job_id)
        if entry is None or entry["job"] is None:
            raise KeyError(job_id)
        if not 1 <= token <= entry["token"]:
            raise ValueError(f"{token} is no token of {job_id}")
        return super().held(job_id, token, now)


class SummingRuns(PlainRuns):
    """Lists summaries that have the same fields for every run: null or an empty list where the record has none."""

    def list_runs(self) -> Any:
        """Return summaries."""
        for run in super().list_runs():
            yield {
                **{name: run.get(name) for name in ("id", "status", "output")},
                "messages": run.get("messages", []),
                "length": len(run.get("messages") or []),
            }


class KeepingRuns(PlainRuns):
    """Has the verb that removes a run, as its base demands, and deletes nothing; the backend disclaims it."""

    def delete_run(self, run_id: str) -> None:
        """Refuse."""
        raise NotImplementedError("runs are kept for ten years")


class KeepingJobs(PlainJobs):
    """Hands out no job and deletes none, though it has the verbs; the backend disclaims both."""

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        """Refuse."""
        raise NotImplementedError("jobs are claimed elsewhere")

    def delete_job(self, job_id: str) -> None:
        """Refuse."""
        raise NotImplementedError("jobs are kept for ten years")


ODD = [
    jobs_base.backend("odd_review_last_of_equals_first", LastOfEqualsFirst),
    jobs_base.backend("odd_review_counting_jobs", CountingJobs),
    jobs_base.backend("odd_review_strict_tokens", StrictTokens),
    runs_base.backend("odd_review_summing_runs", SummingRuns),
    runs_base.backend("odd_review_keeping_runs", KeepingRuns, lacks={"delete_run": "runs are kept"}),
    jobs_base.backend(
        "odd_review_keeping_jobs", KeepingJobs, lacks={"delete_job": "jobs are kept", "claims": "there is a queue"}
    ),
]

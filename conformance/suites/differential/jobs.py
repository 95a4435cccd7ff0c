"""Two `jobs` stores that are asked the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "DIFF-JOBS-01",
    level="should",
    sources="McKeeman, Differential Testing for Software (1998)",
    needs=("JOBS-BASIC-01",),
)
def test_two_job_stores_answer_the_same(trial: Trial) -> None:
    """The same jobs saved, got, listed and deleted on two backends give the same answers.

    Why: whoever moves what is still to be done must find each job as it was saved, or it is done twice, or never.

    Breaks it:

        def save_job(self, job):
            self._execute("INSERT OR IGNORE INTO jobs VALUES (?, ?)", job["id"], dumps(job))     # the first one stays
    """
    from conformance.models.twin_records import run_records
    from conformance.values.jobs import small_job

    run_records(
        trial,
        ("save_job", "get_job", "list_jobs", "delete_job"),
        lambda job_id, number, value: {**small_job(job_id, number), "payload": value, "runCount": number},
    )

"""Two `runs` stores that are asked the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "DIFF-RUNS-01",
    level="should",
    sources="McKeeman, Differential Testing for Software (1998)",
    needs=("RUNS-BASIC-01",),
)
def test_two_run_stores_answer_the_same(trial: Trial) -> None:
    """The same runs saved, got, listed and deleted on two backends give the same answers.

    Why: whoever moves the runs of agents must find each one whole, and no other, where the program looks for it.

    Breaks it:

        def save_run(self, run):
            self._runs[run["id"]] = {**self._runs.get(run["id"], {}), **run}     # the other store replaces the record
    """
    from conformance.models.twin_records import run_records
    from conformance.values.runs import small_run

    run_records(
        trial,
        ("save_run", "get_run", "list_runs", "delete_run"),
        # Not every run has the same fields.
        lambda run_id, number, value: {**small_run(run_id, number), f"field {number % 3}": value},
    )

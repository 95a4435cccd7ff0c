"""Run stores that save or find runs wrongly."""

from __future__ import annotations

from typing import Any

from tests.mutants.runs_base import PlainRuns, runs_mutant


class GivesTheLatest(PlainRuns):
    def get_run(self, run_id: str) -> Any:
        return super().list_runs()[-1]


MUTANTS = [
    runs_mutant("gives_the_latest", "whatever is asked for, the newest run is given", "BASIC-01", GivesTheLatest),
]

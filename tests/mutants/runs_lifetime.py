"""Run stores that lose runs when they are closed, hide them from others, or mix those of two places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.runs_base import PlainRuns, Run, runs_mutant


class WritesNewRunsOnly(PlainRuns):
    """Answers from memory, and writes at the close what it did not find on the disk when it was opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.kept: dict[str, Run] = {run["id"]: run for run in super().list_runs()}
        self.old = set(self.kept)

    def put(self, run_id: str, run: Run) -> None:
        self.kept[run_id] = self.decode(self.encode(run))

    def find(self, run_id: str) -> Any:
        return self.kept.get(run_id)

    def close(self) -> None:
        for run_id, run in self.kept.items():
            if run_id not in self.old:
                super().put(run_id, run)
        super().close()


MUTANTS = [
    runs_mutant("writes_new_runs_only", "the close writes runs that are new", "REOPEN-01", WritesNewRunsOnly),
]

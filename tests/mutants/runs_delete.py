"""Run stores that delete too much, too little, or not for long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.runs_base import PlainRuns, Run, runs_mutant
from tests.mutants.runs_lifetime import InMemory


class DeletesPrefixes(PlainRuns):
    def drop(self, run_id: str) -> None:
        for run in self.list_runs():
            if run["id"].startswith(run_id):
                super().drop(run["id"])


class StaysListed(PlainRuns):
    """Empties the record of a deleted run, and leaves it in the listing."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS ids (place INTEGER PRIMARY KEY, id TEXT UNIQUE)")

    def put(self, run_id: str, run: Run) -> None:
        self.rows("INSERT OR IGNORE INTO ids (id) VALUES (?)", run_id)
        super().put(run_id, run)

    def list_runs(self) -> Any:
        return [self.find(run_id) or {"id": run_id} for (run_id,) in self.rows("SELECT id FROM ids ORDER BY place")]


class DeletesTheLastForMissing(PlainRuns):
    def drop(self, run_id: str) -> None:
        missing = self.find(run_id) is None
        listed = self.list_runs()
        super().drop(listed[-1]["id"] if missing and listed else run_id)


class RaisesForMissing(PlainRuns):
    def drop(self, run_id: str) -> None:
        if self.find(run_id) is None:
            raise RuntimeError("nothing was deleted")
        super().drop(run_id)


class KeepsTheParts(PlainRuns):
    """Keeps the events of deleted runs, and shows them when the id comes back without any."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.parts: dict[str, Any] = {}

    def drop(self, run_id: str) -> None:
        self.parts[run_id] = (self.find(run_id) or {}).get("checkpoints")
        super().drop(run_id)

    def put(self, run_id: str, run: Run) -> None:
        if self.parts.get(run_id) and "checkpoints" not in run:
            run = {**run, "checkpoints": self.parts.pop(run_id)}
        super().put(run_id, run)


class NeverAgain(PlainRuns):
    """Hides what was deleted, for ever."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS hidden (id TEXT)")

    def drop(self, run_id: str) -> None:
        super().drop(run_id)
        self.rows("INSERT INTO hidden VALUES (?)", run_id)

    def find(self, run_id: str) -> Any:
        return None if self.rows("SELECT 1 FROM hidden WHERE id = ?", run_id) else super().find(run_id)


class DeletesInMemory(InMemory):
    def drop(self, run_id: str) -> None:
        self.kept.pop(run_id, None)


class KeepsWhatItHasRead(PlainRuns):
    """Finds in its cache what is no longer in the file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.cache: dict[str, Run] = {}

    def drop(self, run_id: str) -> None:
        super().drop(run_id)
        self.cache.pop(run_id, None)

    def get_run(self, run_id: str) -> Any:
        found = super().get_run(run_id) or self.cache.get(run_id)
        if found is not None:
            self.cache[run_id] = found
        return found


MUTANTS = [
    runs_mutant("deletes_prefixes", "runs whose ids begin alike go as well", "DELETE-01", DeletesPrefixes),
    runs_mutant("stays_listed", "a deleted run is still listed", "DELETE-01", StaysListed),
    runs_mutant("deletes_the_last", "for a missing run the last one is deleted", "DELETE-02", DeletesTheLastForMissing),
    runs_mutant("delete_raises", "deleting a missing run raises RuntimeError", "DELETE-02", RaisesForMissing),
    runs_mutant("keeps_the_parts", "checkpoints come back with the id", "DELETE-03", KeepsTheParts),
    runs_mutant("never_again", "the id of a deleted run is hidden for ever", "DELETE-03", NeverAgain),
    runs_mutant("deletes_in_memory", "deleted until the next opening", "DELETE-04", DeletesInMemory),
    runs_mutant("finds_what_it_read", "a handle finds what another deleted", "DELETE-05", KeepsWhatItHasRead),
]

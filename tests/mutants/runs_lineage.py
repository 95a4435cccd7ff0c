"""Run stores that lose where runs come from, or let it become nonsense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.runs_base import PlainRuns, Run, runs_mutant
from tests.mutants.runs_records import DropsLineage


class FillsChildren(PlainRuns):
    """Writes each child into the `childRunIds` of its parent."""

    def put(self, run_id: str, run: Run) -> None:
        super().put(run_id, run)
        parent = self.find(self.parent(run)) if self.parent(run) else None
        if parent and self.parent(parent) is None and parent.get("metadata"):
            ids = parent["metadata"]["lineage"].get("childRunIds")
            if isinstance(ids, list) and run_id not in ids:
                ids.append(run_id)
                super().put(parent["id"], parent)


class SortsChildren(PlainRuns):
    def encode(self, run: Run) -> str:
        lineage = (run.get("metadata") or {}).get("lineage")
        if isinstance(lineage, dict) and isinstance(lineage.get("childRunIds"), list):
            lineage = {**lineage, "childRunIds": sorted(set(lineage["childRunIds"]))}
            run = {**run, "metadata": {**run["metadata"], "lineage": lineage}}
        return super().encode(run)


class TurnedRound(PlainRuns):
    def lineage(self, run_id: str) -> list[str]:
        return super().lineage(run_id)[::-1]


class WithoutItself(PlainRuns):
    def lineage(self, run_id: str) -> list[str]:
        return super().lineage(run_id)[:-1] or [run_id]

    def check_parent(self, run_id: str, run: Run) -> None:
        if parent := self.parent(run):
            self.present(parent)


class TwoGenerations(PlainRuns):
    def lineage(self, run_id: str) -> list[str]:
        return super().lineage(run_id)[-3:]


class AnyParent(PlainRuns):
    def check_parent(self, run_id: str, run: Run) -> None:
        """Let all pass."""

    def lineage(self, run_id: str) -> list[str]:
        ids = [run_id]
        while (parent := self.parent(self.find(ids[0]) or {})) and parent not in ids:
            ids.insert(0, parent)
        return ids


class LooksAtNewRunsOnly(PlainRuns):
    def check_parent(self, run_id: str, run: Run) -> None:
        if self.find(run_id) is None:
            super().check_parent(run_id, run)

    def lineage(self, run_id: str) -> list[str]:
        ids = [run_id]
        while (parent := self.parent(self.find(ids[0]) or {})) and parent not in ids:
            ids.insert(0, parent)
        return ids


class SeesNoLongCircles(LooksAtNewRunsOnly):
    def check_parent(self, run_id: str, run: Run) -> None:
        if parent := self.parent(run):
            self.present(parent)
            if parent == run_id or self.parent(self.present(parent)) == run_id:
                raise ValueError(f"{parent} can't be the parent of {run_id}")


class DeletesParents(PlainRuns):
    def check_children(self, run_id: str) -> None:
        """Let all pass."""


class NotesChildrenFirst(PlainRuns):
    """Notes a child at its parent before it looks at the child."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS children (parent TEXT, child TEXT)")

    def save_run(self, run: Run, token: int | None = None) -> None:
        parent = self.parent(run) if isinstance(run, dict) and isinstance(run.get("metadata"), dict) else None
        if isinstance(parent, str):
            self.rows("INSERT INTO children VALUES (?, ?)", parent, str(run.get("id")))
        super().save_run(run, token)

    def drop(self, run_id: str) -> None:
        self.rows("DELETE FROM children WHERE child = ?", run_id)
        super().drop(run_id)

    def check_children(self, run_id: str) -> None:
        if self.rows("SELECT 1 FROM children WHERE parent = ?", run_id):
            raise ValueError(f"{run_id} has children")


class KnowsItsOwn(PlainRuns):
    """Knows the parents of the runs that this handle saved."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.parents: dict[str, Any] = {}

    def put(self, run_id: str, run: Run) -> None:
        super().put(run_id, run)
        self.parents[run_id] = self.parent(run)

    def lineage(self, run_id: str) -> list[str]:
        ids = [run_id]
        while (parent := self.parents.get(ids[0])) and parent not in ids:
            ids.insert(0, parent)
        return ids

    def check_parent(self, run_id: str, run: Run) -> None:
        if parent := self.parent(run):
            self.present(parent)
            super().check_parent(run_id, run)


MUTANTS = [
    runs_mutant("loses_lineage", "the lineage is not written", "LINEAGE-01", DropsLineage),
    runs_mutant("fills_children", "a child is written into the record of its parent", "LINEAGE-01", FillsChildren),
    runs_mutant("sorts_children", "the ids of children are sorted, each once", "LINEAGE-01", SortsChildren),
    runs_mutant("lineage_turned_round", "a lineage begins with the run", "LINEAGE-02", TurnedRound),
    runs_mutant("lineage_without_itself", "a lineage ends with the parent", "LINEAGE-02", WithoutItself),
    runs_mutant("lineage_cut", "a lineage has three generations", "LINEAGE-02", TwoGenerations),
    runs_mutant("any_parent", "any parent is accepted", "LINEAGE-03 LINEAGE-04", AnyParent),
    runs_mutant(
        "new_runs_only", "the parent of a run saved again is not looked at", "LINEAGE-03 LINEAGE-04", LooksAtNewRunsOnly
    ),
    runs_mutant("no_long_circles", "a circle of three is accepted", "LINEAGE-04", SeesNoLongCircles),
    runs_mutant("deletes_parents", "a run with children is deleted", "LINEAGE-05", DeletesParents),
    runs_mutant("notes_children_first", "a child that was refused is still a child", "LINEAGE-06", NotesChildrenFirst),
    runs_mutant("parents_in_memory", "parents are known to one handle", "LINEAGE-07 LINEAGE-08", KnowsItsOwn),
]

"""Run stores that change, cut or fold ids."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.mutants.runs_base import PlainRuns, runs_mutant


class NoSlashes(PlainRuns):
    def key(self, run_id: str) -> Any:
        if "/" in run_id:
            raise OSError("is a directory")
        return super().key(run_id)


class ListsEscaped(PlainRuns):
    def list_runs(self) -> Any:
        return [{**run, "id": unquote(run["id"])} for run in super().list_runs()]


class ListsEscapedOnReopen(ListsEscaped):
    """Lists what it saved itself from memory, and the rest by the names of files."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.old = {run["id"] for run in PlainRuns.list_runs(self)}

    def list_runs(self) -> Any:
        runs = PlainRuns.list_runs(self)
        return [{**run, "id": unquote(run["id"])} if run["id"] in self.old else run for run in runs]


class FoldsCase(PlainRuns):
    def key(self, run_id: str) -> Any:
        return super().key(run_id).lower()


class FoldsForms(PlainRuns):
    def key(self, run_id: str) -> Any:
        return super().key(unicodedata.normalize("NFC", run_id))


class Strips(PlainRuns):
    def key(self, run_id: str) -> Any:
        return super().key(run_id.strip() or run_id)


class CutsIds(PlainRuns):
    def key(self, run_id: str) -> Any:
        return super().key(run_id)[:220]


MUTANTS = [
    runs_mutant("no_slashes", "an id with a slash is refused", "ID-01", NoSlashes),
    runs_mutant("lists_escaped", "ids are unescaped when they are listed", "ID-01 ID-02", ListsEscaped),
    runs_mutant("lists_escaped_on_reopen", "the same, of runs from before", "ID-01", ListsEscapedOnReopen),
    runs_mutant("folds_case", "ids that differ in case are one", "ID-02", FoldsCase),
    runs_mutant("folds_forms", "ids in two normal forms are one", "ID-02", FoldsForms),
    runs_mutant("strips_ids", "spaces around an id do not count", "ID-02", Strips),
    runs_mutant("cuts_ids", "an id is cut at 220 bytes", "ID-03", CutsIds),
]

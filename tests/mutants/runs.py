"""Run stores that save or find runs wrongly, or take what is no run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reference_backends._json import check_value
from reference_backends._records import check_record
from tests.mutants.runs_base import PlainRuns, Run, runs_mutant


class GivesTheLatest(PlainRuns):
    def get_run(self, run_id: str) -> Any:
        return super().list_runs()[-1]


class FindsPrefixes(PlainRuns):
    def get_run(self, run_id: str) -> Any:
        alike = [run for run in super().list_runs() if run["id"].startswith(run_id)]
        return super().get_run(run_id) or (alike[0] if alike else None)


class AnEmptyRunForNone(PlainRuns):
    def get_run(self, run_id: str) -> Any:
        return super().get_run(run_id) or {"id": run_id}


class NoneOnlyWhileEmpty(PlainRuns):
    def get_run(self, run_id: str) -> Any:
        found = super().get_run(run_id)
        if found is None and super().list_runs():
            raise KeyError(run_id)
        return found


class Merges(PlainRuns):
    def put(self, run_id: str, run: Run) -> None:
        super().put(run_id, {**(self.find(run_id) or {}), **run})


class KeepsLongerLists(PlainRuns):
    """Writes lists entry by entry over those that are there, and removes none."""

    def put(self, run_id: str, run: Run) -> None:
        old = self.find(run_id) or {}
        for name, value in run.items():
            if isinstance(value, list) and isinstance(old.get(name), list):
                run = {**run, name: [*value, *old[name][len(value) :]]}
        super().put(run_id, run)


class KeepsOldMetadata(PlainRuns):
    def put(self, run_id: str, run: Run) -> None:
        old = (self.find(run_id) or {}).get("metadata")
        if isinstance(old, dict) and isinstance(run.get("metadata"), dict):
            run = {**run, "metadata": {**old, **run["metadata"]}}
        super().put(run_id, run)


class FirstSaveWins(PlainRuns):
    def put(self, run_id: str, run: Run) -> None:
        if self.find(run_id) is None:
            super().put(run_id, run)


class SharesMessages(PlainRuns):
    """Keeps equal messages once, by their first run's input, and changes them in place."""

    def put(self, run_id: str, run: Run) -> None:
        for other in self.list_runs():
            if other.get("input") == run.get("input") and "messages" in run:
                super().put(other["id"], {**other, "messages": run["messages"]})
        super().put(run_id, run)


class MakesIdsTexts(PlainRuns):
    def save_run(self, run: Run, token: int | None = None) -> None:
        super().save_run({**run, "id": str(run.get("id"))}, token)


class TakesRunsWithoutIds(PlainRuns):
    def save_run(self, run: Run, token: int | None = None) -> None:
        if isinstance(run, dict) and "id" not in run:
            run = {**run, "id": "unnamed"}
        super().save_run(run, token)


class IgnoresWhatIsNoRun(PlainRuns):
    def save_run(self, run: Run, token: int | None = None) -> None:
        if isinstance(run, dict) and run.get("id"):
            super().save_run(run, token)


class DeletesFirst(PlainRuns):
    """Removes the old record, and then looks whether the new one can be written."""

    def save_run(self, run: Run, token: int | None = None) -> None:
        run_id = check_record({"id": run["id"]} if isinstance(run, dict) and "id" in run else run, "run")
        with self.writing():
            self.drop(run_id)
        super().save_run(run, token)


class DropsWhatIsNoJson(PlainRuns):
    def save_run(self, run: Run, token: int | None = None) -> None:
        check_record({"id": run["id"]} if isinstance(run, dict) and "id" in run else run, "run")
        super().save_run({name: value for name, value in run.items() if _is_json(value)}, token)


class ListsRefused(PlainRuns):
    """Notes the id of a run before it looks at the run."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS noted (place INTEGER PRIMARY KEY, id TEXT UNIQUE)")

    def save_run(self, run: Run, token: int | None = None) -> None:
        if isinstance(run, dict) and isinstance(run.get("id"), str) and run["id"].isprintable():
            self.rows("INSERT OR IGNORE INTO noted (id) VALUES (?)", run["id"])
        super().save_run(run, token)

    def list_runs(self) -> Any:
        runs = super().list_runs()
        noted = {run_id for (run_id,) in self.rows("SELECT id FROM noted")} - {run["id"] for run in runs}
        return [*runs, *({"id": run_id} for run_id in sorted(noted))]


class SaysKeyError(PlainRuns):
    def save_run(self, run: Run, token: int | None = None) -> None:
        if isinstance(run, dict):
            run["id"]
        super().save_run(run, token)


def _is_json(value: Any) -> bool:
    try:
        check_value(value)
    except (TypeError, ValueError):
        return False
    return True


MUTANTS = [
    runs_mutant("gives_the_latest", "whatever is asked for, the newest run is given", "BASIC-01", GivesTheLatest),
    runs_mutant(
        "finds_prefixes", "a run that is not there is another one that begins alike", "MISSING-01", FindsPrefixes
    ),
    runs_mutant("empty_for_none", "a run that is not there is an empty one", "MISSING-01", AnEmptyRunForNone),
    runs_mutant("none_while_empty", "None from an empty store, else KeyError", "MISSING-02", NoneOnlyWhileEmpty),
    runs_mutant("merges", "fields of the record before stay", "SAVE-01 FIELD-06", Merges),
    runs_mutant("keeps_longer_lists", "entries of a longer list stay at the end", "SAVE-01", KeepsLongerLists),
    runs_mutant("keeps_old_metadata", "metadata are merged", "SAVE-01", KeepsOldMetadata),
    runs_mutant("first_save_wins", "a run is not written again", "SAVE-01", FirstSaveWins),
    runs_mutant("shares_messages", "runs with one input share their messages", "SAVE-02", SharesMessages),
    runs_mutant("makes_ids_texts", "whatever the id is, it becomes a text", "REFUSE-01", MakesIdsTexts),
    runs_mutant("takes_runs_without_ids", "a run without an id gets one", "REFUSE-01", TakesRunsWithoutIds),
    runs_mutant("ignores_no_runs", "what is no run is dropped in silence", "REFUSE-01", IgnoresWhatIsNoRun),
    runs_mutant("deletes_first", "the old record goes before the new one is looked at", "REFUSE-02", DeletesFirst),
    runs_mutant("drops_no_json", "fields that are not JSON are dropped", "REFUSE-02", DropsWhatIsNoJson),
    runs_mutant("lists_refused", "an id is listed although its run was refused", "REFUSE-02", ListsRefused),
    runs_mutant("says_key_error", "a run without an id raises KeyError", "REFUSE-03", SaysKeyError),
]

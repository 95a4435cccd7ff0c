"""Run stores that are right but for one order of calls, or one count: mutants that one area of checks sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reference_backends._json import check_value
from reference_backends._records import check_record
from tests.mutants.runs_base import PlainRuns, Run, runs_mutant


class NumberIsAPlace(PlainRuns):
    """Takes an id that it does not find for a place in the listing, when it is a number."""

    def get_run(self, run_id: str) -> Any:
        found = super().get_run(run_id)
        if found is None and run_id.isdecimal():
            rows = self.rows("SELECT run FROM runs WHERE place = ?", run_id)
            return self.decode(rows[0][0]) if rows else None
        return found


class SameEntriesSameList(PlainRuns):
    """Compares a list with the one that is there as a bag of entries, and leaves it alone when nothing came or went."""

    def put(self, run_id: str, run: Run) -> None:
        old = self.find(run_id) or {}
        same = {name: old[name] for name, value in run.items() if _bag(value) and _bag(value) == _bag(old.get(name))}
        super().put(run_id, {**run, **same})


def _bag(value: Any) -> list[str]:
    return sorted(map(repr, value)) if isinstance(value, list) else []


class FailsTheFamily(PlainRuns):
    """A run that fails takes all with it that name its root, where it should take those that come of it."""

    def put(self, run_id: str, run: Run) -> None:
        root = _root(run)
        if root and run.get("status") == "failed":
            for other in super().list_runs():
                if _root(other) == root:
                    super().put(other["id"], {**other, "status": "failed"})
        super().put(run_id, run)


def _root(run: Run) -> Any:
    metadata = run.get("metadata")
    lineage = metadata.get("lineage") if isinstance(metadata, dict) else None
    return lineage.get("rootRunId") if isinstance(lineage, dict) else None


class HalfOfTheMessages(PlainRuns):
    """Replaces messages one by one, before it looks at the rest; those before the bad one stay."""

    def save_run(self, run: Run, token: int | None = None) -> None:
        try:
            super().save_run(run, token)
        except TypeError:
            old = self.find(run["id"]) if isinstance(run, dict) and isinstance(run.get("id"), str) else None
            if old and (good := _good(run.get("messages"))):
                self.put(run["id"], {**old, "messages": good})
            raise


def _good(messages: Any) -> list[Any]:
    """Return the messages before the first one that is not JSON."""
    good: list[Any] = []
    for message in messages if isinstance(messages, list) else []:
        try:
            check_value(message)
        except TypeError:
            return good
        good.append(message)
    return []


class OlderComesBack(PlainRuns):
    """Keeps the record before the last one in a second place, and takes it at the opening when the first is empty."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS older (id BLOB PRIMARY KEY, run TEXT)")
        self.rows("INSERT OR IGNORE INTO runs (id, run) SELECT id, run FROM older")

    def put(self, run_id: str, run: Run) -> None:
        key = self.key(run_id)
        self.rows("DELETE FROM older WHERE id = ?", key)
        self.rows("INSERT INTO older SELECT id, run FROM runs WHERE id = ?", key)
        super().put(run_id, run)


class EmptyKeepsAppended(PlainRuns):
    """Takes an empty list of events for none that were given, where events were appended to the run."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS appended (id BLOB PRIMARY KEY)")

    def save_run(self, run: Run, token: int | None = None) -> None:
        run_id = check_record(run, "run")
        if run.get("events") == [] and self.rows("SELECT 1 FROM appended WHERE id = ?", self.key(run_id)):
            run = {**run, "events": self.present(run_id)["events"]}
        super().save_run(run, token)

    def append_event(self, run_id: str, event: Any) -> None:
        super().append_event(run_id, event)
        self.rows("INSERT OR IGNORE INTO appended VALUES (?)", self.key(run_id))

    def drop(self, run_id: str) -> None:
        super().drop(run_id)
        self.rows("DELETE FROM appended WHERE id = ?", self.key(run_id))


class EventsWaitForASave(PlainRuns):
    """Keeps appended events in this handle, and writes them with the next save of whatever it reads."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.waiting: dict[str, list[Any]] = {}

    def append_event(self, run_id: str, event: Any) -> None:
        self.present(run_id)
        self.waiting.setdefault(run_id, []).append(self.decode(self.encode({"event": event}))["event"])

    def find(self, run_id: str) -> Any:
        return self.with_events(super().find(run_id))

    def list_runs(self) -> Any:
        return [self.with_events(run) for run in super().list_runs()]

    def put(self, run_id: str, run: Run) -> None:
        super().put(run_id, run)
        self.waiting.pop(run_id, None)

    def drop(self, run_id: str) -> None:
        super().drop(run_id)
        self.waiting.pop(run_id, None)

    def with_events(self, run: Any) -> Any:
        """Return a run of the file with the events that wait."""
        waiting = run and self.waiting.get(run["id"])
        return {**run, "events": [*run.get("events", []), *waiting]} if waiting else run


class NewestEventByReference(PlainRuns):
    """Shows the newest event of a run from memory, where it has the object that was appended."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.newest: dict[str, tuple[Any, Any]] = {}

    def append_event(self, run_id: str, event: Any) -> None:
        super().append_event(run_id, event)
        self.newest[run_id] = super().find(run_id), event

    def get_run(self, run_id: str) -> Any:
        found = super().get_run(run_id)
        then, event = self.newest.get(run_id, (None, None))
        return {**found, "events": [*found["events"][:-1], event]} if found and found == then else found


class LastHundredEvents(PlainRuns):
    def append_event(self, run_id: str, event: Any) -> None:
        super().append_event(run_id, event)
        run = self.present(run_id)
        self.put(run_id, {**run, "events": run["events"][-100:]})


class ListsOldApprovals(PlainRuns):
    """Writes into its summaries what is not null: an approval that was given is still asked for."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS approvals (id BLOB PRIMARY KEY, asked TEXT)")

    def put(self, run_id: str, run: Run) -> None:
        super().put(run_id, run)
        if run.get("pendingApproval") is not None:
            asked = self.encode({"asked": run["pendingApproval"]})
            self.rows("INSERT OR REPLACE INTO approvals VALUES (?, ?)", self.key(run_id), asked)

    def drop(self, run_id: str) -> None:
        super().drop(run_id)
        self.rows("DELETE FROM approvals WHERE id = ?", self.key(run_id))

    def list_runs(self) -> Any:
        return [self.summary(run) for run in super().list_runs()]

    def summary(self, run: Run) -> Run:
        """Return what is listed of a run."""
        if "pendingApproval" not in run or run["pendingApproval"] is not None:
            return run
        rows = self.rows("SELECT asked FROM approvals WHERE id = ?", self.key(run["id"]))
        return {**run, "pendingApproval": self.decode(rows[0][0])["asked"]} if rows else run


MUTANTS = [
    runs_mutant("number_is_a_place", "a missing id that is a number gives the run there", "MISSING-01", NumberIsAPlace),
    runs_mutant("same_entries_same_list", "a list in another order is not written", "SAVE-01", SameEntriesSameList),
    runs_mutant("fails_the_family", "a run that fails makes all of its root fail", "SAVE-02", FailsTheFamily),
    runs_mutant("half_of_the_messages", "messages of a refused run are written", "REFUSE-02", HalfOfTheMessages),
    runs_mutant("older_comes_back", "a deleted run's record before the last comes back", "DELETE-04", OlderComesBack),
    runs_mutant("empty_keeps_appended", "a save without events leaves the appended", "EVENT-05", EmptyKeepsAppended),
    runs_mutant(
        "events_wait_for_a_save",
        "events are in the handle until a save",
        "EVENT-03 EVENT-06 EVENT-07",
        EventsWaitForASave,
    ),
    runs_mutant("newest_event_by_reference", "the newest event is the caller's", "EVENT-08", NewestEventByReference),
    runs_mutant("last_hundred_events", "an append keeps the last hundred events", "EVENT-09", LastHundredEvents),
    runs_mutant("lists_old_approvals", "the listing has an approval that is over", "LIST-03", ListsOldApprovals),
]

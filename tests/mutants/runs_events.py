"""Run stores that append events wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.runs_base import PlainRuns, Run, runs_mutant
from tests.mutants.runs_lifetime import InMemory
from tests.mutants.runs_records import Cached


class Appends(PlainRuns):
    """Appends in a step that mutants change."""

    def append_event(self, run_id: str, event: Any) -> None:
        with self.writing():
            self.put(run_id, self.with_event(self.present(run_id), event))

    def with_event(self, run: Run, event: Any) -> Run:
        """Return a run with one event more."""
        return {**run, "events": [*run.get("events", []), event]}


class Prepends(Appends):
    def with_event(self, run: Run, event: Any) -> Run:
        return {**run, "events": [event, *run.get("events", [])]}


class ByTime(Appends):
    def with_event(self, run: Run, event: Any) -> Run:
        def time(one: Any) -> Any:
            return (isinstance(one, dict) and one.get("at")) or 0

        return {**run, "events": sorted([*run.get("events", []), event], key=time)}


class EqualOnce(Appends):
    def with_event(self, run: Run, event: Any) -> Run:
        return run if event in run.get("events", []) else super().with_event(run, event)


class TouchesTheRun(Appends):
    def with_event(self, run: Run, event: Any) -> Run:
        return {**super().with_event(run, event), "updatedAt": 1}


class MakesTheRun(PlainRuns):
    def append_event(self, run_id: str, event: Any) -> None:
        if self.find(run_id) is None:
            self.save_run({"id": run_id, "events": []})
        super().append_event(run_id, event)


class IgnoresMissingRuns(PlainRuns):
    def append_event(self, run_id: str, event: Any) -> None:
        if self.find(run_id) is not None:
            super().append_event(run_id, event)


class KeepsRefusedEvent(InMemory):
    """Puts the event into the run before it is written."""

    def append_event(self, run_id: str, event: Any) -> None:
        if run_id not in self.kept:
            raise KeyError(run_id)
        try:
            super().append_event(run_id, event)
        except TypeError:
            self.kept[run_id]["events"].append("refused")
            raise


class SkipsWhatIsNoJson(PlainRuns):
    def append_event(self, run_id: str, event: Any) -> None:
        try:
            super().append_event(run_id, event)
        except TypeError:
            return


class SmallInts(Appends):
    """Writes events in another way than runs, which has no ints beyond 64 bits."""

    def with_event(self, run: Run, event: Any) -> Run:
        if isinstance(event, dict):
            big = {n: float(v) for n, v in event.items() if type(v) is int and not -(2**63) <= v < 2**63}
            event = {**event, **{name: value if abs(value) < 1e200 else 0.0 for name, value in big.items()}}
        return super().with_event(run, event)


class TableOfEvents(PlainRuns):
    """Keeps appended events in a table, which a save leaves alone."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS events (place INTEGER PRIMARY KEY, id TEXT, event TEXT)")

    def append_event(self, run_id: str, event: Any) -> None:
        self.present(run_id)
        self.rows("INSERT INTO events (id, event) VALUES (?, ?)", run_id, self.encode({"event": event}))

    def find(self, run_id: str) -> Any:
        run = super().find(run_id)
        more = self.more(run_id)
        return {**run, "events": [*run.get("events", []), *more]} if run and more else run

    def list_runs(self) -> Any:
        return [self.find(run["id"]) for run in super().list_runs()]

    def more(self, run_id: str) -> list[Any]:
        """Return the events in the table."""
        rows = self.rows("SELECT event FROM events WHERE id = ? ORDER BY place", run_id)
        return [self.decode(text)["event"] for (text,) in rows]


class TableInOrderOfTexts(TableOfEvents):
    """Empties the table with each save, and reads it in the order of the places as texts."""

    def save_run(self, run: Run, token: int | None = None) -> None:
        super().save_run(run, token)
        self.rows("DELETE FROM events WHERE id = ?", run["id"])

    def more(self, run_id: str) -> list[Any]:
        rows = self.rows("SELECT event FROM events WHERE id = ? ORDER BY CAST(place + 9 AS TEXT)", run_id)
        found = [self.decode(text)["event"] for (text,) in rows]
        return found if len(found) > 100 else super().more(run_id)


class EventsInMemory(InMemory):
    """Writes events with the next save."""

    def append_event(self, run_id: str, event: Any) -> None:
        run = self.present(run_id)
        self.kept[run_id] = self.decode(self.encode({**run, "events": [*run.get("events", []), event]}))


class AppendsToWhatItKnows(PlainRuns):
    """Appends to the run as this handle has appended to it before."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.known: dict[str, Run] = {}

    def append_event(self, run_id: str, event: Any) -> None:
        run = self.known.get(run_id) or self.present(run_id)
        self.known[run_id] = {**run, "events": [*run["events"], self.decode(self.encode({"": event}))[""]]}
        self.put(run_id, self.known[run_id])

    def save_run(self, run: Run, token: int | None = None) -> None:
        self.known.clear()
        super().save_run(run, token)


class KeepsTheEvent(Cached):
    def append_event(self, run_id: str, event: Any) -> None:
        super().append_event(run_id, event)
        if run_id in self.cache:
            self.cache[run_id]["events"].append(event)


MUTANTS = [
    runs_mutant("prepends", "an event is put before the others", "EVENT-01", Prepends),
    runs_mutant("events_by_time", "events are kept in the order of their times", "EVENT-01", ByTime),
    runs_mutant("equal_events_once", "an event equal to an earlier one is dropped", "EVENT-01", EqualOnce),
    runs_mutant("touches_the_run", "an append notes its time in the run", "EVENT-01", TouchesTheRun),
    runs_mutant("makes_the_run", "an event makes the run that is missing", "EVENT-02", MakesTheRun),
    runs_mutant("ignores_missing", "an event of a missing run is lost in silence", "EVENT-02", IgnoresMissingRuns),
    runs_mutant(
        "keeps_refused_event", "a refused event stays in the run", "EVENT-03", KeepsRefusedEvent, sharing="threads"
    ),
    runs_mutant("skips_no_json", "an event that is no JSON is lost in silence", "EVENT-03", SkipsWhatIsNoJson),
    runs_mutant("events_of_64_bits", "long ints in events become floats", "EVENT-04", SmallInts),
    runs_mutant("table_of_events", "a save leaves the appended events", "EVENT-05", TableOfEvents),
    runs_mutant("events_by_text", "many events come in the order of texts", "EVENT-09", TableInOrderOfTexts),
    runs_mutant("events_in_memory", "events are written with the next save", "EVENT-06", EventsInMemory),
    runs_mutant("appends_to_known", "events of another handle are lost", "EVENT-07", AppendsToWhatItKnows),
    runs_mutant("keeps_the_event", "keeps the object that was appended", "EVENT-08", KeepsTheEvent),
]

"""Run stores whose listing forgets, repeats, mixes or is out of date."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tests.mutants.runs_base import PlainRuns, Run, runs_mutant


class ForgetsSavedAgain(PlainRuns):
    """Takes a run that is saved again out of its index, and forgets to put it back."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS hidden (id BLOB)")

    def put(self, run_id: str, run: Run) -> None:
        if self.find(run_id) is not None:
            self.rows("INSERT INTO hidden VALUES (?)", self.key(run_id))
        super().put(run_id, run)

    def list_runs(self) -> Any:
        hidden = {row[0] for row in self.rows("SELECT id FROM hidden")}
        return [run for run in super().list_runs() if self.key(run["id"]) not in hidden]


class ListsEachSave(PlainRuns):
    """Adds to its index at each save."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.index: list[str] = []

    def put(self, run_id: str, run: Run) -> None:
        super().put(run_id, run)
        self.index.append(run_id)

    def list_runs(self) -> Any:
        return [self.find(run_id) for run_id in self.index]


class Shuffles(PlainRuns):
    def list_runs(self) -> Any:
        runs = super().list_runs()
        return random.sample(runs, len(runs))


class LastReadFirst(PlainRuns):
    """Moves what was read last to the front."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.last = ""

    def get_run(self, run_id: str) -> Any:
        self.last = run_id
        return super().get_run(run_id)

    def list_runs(self) -> Any:
        return sorted(super().list_runs(), key=lambda run: run["id"] != self.last)


class CacheOfEight(PlainRuns):
    """Lists what its cache of eight runs has thrown out behind those that are in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.cached: list[str] = []

    def get_run(self, run_id: str) -> Any:
        self.cached = [*(one for one in self.cached if one != run_id), run_id][-8:]
        return super().get_run(run_id)

    def list_runs(self) -> Any:
        full = len(self.cached) == 8
        return sorted(super().list_runs(), key=lambda run: full and run["id"] not in self.cached)


class OrderOfThisHandle(PlainRuns):
    """Lists first what this handle has saved."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.mine: set[str] = set()

    def put(self, run_id: str, run: Run) -> None:
        super().put(run_id, run)
        self.mine.add(run_id)

    def list_runs(self) -> Any:
        return sorted(super().list_runs(), key=lambda run: run["id"] not in self.mine)


class SummaryOfTheFirstSave(PlainRuns):
    """Keeps a summary, as the first save wrote it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS summaries (id BLOB PRIMARY KEY, summary TEXT)")

    def put(self, run_id: str, run: Run) -> None:
        summary = {name: run[name] for name in ("id", "status") if name in run}
        self.rows("INSERT OR IGNORE INTO summaries VALUES (?, ?)", self.key(run_id), self.encode(summary))
        super().put(run_id, run)

    def list_runs(self) -> Any:
        return [self.decode(text) for (text,) in self.rows("SELECT summary FROM summaries ORDER BY rowid")]


class SummaryKeepsDropped(PlainRuns):
    """Writes into its summaries what a record has, and takes nothing out."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.summaries: dict[str, Run] = {}

    def put(self, run_id: str, run: Run) -> None:
        super().put(run_id, run)
        self.summaries.setdefault(run_id, {}).update(self.decode(self.encode(run)))

    def list_runs(self) -> Any:
        return [self.decode(self.encode(summary)) for summary in self.summaries.values()]


class PageOf100(PlainRuns):
    def list_runs(self) -> Any:
        return super().list_runs()[:100]


class NoId(PlainRuns):
    def list_runs(self) -> Any:
        return [run["id"] for run in super().list_runs()]


MUTANTS = [
    runs_mutant("forgets_saved_again", "a run that is saved again is listed no more", "LIST-01", ForgetsSavedAgain),
    runs_mutant("lists_each_save", "a run is listed once for each save", "LIST-01", ListsEachSave),
    runs_mutant("lists_texts", "the listing has ids and no records", "LIST-01", NoId),
    runs_mutant("shuffles", "each listing has another order", "LIST-02 LIST-04 LIST-05", Shuffles),
    runs_mutant("last_read_first", "reading a run changes the order", "LIST-02", LastReadFirst),
    runs_mutant("lists_its_cache_first", "what is in a cache of eight is listed first", "LIST-02", CacheOfEight),
    runs_mutant("own_runs_first", "each handle lists first what it saved", "LIST-04 LIST-05", OrderOfThisHandle),
    runs_mutant("summary_of_first_save", "the listing shows the first status", "LIST-03", SummaryOfTheFirstSave),
    runs_mutant("summary_keeps_dropped", "the listing has fields that are gone", "LIST-03", SummaryKeepsDropped),
    runs_mutant("page_of_100", "the listing has at most 100 runs", "LIST-06", PageOf100),
]

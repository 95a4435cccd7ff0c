"""An honest little run store to break, and what opens it; the mutants of runs are made of it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from reference_backends._json import check_value, dumps, loads
from reference_backends._records import check_id, check_record
from tests.mutants.base import Mutant

Run = dict[str, Any]


class ConflictError(Exception):
    """The token was superseded."""


class PlainRuns:
    """An honest, quick run store on one file: JSON texts in SQLite, not synced, with every capability."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.threads = threading.RLock()  # one connection is one transaction, whoever uses it
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.database.execute("PRAGMA journal_mode = TRUNCATE")
        self.database.execute("PRAGMA synchronous = OFF")
        self.database.execute("CREATE TABLE IF NOT EXISTS runs (place INTEGER PRIMARY KEY, id BLOB UNIQUE, run TEXT)")
        self.database.execute("CREATE TABLE IF NOT EXISTS tokens (id BLOB PRIMARY KEY, token INTEGER)")

    def save_run(self, run: Run, token: int | None = None) -> None:
        """Save a run, in place of the one with its id."""
        run_id = check_record(run, "run")
        with self.writing():
            if token is not None:
                self.check_token(run_id, token)
            self.check_parent(run_id, run)
            self.put(run_id, run)

    def get_run(self, run_id: str) -> Any:
        """Return a run, None when there is none."""
        return self.find(run_id)

    def list_runs(self) -> Any:
        """Return all runs, in the order in which they were saved first."""
        return [self.decode(text) for (text,) in self.rows("SELECT run FROM runs ORDER BY place")]

    def delete_run(self, run_id: str) -> None:
        """Delete a run."""
        with self.writing():
            self.check_children(run_id)
            self.drop(run_id)

    def append_event(self, run_id: str, event: Any) -> None:
        """Add an event to a run."""
        check_value(event)
        with self.writing():
            run = self.present(run_id)
            self.put(run_id, {**run, "events": [*run.get("events", []), event]})

    def fork_run(self, run_id: str, new_id: str, checkpoint_id: str) -> Run:
        """Make a run of another one up to a checkpoint."""
        with self.writing():
            source = self.present(run_id)
            place = [one.get("id") for one in source.get("checkpoints", [])].index(checkpoint_id)
            if self.find(new_id) is not None:
                raise ConflictError(f"{new_id} is taken")
            branch = self.branch(source, new_id, place)
            self.put(new_id, branch)
            return branch

    def lineage(self, run_id: str) -> list[str]:
        """Return the ids from the root to the run."""
        ids = [run_id]
        while parent := self.parent(self.present(ids[0])):
            ids.insert(0, parent)
        return ids

    def acquire_run(self, run_id: str, owner: str) -> int:
        """Give the next token of a run."""
        with self.writing():
            token = self.token(run_id) + 1
            self.rows("INSERT OR REPLACE INTO tokens VALUES (?, ?)", self.key(run_id), token)
            return token

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    # -- for mutants to change ----------------------------------------------------------------------------------------

    def key(self, run_id: str) -> Any:
        """Return the form in which an id is stored."""
        return check_id(run_id).encode("utf-8", "surrogatepass")

    def encode(self, run: Run) -> str:
        """Return the form in which a run is stored."""
        return dumps(run)

    def decode(self, text: str) -> Any:
        """Return the run of a stored form."""
        return loads(text)

    def put(self, run_id: str, run: Run) -> None:
        """Write a run, in its place in the listing if it has one."""
        sql = "INSERT INTO runs (id, run) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET run = excluded.run"
        self.rows(sql, self.key(run_id), self.encode(run))

    def drop(self, run_id: str) -> None:
        """Remove a run."""
        self.rows("DELETE FROM runs WHERE id = ?", self.key(run_id))

    def find(self, run_id: str) -> Any:
        """Return a run, None when there is none."""
        rows = self.rows("SELECT run FROM runs WHERE id = ?", self.key(run_id))
        return self.decode(rows[0][0]) if rows else None

    def present(self, run_id: str) -> Run:
        """Return a run that must be there."""
        run: Run | None = self.find(run_id)
        if run is None:
            raise KeyError(run_id)
        return run

    def branch(self, source: Run, new_id: str, place: int) -> Run:
        """Return what a run becomes when it is forked at one of its checkpoints."""
        metadata = source.get("metadata") or {}
        lineage = metadata.get("lineage") or {}
        checkpoints = source["checkpoints"]
        told = {
            "rootRunId": lineage.get("rootRunId") or source["id"],
            "parentRunId": None,
            "childRunIds": [],
            "branchOriginRunId": source["id"],
            "branchCheckpointId": checkpoints[place]["id"],
        }
        return {
            **source,
            "id": new_id,
            "checkpoints": checkpoints[: place + 1],
            "state": checkpoints[place]["state"],
            "metadata": {**metadata, "lineage": told},
        }

    def parent(self, run: Run) -> Any:
        """Return the id of a run's parent, None when it names none."""
        return ((run.get("metadata") or {}).get("lineage") or {}).get("parentRunId")

    def check_parent(self, run_id: str, run: Run) -> None:
        """Refuse a parent that is not there, or that has the run as an ancestor."""
        if (parent := self.parent(run)) and (parent == run_id or run_id in self.lineage(parent)):
            raise ValueError(f"{parent} can't be the parent of {run_id}")

    def check_children(self, run_id: str) -> None:
        """Refuse to leave children without their parent."""
        if any(self.parent(self.decode(text)) == run_id for (text,) in self.rows("SELECT run FROM runs")):
            raise ConflictError(f"{run_id} has children")

    def check_token(self, run_id: str, token: int) -> None:
        """Refuse a token that was superseded."""
        if token != self.token(run_id):
            raise ConflictError(f"the token {token} of {run_id} was superseded")

    def token(self, run_id: str) -> int:
        """Return the last token of a run."""
        rows = self.rows("SELECT token FROM tokens WHERE id = ?", self.key(run_id))
        return rows[0][0] if rows else 0

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        """Run a statement and return its rows."""
        with self.threads:
            return self.database.execute(sql, parameters).fetchall()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make what is written in the block one step."""
        with self.threads:
            self.rows("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.rows("ROLLBACK")
                raise
            self.rows("COMMIT")


@dataclass(frozen=True)
class Opener:
    """Opens a run store at a place; found again by a child process, as a lambda would not be."""

    runs: Callable[[Path], Any]

    def __call__(self, where: Where) -> Any:
        return self.runs(where.path / "runs")


def backend(name: str, runs: Callable[[Path], Any], **promises: Any) -> Backend:
    """Return a backend that opens `runs` with the path of a file."""
    given = {"durability": "process-crash", "corruption": "silent", "errors": {"conflict": ConflictError}, **promises}
    return Backend(name, runs=Opener(runs), **given)


def runs_mutant(name: str, bug: str, killed_by: str, runs: Callable[[Path], Any], **promises: Any) -> Mutant:
    """Return a mutant that opens `runs` with the path of a file; `killed_by` has the codes without their `RUNS-`."""
    name = f"runs_{name}"
    return Mutant(name, bug, tuple(f"RUNS-{code}" for code in killed_by.split()), backend(name, runs, **promises))


HONEST = backend("plain_runs", PlainRuns, address="tests.mutants.runs_base:HONEST")

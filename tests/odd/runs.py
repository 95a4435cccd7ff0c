"""Odd but legal run stores: the checks must pass every one of them."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from reference_backends._records import check_record
from tests.mutants.runs_base import ConflictError, PlainRuns, Run, backend

SUITES = ("round-trip",)


class MissingError(Exception):
    """There is no such run."""


class SummaryRuns(PlainRuns):
    """Lists summaries lazily, the newest first, with a count of its own; says by an exception that a run is missing."""

    def get_run(self, run_id: str) -> Any:
        """Return a run, or raise."""
        run = super().get_run(run_id)
        if run is None:
            raise MissingError(run_id)
        return run

    def list_runs(self) -> Iterator[Run]:
        """Give summaries one by one."""
        for run in reversed(super().list_runs()):
            kept = {name: run[name] for name in ("status", "id", "metrics") if name in run}
            yield {**kept, "_fields": len(run)}

    def delete_run(self, run_id: str) -> None:
        """Delete a run, or raise."""
        if self.find(run_id) is None:
            raise MissingError(run_id)
        super().delete_run(run_id)

    def lineage(self, run_id: str) -> Any:
        """Return a tuple."""
        return tuple(super().lineage(run_id))


class FamilyRuns(PlainRuns):
    """Gives tokens with gaps, and asks for one ever after; keeps little in a branch, a child of its source."""

    def save_run(self, run: Run, token: int | None = None) -> None:
        """Save a run, one that was acquired with its token only."""
        if (
            token is None
            and type(run) is dict
            and isinstance(run.get("id"), str)
            and run["id"]
            and self.token(run["id"])
        ):
            raise ConflictError("saved without a token")
        super().save_run(run, token)

    def acquire_run(self, run_id: str, owner: str) -> int:
        """Give a token far from the one before."""
        for _ in range(6):
            super().acquire_run(run_id, owner)
        return super().acquire_run(run_id, owner)

    def branch(self, source: Run, new_id: str, place: int) -> Run:
        """Keep what the contract names, and an extra note."""
        branch = super().branch(source, new_id, place)
        branch["metadata"]["lineage"] = {**branch["metadata"]["lineage"], "parentRunId": source["id"], "depth": 1}
        return {name: branch[name] for name in ("id", "checkpoints", "state", "metadata")} | {"forked": True}


class AsyncRuns:
    """A run store whose verbs are coroutines, with no capability at all."""

    def __init__(self, path: Path) -> None:
        self._runs = PlainRuns(path)

    async def save_run(self, run: Run) -> Run:
        """Save a run, and return it."""
        self._runs.save_run(run)
        return run

    async def get_run(self, run_id: str) -> Any:
        """Return a run."""
        return self._runs.get_run(run_id)

    async def list_runs(self) -> AsyncIterator[Run]:
        """Give the runs one by one."""
        for run in self._runs.list_runs():
            yield run

    async def close(self) -> None:
        """Close the file."""
        self._runs.close()


class BufferedRuns(PlainRuns):
    """Keeps saves back until `flush`, or `close`; refuses ids that it finds odd, and what it is not sure of."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.pending: dict[str, str] = {}

    def key(self, run_id: str) -> Any:
        """Refuse ids that are long, or have a NUL or a surrogate."""
        if not isinstance(run_id, str) or len(run_id) > 200 or "\x00" in run_id:
            raise RuntimeError("can't take this id")
        run_id.encode()
        return super().key(run_id)

    def encode(self, run: Run) -> str:
        """Refuse NaN and the like, and lone surrogates."""
        text = super().encode(run)
        try:
            json.dumps(run, ensure_ascii=False, allow_nan=False).encode()
        except ValueError as error:
            raise RuntimeError("can't take this run") from error
        return text

    def put(self, run_id: str, run: Run) -> None:
        """Keep a save back."""
        self.key(run_id)
        self.pending[run_id] = self.encode(run)

    def find(self, run_id: str) -> Any:
        """Look at what is kept back first."""
        return self.decode(self.pending[run_id]) if run_id in self.pending else super().find(run_id)

    def drop(self, run_id: str) -> None:
        """Remove a run, kept back or not."""
        self.pending.pop(run_id, None)
        super().drop(run_id)

    def list_runs(self) -> Any:
        """Return all, in the order of their ids."""
        found = {run["id"]: run for run in super().list_runs()}
        found |= {run_id: self.decode(text) for run_id, text in self.pending.items()}
        return (found[run_id] for run_id in sorted(found))

    def check_children(self, run_id: str) -> None:
        """Look at all runs, those kept back as well."""
        if any(self.parent(run) == run_id for run in self.list_runs()):
            raise ConflictError(f"{run_id} has children")

    def flush(self) -> None:
        """Write what is kept back."""
        texts, self.pending = self.pending, {}
        for run_id, text in texts.items():
            super().put(run_id, self.decode(text))

    def close(self) -> None:
        """Write what is kept back, and let the file go."""
        if self.pending:
            self.flush()
        super().close()


class SessionRuns:
    """Runs in memory, copied deeply, of whatever values; a closed one goes on to work."""

    def __init__(self, path: Path) -> None:
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def save_run(self, run: Run) -> None:
        """Save a copy."""
        run_id = check_record({"id": run["id"]} if type(run) is dict and "id" in run else run, "run")
        with self._lock:
            self._runs[run_id] = copy.deepcopy(run)

    def get_run(self, run_id: str) -> Any:
        """Return a copy, or raise KeyError."""
        with self._lock:
            return copy.deepcopy(self._runs[run_id])

    def list_runs(self) -> list[Run]:
        """Return copies."""
        with self._lock:
            return copy.deepcopy(list(self._runs.values()))


ODD = [
    backend(
        "odd_runs_of_summaries",
        SummaryRuns,
        errors={"conflict": ConflictError, "missing": MissingError},
    ),
    backend("odd_runs_of_families", FamilyRuns, errors={}),
    backend("odd_runs_async", AsyncRuns),
    backend("odd_runs_buffered", BufferedRuns, flush=BufferedRuns.flush, sharing="single"),
    backend("odd_runs_in_memory", SessionRuns, durability="volatile", sharing="threads", values="pickle"),
]

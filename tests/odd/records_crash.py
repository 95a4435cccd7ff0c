"""Run, job and layered stores of other designs that survive every crash they promise to survive."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance import Backend
from reference_backends._errors import ConflictError
from reference_backends._json import dumps, loads
from reference_backends._records import check_record
from reference_backends.jobs import JobStore
from reference_backends.layers import LayerStore
from tests.mutants.crash_base import Journal, JournalState
from tests.mutants.crash_files import AtomicFiles, Document
from tests.mutants.crash_marks import PROMISES
from tests.mutants.crash_merges import TwoFileJournal
from tests.mutants.jobs_base import backend
from tests.mutants.records_crash_base import Over, RunsWithEvents, Versioned, records_on
from tests.odd.jobs import MissingJobError, TellingJobs

SUITES = ("crash-recovery",)


class AsyncRuns:
    """Runs in files that are replaced as a whole; listed newest first, each as a summary; a missing one is an error."""

    def __init__(self, path: Path) -> None:
        self.files = AtomicFiles(path)

    async def save_run(self, run: dict[str, Any]) -> None:
        """Replace the file of a run."""
        self.files[check_record(run, "run")] = run

    async def get_run(self, run_id: str) -> Any:
        """Return a run."""
        return self.files[run_id]

    async def list_runs(self) -> list[Any]:
        """Return ids and statuses."""
        listed = [self.files[run_id] for run_id in sorted(self.files, reverse=True)]
        return [{name: run[name] for name in ("id", "status") if name in run} for run in listed]

    async def delete_run(self, run_id: str) -> None:
        """Remove the file of a run."""
        del self.files[run_id]

    async def close(self) -> None:
        """Close the files."""
        self.files.close()


class TableLayers:
    """One table of SQLite, of one layer and one scope."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.execute("CREATE TABLE IF NOT EXISTS memory (key BLOB PRIMARY KEY, value TEXT)")

    def get(self, key: str) -> Any:
        """Return the value of a key, None when there is none."""
        rows = self.database.execute("SELECT value FROM memory WHERE key = ?", (self.encoded(key),)).fetchall()
        return loads(rows[0][0]) if rows else None

    def set(self, key: str, value: Any) -> None:
        """Write a value."""
        self.database.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (self.encoded(key), dumps(value)))

    def delete(self, key: str) -> None:
        """Delete a key."""
        self.database.execute("DELETE FROM memory WHERE key = ?", (self.encoded(key),))

    def entries(self) -> list[tuple[str, Any]]:
        """Return all entries."""
        rows = self.database.execute("SELECT key, value FROM memory").fetchall()
        return [(key.decode("utf-8", "surrogatepass"), loads(value)) for key, value in rows]

    def clear(self) -> None:
        """Delete all entries at once."""
        self.database.execute("DELETE FROM memory")

    def encoded(self, key: str) -> bytes:
        """Return a key as it is stored."""
        if type(key) is not str:
            raise TypeError(f"a key is a str, not {type(key).__name__}")
        return key.encode("utf-8", "surrogatepass")

    def close(self) -> None:
        """Close the database."""
        self.database.close()


class OneLayer(TableLayers):
    """The same table as the only layer of a precedence."""

    precedence = ("memory",)

    def get(self, key: str, layer: str | None = None) -> Any:
        """Return the value of a key, None when there is none."""
        return super().get(self.asked(key, layer))

    def set(self, key: str, value: Any, layer: str | None = None) -> None:
        """Write a value."""
        super().set(self.asked(key, layer), value)

    def delete(self, key: str, layer: str | None = None) -> None:
        """Delete a key."""
        super().delete(self.asked(key, layer))

    def entries(self, layer: str | None = None) -> list[tuple[str, Any]]:
        """Return all entries."""
        self.asked("", layer)
        return super().entries()

    def clear(self, layer: str | None = None) -> None:
        """Delete all entries at once."""
        self.asked("", layer)
        super().clear()

    def asked(self, key: str, layer: str | None) -> str:
        """Return the key; refuse a layer that there is not."""
        if layer not in (None, *self.precedence):
            raise ValueError(f"there is no layer {layer!r}")
        return key


class BytesInFiles(AtomicFiles):
    """Bytes and nothing else, as texts of hexadecimal digits."""

    def encode(self, value: Any) -> str:
        """Return the text of a value."""
        if type(value) is not bytes:
            raise TypeError(f"a value is bytes, not {type(value).__name__}")
        return value.hex()

    def decode(self, text: str) -> Any:
        """Return the value of a text."""
        return bytes.fromhex(text)


class TerseJobs(JobStore):
    """Lists ids, and gives claims one by one, with more in them than the contract asks for."""

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        """Give claims; each says when it was given."""
        return ({**claim, "at": now} for claim in super().claim_due(now, owner, lease, limit))

    def list_jobs(self) -> Any:
        """Return the ids."""
        return [{"id": job["id"]} for job in super().list_jobs()]


class SingleJournal(JournalState):
    """Records in one checked journal."""

    def __init__(self, path: Path) -> None:
        super().__init__(Journal(path))


class MergedJournal(JournalState):
    """Records in a journal that closing merges."""

    def __init__(self, path: Path) -> None:
        super().__init__(TwoFileJournal(path))


def _same(store: Any) -> Any:
    return store


_ALL = "runs jobs layers"
_GIVEN: dict[str, Any] = {**PROMISES, "errors": {"conflict": ConflictError}}

_HONEST = [
    records_on("odd_records_files", AtomicFiles, _ALL),
    records_on("odd_records_document", Document, _ALL),
    records_on("odd_records_journal", SingleJournal, _ALL),
    records_on("odd_records_merged", MergedJournal, _ALL),
    Backend("odd_records_async", runs=Over(_same, AsyncRuns), **_GIVEN),
    Backend("odd_records_events_beside", runs=Over(_same, RunsWithEvents), **_GIVEN),
    Backend("odd_records_table", layers=Over(_same, TableLayers), **_GIVEN),
    Backend("odd_records_one_layer", layers=Over(_same, OneLayer), **_GIVEN),
    Backend("odd_records_bytes", layers=Over(LayerStore, BytesInFiles), values="bytes", **_GIVEN),
    backend("odd_records_telling", TellingJobs, errors={"missing": MissingJobError}),
    Backend("odd_records_terse", jobs=Over(TerseJobs, lambda path: Versioned(AtomicFiles(path))), **_GIVEN),
]
#: By their addresses, so that other processes open them too.
ODD = [replace(one, address=f"{__name__}:{one.name.upper()}") for one in _HONEST]
globals().update({one.name.upper(): one for one in ODD})

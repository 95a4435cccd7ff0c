"""Stores of runs, jobs, layers and vectors of several designs, legal in how they answer; none must be accused."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from conformance import Where
from tests.mutants.corruption_base import CorruptError, checked, unchecked
from tests.mutants.records_corruption_base import CountedFolder, Document, Folder, VectorsOn, records


class ZippedFolder(Folder):
    """Keeps records compressed, so that no text is found in its files."""

    def packed(self, body: bytes, name: str) -> bytes:
        """Compress."""
        return checked(zlib.compress(body))

    def unpacked(self, data: bytes, name: str) -> bytes:
        """Decompress."""
        return zlib.decompress(unchecked(data))


class SilentFolder(Folder):
    """Serves whatever parses, and promises no more."""

    def packed(self, body: bytes, name: str) -> bytes:
        """Add nothing."""
        return body

    def unpacked(self, data: bytes, name: str) -> bytes:
        """Believe it."""
        return data


class NoSuchRunError(Exception):
    """There is no such run."""


class AsyncRuns:
    """Awaits everything, lists summaries in an async iterator, newest id first, and raises for what is missing."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    async def save_run(self, run: dict[str, Any]) -> str:
        """Save a run, and return its id."""
        self.folder.save(run["id"], run)
        return str(run["id"])

    async def get_run(self, run_id: str) -> dict[str, Any]:
        """Return a run."""
        found: dict[str, Any] | None = self.folder.get(run_id)
        if found is None:
            raise NoSuchRunError(run_id)
        return found

    async def list_runs(self) -> AsyncIterator[dict[str, Any]]:
        """Give the id and the status of each run."""
        for name, run in reversed(self.folder.all()):
            yield {"id": name, "status": run.get("status")} if "status" in run else {"id": name}

    async def close(self) -> None:
        """Do nothing."""


class Rebuilt(VectorsOn):
    """Keeps an index in a file of its own, and makes it anew of the records where that is damaged, missing or old."""

    def index(self) -> dict[str, Any]:
        """Return the index if it is that of the records."""
        path = self.folder.folder / "index"
        due = super().index()
        try:
            known = json.loads(unchecked(path.read_bytes()))
        except (OSError, CorruptError):
            known = None
        if known != due:
            self.folder.replace(path, checked(json.dumps(due).encode()))
        return due


def _open_rebuilt(where: Where) -> Rebuilt:
    return Rebuilt(Folder(where.path / "store"))


def _open_async(where: Where) -> AsyncRuns:
    return AsyncRuns(CountedFolder(where.path / "store"))


_HONEST = [
    records("odd_records_counted_runs", "runs", CountedFolder, "complete"),
    records("odd_records_runs_in_files", "runs", Folder),
    records("odd_records_zipped_runs", "runs", ZippedFolder),
    records("odd_records_runs_in_a_document", "runs", Document, "detects"),
    records("odd_records_counted_jobs", "jobs", CountedFolder, "complete"),
    records("odd_records_silent_jobs", "jobs", SilentFolder, "silent"),
    records("odd_records_counted_layers", "layers", CountedFolder, "complete"),
    records("odd_records_layers_in_a_document", "layers", Document, "detects"),
    records("odd_records_counted_vectors", "vectors", CountedFolder, "complete"),
    records("odd_records_zipped_vectors", "vectors", ZippedFolder),
    records("odd_records_silent_vectors", "vectors", SilentFolder, "silent"),
    replace(records("odd_records_rebuilt_vectors", "vectors", Folder), vectors=_open_rebuilt),
    replace(
        records("odd_records_async_runs", "runs", CountedFolder, "complete"),
        runs=_open_async,
        errors={"missing": NoSuchRunError},
    ),
]
#: They are as plain as any in all else.
SUITES = ("corruption", "concurrency", "replay")
#: By their addresses, so that other processes open them too.
ODD = [replace(backend, address=f"{__name__}:{backend.name.upper()}") for backend in _HONEST]
globals().update({backend.name.upper(): backend for backend in ODD})

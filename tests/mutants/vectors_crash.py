"""Vector stores in files of JSON that crash badly: an index beside the records, and files that are not synced."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conformance import Backend
from reference_backends._files import sync_directory
from tests.mutants.base import Mutant
from tests.mutants.vectors_base import Opener


class FileVectors:
    """Honest: records and index are one document, which is replaced whole."""

    dimension = 3
    metric = "l2"

    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        self.records: dict[str, Any] = self.load("records")
        self.index: dict[str, Any] = self.load_index()

    def load(self, name: str) -> dict[str, Any]:
        """Return the content of a document."""
        path = self.folder / name
        return dict(json.loads(path.read_bytes())) if path.exists() else {}

    def load_index(self) -> dict[str, Any]:
        """Return what searches know."""
        return {key: vector for key, (vector, _) in self.records.items()}

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        """Add records."""
        if not len(ids) == len(vectors) == len(metadata) == len(set(ids)):
            raise ValueError("lists that do not go together")
        if any(len(vector) != self.dimension or not all(map(math.isfinite, vector)) for vector in vectors):
            raise ValueError("no vector")
        self.change({**self.records, **{i: [v, m] for i, v, m in zip(ids, vectors, metadata, strict=True)}})

    def delete(self, ids: Any) -> None:
        """Remove records."""
        self.change({key: record for key, record in self.records.items() if key not in ids})

    def change(self, records: dict[str, Any]) -> None:
        """Write records, then know them."""
        self.write(records)
        self.records = records
        self.index = {key: vector for key, (vector, _) in records.items()}

    def write(self, records: dict[str, Any]) -> None:
        """Make records last."""
        self.replace("records", records)

    def replace(self, name: str, content: Any) -> None:
        """Replace a document, and return when it is on the disk."""
        temporary = self.folder / f"{name}.new"
        with temporary.open("wb") as file:
            file.write(json.dumps(content).encode())
            file.flush()
            self.sync(file.fileno())
        temporary.replace(self.folder / name)
        self.sync_name()

    def sync(self, descriptor: int) -> None:
        """Return when the bytes of a file are on the disk."""
        os.fsync(descriptor)

    def sync_name(self) -> None:
        """Return when the names are on the disk."""
        sync_directory(self.folder)

    def query(self, vector: Any, k: int, where: Any = None) -> Any:
        """Return the nearest of the index."""
        if k < 0 or len(vector) != self.dimension:
            raise ValueError("no query")
        scored = [(key, math.dist(vector, one)) for key, one in self.index.items()]
        return sorted(scored, key=lambda pair: (pair[1], pair[0]))[:k]

    def get(self, ids: Any) -> Any:
        """Return the records."""
        found = [(key, self.records.get(key)) for key in ids]
        return [one and {"id": key, "vector": list(one[0]), "metadata": dict(one[1])} for key, one in found]

    def __len__(self) -> int:
        return len(self.records)

    def close(self) -> None:
        """Do nothing: all is written."""


class IndexAfterRecords(FileVectors):
    """Writes the index into a file of its own, after the records."""

    def load_index(self) -> dict[str, Any]:
        return self.load("index")

    def write(self, records: dict[str, Any]) -> None:
        super().write(records)
        self.replace("index", {key: vector for key, (vector, _) in records.items()})


class IndexBeforeRecords(IndexAfterRecords):
    """Writes it before them."""

    def write(self, records: dict[str, Any]) -> None:
        self.replace("index", {key: vector for key, (vector, _) in records.items()})
        self.replace("records", records)


class NotSynced(FileVectors):
    def sync(self, descriptor: int) -> None:
        pass


class NameNotSynced(FileVectors):
    def sync_name(self) -> None:
        pass


def _mutant(name: str, bug: str, killed_by: str, store: Callable[[Path], Any]) -> Mutant:
    codes = tuple(f"VECTORS-CRASH-{code}" for code in killed_by.split())
    return Mutant(name, bug, codes, Backend(name, vectors=Opener(store), sharing="single", corruption="silent"))


MUTANTS = [
    _mutant("vectors_index_after_records", "the index is written after the records", "01 11", IndexAfterRecords),
    _mutant("vectors_index_before_records", "the index is written before the records", "01 11", IndexBeforeRecords),
    _mutant("vectors_index_not_synced", "a new file is renamed without having been synced", "11", NotSynced),
    _mutant("vectors_name_not_synced", "a file is renamed, and the directory is not synced", "21", NameNotSynced),
]

HONEST = Backend("file_vectors", vectors=Opener(FileVectors), sharing="single", corruption="silent",
                 address="tests.mutants.vectors_crash:HONEST")  # fmt: skip

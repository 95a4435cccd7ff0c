"""Honest records in files that notice damage, to break; and runs, jobs, layers and vectors on them."""

from __future__ import annotations

import json
import math
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from tests.mutants.base import Mutant
from tests.mutants.corruption_base import CorruptError, checked, unchecked

SUFFIX = ".rec"


class Folder:
    """A file for each record, with a checksum and the name of the record; below `complete`, for nobody counts them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def path(self, name: str) -> Path:
        """Return the file of a record."""
        return self.folder / f"{name.encode().hex()}{SUFFIX}"

    def names(self) -> list[str]:
        """Return the names of all records; files of others have other names."""
        found = []
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            try:
                found.append(bytes.fromhex(path.stem).decode())
            except ValueError:
                continue
        return found

    def get(self, name: str) -> Any:
        """Return a record, None when there is none."""
        return self.parsed(self.path(name).read_bytes(), name) if self.path(name).exists() else None

    def all(self) -> list[Any]:
        """Return all records, each with its name."""
        return [(name, self.get(name)) for name in self.names()]

    def save(self, name: str, value: Any) -> None:
        """Replace a record."""
        self.replace(self.path(name), self.packed(json.dumps([name, value]).encode(), name))

    def delete(self, name: str) -> None:
        """Remove a record."""
        self.path(name).unlink(missing_ok=True)

    def replace(self, path: Path, data: bytes) -> None:
        """Replace a file."""
        fresh = path.with_suffix(".new")
        fresh.write_bytes(data)
        os.replace(fresh, path)

    def packed(self, body: bytes, name: str) -> bytes:
        """Return the content of a file."""
        return checked(body)

    def parsed(self, data: bytes, name: str) -> Any:
        """Return the record of a content."""
        found, value = json.loads(self.unpacked(data, name))
        if found != name:
            raise CorruptError(f"the file of {name!r} has {found!r} in it")
        return value

    def unpacked(self, data: bytes, name: str) -> bytes:
        """Return what was packed; raise when it is another."""
        return unchecked(data)

    def close(self) -> None:
        """Do nothing."""


class CountedFolder(Folder):
    """A witness beside the files has the checksum of each: what is missing, too many or old is noticed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.witness = folder / "witness"
        if not self.witness.exists() and self.names():
            raise CorruptError("the witness is missing")
        known: dict[str, int] = json.loads(unchecked(self.witness.read_bytes())) if self.witness.exists() else {}
        if known.keys() != {*self.names()}:
            raise CorruptError("the witness knows other files")
        self.known = known

    def names(self) -> list[str]:
        """Return the names that the witness knows."""
        return sorted(self.known) if hasattr(self, "known") else super().names()

    def get(self, name: str) -> Any:
        """Return a record, None when there is none."""
        if name not in self.known:
            return None
        data = self.path(name).read_bytes()
        if zlib.crc32(data) != self.known[name]:
            raise CorruptError(f"the file of {name!r} is another one")
        return self.parsed(data, name)

    def save(self, name: str, value: Any) -> None:
        """Replace a record, and what the witness knows of it."""
        super().save(name, value)
        self.testify({**self.known, name: zlib.crc32(self.path(name).read_bytes())})

    def delete(self, name: str) -> None:
        """Remove a record, and what the witness knows of it."""
        super().delete(name)
        self.testify({other: check for other, check in self.known.items() if other != name})

    def testify(self, known: dict[str, int]) -> None:
        """Replace the witness."""
        self.replace(self.witness, checked(json.dumps(known).encode()))
        self.known = known


class Document(Folder):
    """All records in one file with one checksum."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.file = folder / "all"
        self.records: dict[str, Any] = self.loaded(self.file.read_bytes()) if self.file.exists() else {}

    def loaded(self, data: bytes) -> dict[str, Any]:
        """Return the records of a content."""
        records: dict[str, Any] = json.loads(unchecked(data))
        return records

    def names(self) -> list[str]:
        """Return the names of all records."""
        return sorted(self.records)

    def get(self, name: str) -> Any:
        """Return a record, None when there is none."""
        return self.records.get(name)

    def save(self, name: str, value: Any) -> None:
        """Replace the file."""
        self.records = {**self.records, name: value}
        self.replace(self.file, checked(json.dumps(self.records).encode()))

    def delete(self, name: str) -> None:
        """Replace the file."""
        self.records = {other: value for other, value in self.records.items() if other != name}
        self.replace(self.file, checked(json.dumps(self.records).encode()))


class RunsOn:
    """Runs on a folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def save_run(self, run: dict[str, Any]) -> None:
        """Save a run."""
        self.folder.save(run["id"], run)

    def get_run(self, run_id: str) -> Any:
        """Return a run."""
        return self.folder.get(run_id)

    def list_runs(self) -> list[Any]:
        """Return all runs."""
        return [run for _, run in self.folder.all()]

    def delete_run(self, run_id: str) -> None:
        """Delete a run."""
        self.folder.delete(run_id)

    def close(self) -> None:
        """Close the folder."""
        self.folder.close()


class JobsOn:
    """Jobs on a folder; there is no way to delete one."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def save_job(self, job: dict[str, Any]) -> None:
        """Save a job."""
        self.folder.save(job["id"], job)

    def get_job(self, job_id: str) -> Any:
        """Return a job."""
        return self.folder.get(job_id)

    def list_jobs(self) -> list[Any]:
        """Return all jobs."""
        return [job for _, job in self.folder.all()]

    def close(self) -> None:
        """Close the folder."""
        self.folder.close()


class LayersOn:
    """Entries on a folder, in one layer of one scope."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def get(self, key: str) -> Any:
        """Return a value."""
        return self.folder.get(key)

    def set(self, key: str, value: Any) -> None:
        """Write a value."""
        self.folder.save(key, value)

    def delete(self, key: str) -> None:
        """Delete a key."""
        self.folder.delete(key)

    def entries(self) -> list[Any]:
        """Return all entries."""
        return self.folder.all()

    def clear(self) -> None:
        """Delete all."""
        for name in self.folder.names():
            self.folder.delete(name)

    def close(self) -> None:
        """Close the folder."""
        self.folder.close()


class VectorsOn:
    """Vectors on a folder, each beside its metadata; every one is looked at."""

    dimension = 3
    metric = "l2"

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        """Add records, one by one."""
        for one, vector, about in zip(ids, vectors, metadata, strict=True):
            self.folder.save(one, {**about, "vector": struct.pack("3f", *vector).hex()})

    def get(self, ids: Any) -> Any:
        """Return the records."""
        found = [(one, self.folder.get(one)) for one in ids]
        return [value and {"id": one, "vector": unpacked(value), "metadata": without(value)} for one, value in found]

    def query(self, vector: Any, k: int, where: Any = None) -> Any:
        """Return the nearest."""
        scored = [(one, math.dist(vector, other)) for one, other in self.index().items()]
        return sorted(scored, key=lambda pair: (pair[1], pair[0]))[:k]

    def index(self) -> dict[str, Any]:
        """Return the vectors that searches know."""
        return {one: unpacked(value) for one, value in self.folder.all()}

    def delete(self, ids: Any) -> None:
        """Remove records."""
        for one in ids:
            self.folder.delete(one)

    def __len__(self) -> int:
        return len(self.folder.names())

    def close(self) -> None:
        """Close the folder."""
        self.folder.close()


def unpacked(value: dict[str, Any]) -> list[float]:
    """Return the vector of a record."""
    return list(struct.unpack("3f", bytes.fromhex(value["vector"])))


def without(value: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a record."""
    return {name: one for name, one in value.items() if name != "vector"}


ON: dict[str, Callable[[Folder], Any]] = {"runs": RunsOn, "jobs": JobsOn, "layers": LayersOn, "vectors": VectorsOn}


@dataclass(frozen=True)
class Opener:
    """Opens records of a contract on a folder; found again by a child process, as a lambda would not be."""

    contract: str
    folder: Callable[[Path], Folder]

    def __call__(self, where: Where) -> Any:
        return ON[self.contract](self.folder(where.path / "store"))


def records(name: str, contract: str, folder: Callable[[Path], Folder], corruption: str = "isolates") -> Backend:
    """Return a backend of a contract on folders."""
    opener: dict[str, Any] = {contract: Opener(contract, folder)}
    promises: dict[str, Any] = {"durability": "clean-close", "sharing": "single", "errors": {"corrupt": CorruptError}}
    return Backend(name, **opener, **promises, corruption=corruption)


def broken(bug: str, killed_by: str, corruption: str = "isolates") -> Callable[[type[Folder]], type[Folder]]:
    """Mark a class of folders as mutants: records of each contract on it; the codes are given by their numbers."""

    def mark(kind: type[Folder]) -> type[Folder]:
        short = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__)
        kind.mutants = [  # type: ignore[attr-defined]
            Mutant(
                f"{contract}{short}",
                bug,
                tuple(f"{contract.upper()}-CORR-{number}" for number in killed_by.split()),
                records(f"{contract}{short}", contract, kind, corruption),
            )
            for contract in ON
        ]
        return kind

    return mark

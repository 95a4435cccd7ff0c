"""The `file` backend: a state store that keeps each value in a file of its own, as JSON that people can read.

A write is a new file renamed over the old one. So a reader, and a crash, meets the old document or the new one, whole;
and since each document has its own checksum, damage to one is found and harms no other.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from conformance import Backend, Where
from reference_backends._documents import (
    CorruptDocument,
    Document,
    encode,
    file_name,
    hash_of,
    is_document,
    key_at,
    read_document,
)
from reference_backends._errors import ConflictError
from reference_backends._files import (
    FileLock,
    make_directory,
    remove_file,
    remove_leftovers,
    replace_file,
    sync_directory,
)
from reference_backends._json import check_key, dumps
from reference_backends._mapping import AtomicMapping
from reference_backends.jobs import JobStore
from reference_backends.layers import LayerStore
from reference_backends.runs import RunStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "ConflictError",
    "CorruptDocument",
    "FileState",
    "backend",
    "open_jobs",
    "open_layers",
    "open_runs",
    "open_sharded_state",
    "open_state",
    "sharded",
]

_SHARD = re.compile(r"shard-[0-9]+-of-([0-9]+)")
_LIKE_A_DOCUMENT = re.compile(r"[kh]_.*\.json")
_BACKUP = re.compile(r"([kh]_.*\.json)\.[0-9]+")


class FileState(AtomicMapping):
    """A `state` store in a directory, for any number of handles, threads and processes.

    A write has reached the disk when it returns. Every verb raises ValueError once the store is closed, TypeError for a
    key that is not a str, OSError when the file system fails, and CorruptDocument when the file it needs is damaged.

    Args:
        directory: Made when missing.
        shards: How many subdirectories the documents are spread over; the same on every open.
        backups: How many previous versions of each document are kept beside it, as `.1` (the newest), `.2`, ...

    Raises:
        ValueError: The store in the directory has another number of shards, or a number makes no sense.
        OSError: The directory cannot be made or read.
    """

    def __init__(self, directory: Path, *, shards: int = 1, backups: int = 0) -> None:
        if shards < 1 or backups < 0:
            raise ValueError(f"shards={shards}, backups={backups}: give at least 1 shard and 0 backups.")
        self._directory = directory
        self._shards = [directory / f"shard-{number}-of-{shards}" for number in range(shards)]
        self._backups = backups
        self._closed = False
        make_directory(directory)
        self._lock = FileLock(directory / "lock")
        with self._writing():
            self._refuse_other_shards()
            for shard in self._shards:
                shard.mkdir(exist_ok=True)
                remove_leftovers(shard)
                # A writer that was killed may have renamed and not synced: nobody reads what may still go away.
                sync_directory(shard)
            sync_directory(directory)

    def __getitem__(self, key: str) -> Any:
        path = self._path(key)
        with self._reading():
            return _read(path, key).value

    def __setitem__(self, key: str, value: Any) -> None:
        path, text = self._path(key), dumps(value, indent=2)
        with self._writing():
            self._put(path, key, text)

    def __delitem__(self, key: str) -> None:
        path = self._path(key)
        with self._writing():
            if not path.exists():
                raise KeyError(key)
            _refuse_another_key(path, key)
            remove_file(path, backups=self._backups)

    def __contains__(self, key: Any) -> bool:
        path = self._path(key)
        with self._reading():
            return path.exists() and key_at(path) == key

    def __iter__(self) -> Iterator[str]:
        keys: list[str] = []
        unreadable: list[CorruptDocument] = []
        with self._reading():
            for path in self._documents():
                try:
                    keys.append(key_at(path))
                except CorruptDocument as error:
                    unreadable.append(error)
        return _each(keys, unreadable)

    def __len__(self) -> int:
        with self._reading():
            return sum(1 for _ in self._documents())

    def close(self) -> None:
        """Refuse every verb from now on. There is nothing left to save; harmless when repeated."""
        self._closed = True
        self._lock.close()

    def version(self, key: str) -> str | None:
        """Return the version of `key`, None when it is missing. No version is ever given twice."""
        path = self._path(key)
        with self._reading():
            try:
                return _read(path, key).version
            except KeyError:
                return None

    def compare_and_set(self, key: str, value: Any, expected: str | None) -> str:
        """Write `value` only if the version of `key` is `expected`, and return the new version.

        Args:
            key: As in `store[key]`.
            value: As in `store[key] = value`.
            expected: What `version` returned; None to write only if the key is missing.

        Raises:
            ConflictError: The version is another one.
        """
        path, text = self._path(key), dumps(value, indent=2)
        with self._writing():
            found = self.version(key)
            if found != expected:
                raise ConflictError(f"The version of {key!r} is {found}, not {expected}.")
            return self._put(path, key, text)

    def ping(self) -> bool:
        """Return True while the store is open and its directory can be locked."""
        with self._reading():
            return True

    def stats(self) -> dict[str, int]:
        """Return how many keys and shards there are, and how many backups a document may have."""
        return {"keys": len(self), "shards": len(self._shards), "backups": self._backups}

    def flush(self) -> None:
        """Do nothing: a write has reached the disk when it returns."""
        with self._reading():
            pass

    def compact(self) -> None:
        """Remove what no verb shows: the backups of deleted keys, and what killed writers left."""
        with self._writing():
            for shard in self._shards:
                remove_leftovers(shard)
                for path in list(shard.iterdir()):
                    backup = _BACKUP.fullmatch(path.name)
                    if backup and not path.with_name(backup[1]).exists():
                        path.unlink()

    def verify(self) -> dict[str, Any]:
        """Read every document, and return how many are `healthy`, and the `file` and `problem` of each `damaged`."""
        with self._reading():
            problems = {path: self._problem_of(path) for path in self._like_documents()}
        damaged = [
            {"file": str(path.relative_to(self._directory)), "problem": problem}
            for path, problem in problems.items()
            if problem is not None
        ]
        return {"healthy": len(problems) - len(damaged), "damaged": damaged}

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock.held(exclusive=False):
            self._check_open()
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock.held(exclusive=True):
            self._check_open()
            yield

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("The store is closed.")

    def _path(self, key: str) -> Path:
        check_key(key)
        return self._shards[int(hash_of(key), 16) % len(self._shards)] / file_name(key)

    def _like_documents(self) -> Iterator[Path]:
        for shard in self._shards:
            for name in os.listdir(shard):
                if _LIKE_A_DOCUMENT.fullmatch(name):
                    yield shard / name

    def _documents(self) -> Iterator[Path]:
        return (path for path in self._like_documents() if is_document(path.name))

    def _put(self, path: Path, key: str, text: str) -> str:
        _refuse_another_key(path, key)
        # Random rather than counted: a count would have to outlive the document, to be right after a delete.
        version = uuid4().hex
        replace_file(path, encode(key, version, text), backups=self._backups)
        return version

    def _problem_of(self, path: Path) -> str | None:
        try:
            key = read_document(path).key
        except CorruptDocument as error:
            return error.problem
        return None if self._path(key) == path else f"it holds the key {key!r}, which has its file elsewhere"

    def _refuse_other_shards(self) -> None:
        for name in os.listdir(self._directory):
            shard = _SHARD.fullmatch(name)
            if shard and int(shard[1]) != len(self._shards):
                raise ValueError(f"{self._directory} was made with shards={shard[1]}, not {len(self._shards)}.")


def _read(path: Path, key: str) -> Document:
    try:
        document = read_document(path)
    except FileNotFoundError:
        raise KeyError(key) from None
    if document.key != key:
        raise CorruptDocument(path, f"it holds the key {document.key!r}, not {key!r}")
    return document


def _refuse_another_key(path: Path, key: str) -> None:
    """Raise CorruptDocument when there is a document of another key at `path`, which must not be overwritten."""
    try:
        found = key_at(path)
    except (FileNotFoundError, CorruptDocument):
        return  # nothing to lose
    if found != key:
        raise CorruptDocument(path, f"it holds the key {found!r}, not {key!r}")


def _each(keys: list[str], unreadable: list[CorruptDocument]) -> Iterator[str]:
    yield from keys
    if unreadable:  # after the others, which can be listed; their number would be wrong without a word
        raise unreadable[0]


def open_state(where: Where) -> FileState:
    """Open the state store in the directory of `where`."""
    return FileState(where.path / "state")


def open_sharded_state(where: Where) -> FileState:
    """Open the state store in the directory of `where`, over 16 shards and with 5 backups."""
    return FileState(where.path / "state", shards=16, backups=5)


def open_runs(where: Where) -> RunStore:
    """Open the run store in the directory of `where`."""
    return RunStore(FileState(where.path / "runs"))


def open_jobs(where: Where) -> JobStore:
    """Open the job store in the directory of `where`."""
    return JobStore(FileState(where.path / "jobs"))


def open_layers(where: Where) -> LayerStore:
    """Open the layered store in the directory of `where`."""
    return LayerStore(FileState(where.path / "layers"))


_LACKS = {
    "transactions": "one document is replaced at a time; there is no moment at which several are",
    "ttl": "nothing looks at the clock",
    "history": "only backups are kept, and only where they are asked for: for people, not for programs",
    "snapshots": "a copy of the directory is one",
}
_ERRORS = {"conflict": ConflictError, "corrupt": CorruptDocument}

backend = Backend(
    "file",
    state=open_state,
    runs=open_runs,
    jobs=open_jobs,
    layers=open_layers,
    corruption="isolates",
    lacks=_LACKS,
    errors=_ERRORS,
)
sharded = Backend("file-sharded", state=open_sharded_state, corruption="isolates", lacks=_LACKS, errors=_ERRORS)

"""Stores whose transactions isolate less than they promise, in memory for threads and in a file for processes."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from conformance import Backend, Where
from reference_backends._files import FileLock
from tests.mutants.base import Mutant


class ConflictError(Exception):
    """Somebody else was first."""


class Place(Protocol):
    """Where all entries are kept, and replaced whole."""

    folder: Path

    def locked(self) -> AbstractContextManager[Any]:
        """Keep everybody else out."""

    def load(self) -> dict[str, Any]:
        """Return all entries."""

    def save(self, entries: dict[str, Any]) -> None:
        """Put entries in the place of all."""


class Memory:
    """Entries in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._entries: dict[str, Any] = {}

    def locked(self) -> AbstractContextManager[Any]:
        """Keep every other thread out."""
        return self._lock

    def load(self) -> dict[str, Any]:
        """Return all entries, which nobody changes."""
        return self._entries

    def save(self, entries: dict[str, Any]) -> None:
        """Put entries in the place of all."""
        self._entries = entries


class File:
    """Entries in one JSON file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "store.json"
        self._lock = FileLock(folder / "lock")

    def locked(self) -> AbstractContextManager[Any]:
        """Keep every other process out."""
        return self._lock.held(exclusive=True)

    def load(self) -> dict[str, Any]:
        """Return all entries."""
        try:
            entries: dict[str, Any] = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        return entries

    def save(self, entries: dict[str, Any]) -> None:
        """Put entries in the place of all."""
        new = self._path.with_name(uuid4().hex)
        new.write_bytes(json.dumps(entries).encode())
        os.replace(new, self._path)


class Draft(MutableMapping[str, Any]):
    """The entries as they were when a transaction began, and what it changed."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.base = place.load()
        self.changed: dict[str, Any] = {}
        self.deleted: set[str] = set()
        self.seen: set[str] = set()
        self.listed = False

    def entries(self) -> dict[str, Any]:
        """Return what is read."""
        return self.base

    def keys_now(self) -> dict[str, Any]:
        """Return what is listed."""
        return self.base

    def __getitem__(self, key: str) -> Any:
        if key in self.deleted:
            raise KeyError(key)
        if key in self.changed:
            return self.changed[key]
        self.seen.add(key)
        return self.entries()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.deleted.discard(key)
        self.changed[key] = value

    def __delitem__(self, key: str) -> None:
        _ = self[key]
        self.changed.pop(key, None)
        self.deleted.add(key)

    def __iter__(self) -> Iterator[str]:
        self.listed = True
        return iter([key for key in {**self.keys_now(), **self.changed} if key not in self.deleted])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def applied(self, entries: dict[str, Any]) -> dict[str, Any]:
        """Return entries with the changes."""
        return {key: value for key, value in {**entries, **self.changed}.items() if key not in self.deleted}


class Optimistic(MutableMapping[str, Any]):
    """An honest store whose transactions commit if nothing that they saw has changed: what the mutants change."""

    draft: type[Draft] = Draft

    def __init__(self, place: Place) -> None:
        self.place = place

    def __getitem__(self, key: str) -> Any:
        return self.place.load()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        with self.place.locked():
            self.place.save({**self.place.load(), key: value})

    def __delitem__(self, key: str) -> None:
        with self.place.locked():
            entries = dict(self.place.load())
            del entries[key]
            self.place.save(entries)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.place.load()))

    def __len__(self) -> int:
        return len(self.place.load())

    @contextmanager
    def transaction(self) -> Iterator[MutableMapping[str, Any]]:
        """Give a draft, and apply it when the block ends.

        Raises:
            ConflictError: Somebody else has changed what it saw.
        """
        draft = self.draft(self.place)
        yield draft
        if draft.changed or draft.deleted:
            with self.place.locked():
                now = self.place.load()
                if self.stale(draft, now):
                    raise ConflictError
                self.apply(draft)

    def stale(self, draft: Draft, now: dict[str, Any]) -> bool:
        """Return whether a draft may not be applied any more."""
        touched = {*draft.seen, *draft.changed, *draft.deleted, *(draft.base if draft.listed else ())}
        return any(now.get(key) != draft.base.get(key) for key in touched) or (
            draft.listed and now.keys() != draft.base.keys()
        )

    def apply(self, draft: Draft) -> None:
        """Make the changes."""
        self.place.save(draft.applied(self.place.load()))

    def close(self) -> None:
        """Do nothing."""


class Snapshots(Optimistic):
    """Only what a transaction writes is compared, not what it read: snapshot isolation."""

    def stale(self, draft: Draft, now: dict[str, Any]) -> bool:
        """Return whether somebody else wrote the same keys."""
        return any(now.get(key) != draft.base.get(key) for key in {*draft.changed, *draft.deleted})


class _Live(Draft):
    def entries(self) -> dict[str, Any]:
        """Return what is there now."""
        return self.place.load()


class _LiveAndNoted(_Live):
    def __setitem__(self, key: str, value: Any) -> None:
        self.base = {**self.base, key: self.place.load().get(key)}
        super().__setitem__(key, value)


class LiveReads(Snapshots):
    """A transaction reads what is there now; that nobody overwrites what it writes is looked after."""

    draft = _LiveAndNoted


class Committed(Optimistic):
    """A transaction reads what is committed now, and writes over whatever is there: read committed."""

    draft = _Live

    def stale(self, draft: Draft, now: dict[str, Any]) -> bool:
        """Return that it may always be applied."""
        return False


class TornCommit(Optimistic):
    """A commit writes one key after the other, and a transaction begins whenever it likes."""

    def apply(self, draft: Draft) -> None:
        """Make the changes, one after the other."""
        for key, value in draft.changed.items():
            self.place.save({**self.place.load(), key: value})
        self.place.save(draft.applied(self.place.load()))


class _LiveKeys(Draft):
    def keys_now(self) -> dict[str, Any]:
        """Return what is there now."""
        return self.place.load()


class LiveListing(Optimistic):
    """A transaction lists the keys that are there now."""

    draft = _LiveKeys


class Undone(Optimistic):
    """A transaction writes at once, under a lock that gets don't take, and takes back what it wrote when it fails."""

    @contextmanager
    def transaction(self) -> Iterator[MutableMapping[str, Any]]:
        """Give the store itself."""
        with self.place.locked():
            before = self.place.load()
            try:
                yield _InPlace(self.place)
            except BaseException:
                self.place.save(self.restored(before))
                raise

    def restored(self, before: dict[str, Any]) -> dict[str, Any]:
        """Return what is there after a failure."""
        return before


class _InPlace(Optimistic):
    """Writes at once; whoever made it has the lock."""

    def __setitem__(self, key: str, value: Any) -> None:
        self.place.save({**self.place.load(), key: value})

    def __delitem__(self, key: str) -> None:
        self.place.save({one: value for one, value in self.place.load().items() if one != key})


class NewKeysStay(Undone):
    """Nobody reads while a transaction goes on, but a failure takes back only what was there before."""

    def __getitem__(self, key: str) -> Any:
        with self.place.locked():
            return super().__getitem__(key)

    def restored(self, before: dict[str, Any]) -> dict[str, Any]:
        """Return the old values, and what is new."""
        return {**self.place.load(), **before}


@dataclass(frozen=True)
class Opener:
    """Opens a store in a place; other processes can have it."""

    store: Callable[[Place], Any]
    place: Callable[[Path], Place]

    def __call__(self, where: Where) -> Any:
        return self.store(self.place(where.path))


def in_memory(name: str, store: Callable[[Place], Any], **promises: Any) -> Backend:
    """Return a backend in memory, each of whose places is opened once."""
    return Backend(name, state=Opener(store, Memory), errors={"conflict": ConflictError}, **promises)


def in_file(name: str, store: Callable[[Place], Any], **promises: Any) -> Backend:
    """Return a backend in a file."""
    return Backend(name, state=Opener(store, File), errors={"conflict": ConflictError}, **promises)


_BUGS: tuple[tuple[str, str, tuple[str, ...], Callable[[Place], Any]], ...] = (
    ("write_skew", "only what a transaction writes is compared at its commit", ("1",), Snapshots),
    ("non_repeatable_read", "a transaction reads what is there now", ("1",), LiveReads),
    ("commit_key_by_key", "a commit writes one key after the other", ("2",), TornCommit),
    ("phantom_keys", "a transaction lists the keys that are there now", ("3",), LiveListing),
    ("aborted_write_stays", "rolling back leaves the keys that were new", ("1",), NewKeysStay),
)
MUTANTS = [
    mutant
    for name, bug, places, store in _BUGS
    for mutant in (
        Mutant(
            f"{name}_by_threads",
            bug,
            tuple(f"STATE-CONC-6{place}" for place in places),
            in_memory(f"{name}_by_threads", store),
        ),
        Mutant(
            f"{name}_by_processes",
            bug,
            tuple(f"STATE-CONC-7{place}" for place in places),
            in_file(f"{name}_by_processes", store),
        ),
    )
] + [
    Mutant(
        "dirty_read_by_threads",
        "a transaction writes in place, and gets take no lock",
        ("STATE-CONC-61",),
        in_memory("dirty_read_by_threads", Undone),
    )
]
#: Honest stores, by the level that they promise: the same as some of the mutants, but for what they say of themselves.
HONEST: dict[str, Callable[[Place], Any]] = {
    "serializable": Optimistic,
    "snapshot-isolation": Snapshots,
    "read-committed": Committed,
}

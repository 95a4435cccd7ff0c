"""An honest, quick state store with every capability, to break; it is pickled to one file after each write, not synced.

Its methods are small so that a mutant can replace the one step that it gets wrong.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance import Backend, Where
from reference_backends._json import check_key, dumps, loads
from tests.mutants.base import Mutant

if TYPE_CHECKING:
    from pathlib import Path


class ConflictError(Exception):
    """The version is not the expected one."""


@dataclass
class Entry:
    """A present key."""

    text: str
    version: Any
    expires_at: float | None = None


@dataclass
class Kept:
    """All that is in the file."""

    entries: dict[str, Entry] = field(default_factory=dict)
    history: dict[str, dict[int, str]] = field(default_factory=dict)
    snapshots: dict[str, dict[str, str]] = field(default_factory=dict)
    writes: int = 0


class Draft(MutableMapping[str, Any]):
    """The mapping of a transaction: a copy of the state, and the operations to repeat on the store."""

    def __init__(self, store: CapableState) -> None:
        self.store = store
        self.texts = store.texts()
        self.operations: list[tuple[str, str | None]] = []
        self.ended = False

    def __getitem__(self, key: str) -> Any:
        self.refuse_ended()
        return self.store.decode(self.texts[key])

    def __setitem__(self, key: str, value: Any) -> None:
        self.refuse_ended()
        check_key(key)
        self.texts[key] = self.store.encode(value)
        self.operations.append((key, self.texts[key]))

    def __delitem__(self, key: str) -> None:
        self.refuse_ended()
        del self.texts[key]
        self.operations.append((key, None))

    def __iter__(self) -> Iterator[str]:
        self.refuse_ended()
        return iter(list(self.texts))

    def __len__(self) -> int:
        self.refuse_ended()
        return len(self.texts)

    def refuse_ended(self) -> None:
        """Raise when the block has ended."""
        if self.ended:
            raise ValueError("the transaction has ended")


class CapableState(MutableMapping[str, Any]):
    """An honest store; see the module."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.path = path
        self.clock = clock
        self.closed = False
        self.kept: Kept = self.read_file() if path.exists() else Kept()

    def read_file(self) -> Kept:
        """Return what is in the file."""
        kept: Kept = pickle.loads(self.path.read_bytes())
        return kept

    def save(self) -> None:
        """Write the file."""
        self.path.write_bytes(pickle.dumps(self.kept))

    def __getitem__(self, key: str) -> Any:
        return self.decode(self.entry(key).text)

    def __setitem__(self, key: str, value: Any) -> None:
        self.write(key, self.encode(value))

    def __delitem__(self, key: str) -> None:
        self.entry(key)
        self.remove(key)
        self.save()

    def __contains__(self, key: Any) -> bool:
        return self.present(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts())

    def __len__(self) -> int:
        return len(self.texts())

    def close(self) -> None:
        """Refuse every verb from now on."""
        self.closed = True

    # the steps that the verbs are made of

    def encode(self, value: Any) -> str:
        """Return a value in the form in which it is kept."""
        return dumps(value)

    def decode(self, text: str) -> Any:
        """Return a kept value."""
        return loads(text)

    def present(self, key: Any) -> Entry | None:
        """Return the entry of a key; what has expired is removed as soon as it is seen."""
        self.refuse_closed()
        check_key(key)
        entry = self.kept.entries.get(key)
        if entry is None or not self.expired(entry):
            return entry
        self.remove(key)
        self.save()
        return None

    def entry(self, key: str) -> Entry:
        """Return the entry of a key that must be there."""
        entry = self.present(key)
        if entry is None:
            raise KeyError(key)
        return entry

    def expired(self, entry: Entry) -> bool:
        """Tell whether an entry has expired."""
        return entry.expires_at is not None and self.clock() >= entry.expires_at

    def texts(self) -> dict[str, str]:
        """Return all present keys with their kept values."""
        self.refuse_closed()
        return {key: entry.text for key in list(self.kept.entries) if (entry := self.present(key)) is not None}

    def put(self, key: str, text: str, expires_at: float | None = None) -> Any:
        """Write into memory, and return the new version."""
        self.refuse_closed()
        check_key(key)
        version = self.next_version(key, text)
        self.kept.entries[key] = Entry(text, version, expires_at)
        self.kept.history.setdefault(key, {})[version] = text
        return version

    def next_version(self, key: str, text: str) -> Any:
        """Return a version that no write ever had."""
        self.kept.writes += 1
        return self.kept.writes

    def remove(self, key: str) -> None:
        """Delete from memory."""
        self.kept.entries.pop(key, None)

    def write(self, key: str, text: str, expires_at: float | None = None) -> Any:
        """Write into memory and file, and return the new version."""
        version = self.put(key, text, expires_at)
        self.save()
        return version

    def refuse_closed(self) -> None:
        """Raise when the store is closed."""
        if self.closed:
            raise ValueError("the store is closed")

    # the capabilities

    def version(self, key: str) -> Any:
        """Return the version of a key."""
        entry = self.present(key)
        return None if entry is None else entry.version

    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        """Write if the version is the expected one."""
        text = self.encode(value)
        if self.version(key) != expected:
            raise ConflictError(key)
        return self.write(key, text)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Give a mapping whose operations are repeated when the block ends."""
        draft = self.draft()
        try:
            yield draft
        finally:
            draft.ended = True
        self.commit(draft)

    def draft(self) -> Draft:
        """Return the mapping of a transaction."""
        return Draft(self)

    def commit(self, draft: Draft) -> None:
        """Repeat the operations of a transaction on the store."""
        for key, text in draft.operations:
            self.remove(key) if text is None else self.put(key, text)
        self.save()

    def set(self, key: str, value: Any, ttl: Any = None) -> None:
        """Write, with an expiry or without."""
        text = self.encode(value)
        self.write(key, text, None if ttl is None else self.instant(ttl))

    def instant(self, ttl: Any) -> float:
        """Return when what is written now with a ttl expires."""
        if isinstance(ttl, bool) or not isinstance(ttl, (int, float)) or not ttl > 0:
            raise ValueError(f"ttl={ttl!r} is not a positive number")
        return self.clock() + ttl

    def expires_at(self, key: str) -> float | None:
        """Return when a key expires."""
        return self.entry(key).expires_at

    def versions(self, key: str, limit: int | None = None) -> list[Any]:
        """Return the versions of a key, newest first."""
        self.refuse_closed()
        return list(reversed(self.kept.history.get(key, {})))[:limit]

    def get_version(self, key: str, version: Any) -> Any:
        """Return the value of a version."""
        self.refuse_closed()
        return self.decode(self.kept.history[key][version])

    def save_snapshot(self, name: str) -> None:
        """Keep the state under a name."""
        check_key(name)
        self.kept.snapshots[name] = self.texts()
        self.save()

    def load_snapshot(self, name: str) -> Any:
        """Return the state kept under a name."""
        self.refuse_closed()
        return {key: self.decode(text) for key, text in self.kept.snapshots[name].items()}

    def list_snapshots(self) -> list[str]:
        """Return the names."""
        self.refuse_closed()
        return list(self.kept.snapshots)

    def ping(self) -> Any:
        """Tell whether the store is open."""
        return not self.closed

    def stats(self) -> dict[str, Any]:
        """Return the numbers of keys and snapshots."""
        return {"keys": len(self), "snapshots": len(self.kept.snapshots)}

    def flush(self) -> None:
        """Write the file."""
        self.save()

    def compact(self) -> None:
        """Remove what has expired."""
        self.texts()
        self.save()

    def verify(self) -> Any:
        """Find no damage."""
        return {"healthy": len(self), "damaged": []}


#: What an honest store of this kind promises: one handle, and nothing about crashes.
PROMISES: dict[str, Any] = {
    "durability": "clean-close",
    "sharing": "single",
    "corruption": "silent",
    "errors": {"conflict": ConflictError},
}


@dataclass(frozen=True)
class Opener:
    """Opens a store with the path of a file and the clock of the place; child processes can have it."""

    store: Callable[[Path, Callable[[], float]], Any]

    def __call__(self, where: Where) -> Any:
        return self.store(where.path / "store", where.clock)


def capable(name: str, store: Callable[[Path, Callable[[], float]], Any], **promises: Any) -> Backend:
    """Return a backend that opens `store` with the path of a file and the clock of the place."""
    return Backend(name, state=Opener(store), **{**PROMISES, **promises})


def capable_mutant(bug: str, *killed_by: str, **promises: Any) -> Callable[[type], type]:
    """Mark a class as a mutant, named after the class: `TokenRepeats` is `token_repeats`."""

    def mark(store: type) -> type:
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in store.__name__).lstrip("_")
        store.mutant = Mutant(name, bug, killed_by, capable(name, store, **promises))  # type: ignore[attr-defined]
        return store

    return mark


def marked(module: dict[str, Any]) -> list[Mutant]:
    """Return the mutants of the marked classes in a module's `globals()`."""
    return [thing.mutant for thing in module.values() if isinstance(thing, type) and "mutant" in vars(thing)]


HONEST = capable("capable", CapableState)

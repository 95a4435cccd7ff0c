"""The `memory` backend: a state store and a log store that live as long as the object, with every capability.

Values are kept as JSON text: a copy goes in and a copy comes out by construction, and a value outside JSON is refused
while its text is made, before anything is changed.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from conformance import Backend, Where
from reference_backends._errors import ConflictError
from reference_backends._json import check_key, dumps, loads
from reference_backends._mapping import AtomicMapping, Draft
from reference_backends._memory_log import MemoryLog
from reference_backends.jobs import JobStore
from reference_backends.layers import LayerStore
from reference_backends.runs import RunStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping


__all__ = [
    "ConflictError",
    "MemoryLog",
    "MemoryState",
    "backend",
    "open_jobs",
    "open_layers",
    "open_log",
    "open_runs",
    "open_state",
]


@dataclass(frozen=True)
class _Entry:
    text: str
    version: int
    expires_at: float | None


class MemoryState(AtomicMapping):
    """A `state` store in memory, for any number of threads.

    Every verb raises ValueError once the store is closed, and TypeError for a key that is not a str.

    Args:
        clock: Returns the time as POSIX seconds; what expires asks it.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._history: dict[str, dict[int, str]] = {}
        self._snapshots: dict[str, dict[str, str]] = {}
        self._writes = 0
        self._closed = False
        # Two locks, always taken in this order. A transaction holds the first from its begin to its end, so that
        # nobody writes between its reads and its commit; readers need only the second, so that they need not wait.
        self._writer = threading.RLock()
        self._lock = threading.RLock()

    def __getitem__(self, key: str) -> Any:
        return loads(self._text(key))

    def __setitem__(self, key: str, value: Any) -> None:
        self.set(key, value)

    def __delitem__(self, key: str) -> None:
        check_key(key)
        with self._writing():
            if self._present(key) is None:
                raise KeyError(key)
            del self._entries[key]

    def __contains__(self, key: Any) -> bool:
        check_key(key)
        with self._reading():
            return self._present(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts())

    def __len__(self) -> int:
        return len(self._texts())

    def close(self) -> None:
        """Forget everything. Harmless when repeated."""
        with self._writer, self._lock:
            self._closed = True
            for kept in (self._entries, self._history, self._snapshots):
                kept.clear()

    # cas

    def version(self, key: str) -> int | None:
        """Return the version of `key`, None when it is missing. No version is ever given twice in a store."""
        check_key(key)
        with self._reading():
            entry = self._present(key)
            return None if entry is None else entry.version

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write `value` only if the version of `key` is `expected`, and return the new version.

        Args:
            key: As in `store[key]`.
            value: As in `store[key] = value`.
            expected: What `version` returned; None to write only if the key is missing.

        Raises:
            ConflictError: The version is another one.
        """
        text = dumps(value)
        with self._writing():
            found = self.version(key)
            if found != expected:
                raise ConflictError(f"The version of {key!r} is {found}, not {expected}.")
            return self._put(key, text)

    # transactions

    @contextmanager
    def transaction(self) -> Iterator[MutableMapping[str, Any]]:
        """Give a mapping whose changes are made all together when the block ends, or not at all when it raises.

        Other threads read the state before it meanwhile; their writes wait for its end.
        """
        with self._writer:
            draft = Draft(self._texts())
            try:
                yield draft
            finally:
                draft.ended = True
            with self._writing():
                for key in draft.changed:
                    if key in draft.texts:
                        self._put(key, draft.texts[key])
                    else:
                        self._entries.pop(key, None)

    # ttl

    def set(self, key: str, value: Any, ttl: float | None = None) -> None:
        """Write `value`, and remove the expiry of `key` or give it a new one.

        Args:
            key: As in `store[key]`.
            value: As in `store[key] = value`.
            ttl: Seconds from now until the key is missing; None for never.

        Raises:
            ValueError: The ttl is not a positive number.
        """
        check_key(key)
        text = dumps(value)
        if ttl is not None and (isinstance(ttl, bool) or not ttl > 0):  # NaN is not more than 0 either
            raise ValueError(f"ttl={ttl!r} is not a positive number of seconds.")
        with self._writing():
            self._put(key, text, expires_at=None if ttl is None else self._clock() + ttl)

    def expires_at(self, key: str) -> float | None:
        """Return when `key` expires, in POSIX seconds; None for never. Raise KeyError when it is missing."""
        check_key(key)
        with self._reading():
            entry = self._present(key)
            if entry is None:
                raise KeyError(key)
            return entry.expires_at

    # history

    def versions(self, key: str, limit: int | None = None) -> list[int]:
        """Return the versions that `key` ever had, newest first, at most `limit`; `[]` for a key never written."""
        check_key(key)
        with self._reading():
            return list(islice(reversed(self._history.get(key, {})), limit))

    def get_version(self, key: str, version: int) -> Any:
        """Return the value that `key` had at `version`; raise KeyError when it never had that version."""
        check_key(key)
        with self._reading():
            return loads(self._history[key][version])

    # snapshots

    def save_snapshot(self, name: str) -> None:
        """Keep the whole state under `name`, instead of an older snapshot of that name."""
        check_key(name)
        with self._writing():
            self._snapshots[name] = self._texts()

    def load_snapshot(self, name: str) -> dict[str, Any]:
        """Return the state kept under `name`; raise KeyError when there is none. The store stays as it is."""
        check_key(name)
        with self._reading():
            return {key: loads(text) for key, text in self._snapshots[name].items()}

    def list_snapshots(self) -> list[str]:
        """Return the names of all snapshots."""
        with self._reading():
            return list(self._snapshots)

    # health and maintenance

    def ping(self) -> bool:
        """Return True while the store is open."""
        with self._reading():
            return True

    def stats(self) -> dict[str, int]:
        """Return how many keys, versions of all keys, and snapshots there are."""
        with self._reading():
            versions = sum(len(versions) for versions in self._history.values())
            return {"keys": len(self), "versions": versions, "snapshots": len(self._snapshots)}

    def flush(self) -> None:
        """Do nothing: a write is as lasting as it will ever be when it returns."""
        with self._reading():
            pass

    def compact(self) -> None:
        """Forget what has expired."""
        self._texts()

    def verify(self) -> dict[str, Any]:
        """Return how many keys are `healthy`, and none that are `damaged`: memory is believed."""
        return {"healthy": len(self), "damaged": []}

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise ValueError("The store is closed.")
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._writer, self._reading():
            yield

    def _present(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is None or entry.expires_at is None or self._clock() < entry.expires_at:
            return entry
        # Removed as soon as it is seen expired: it must not come back when the clock steps back.
        del self._entries[key]
        return None

    def _text(self, key: str) -> str:
        check_key(key)
        with self._reading():
            entry = self._present(key)
            if entry is None:
                raise KeyError(key)
            return entry.text

    def _texts(self) -> dict[str, str]:
        with self._reading():
            return {key: entry.text for key in list(self._entries) if (entry := self._present(key)) is not None}

    def _put(self, key: str, text: str, expires_at: float | None = None) -> int:
        self._writes += 1
        self._entries[key] = _Entry(text, self._writes, expires_at)
        self._history.setdefault(key, {})[self._writes] = text
        return self._writes


def open_state(where: Where) -> MemoryState:
    """Open an empty state store, whose time is the clock of `where`."""
    return MemoryState(where.clock)


def open_log(where: Where) -> MemoryLog:  # noqa: ARG001 (every opener takes a place; this store has none)
    """Open an empty log."""
    return MemoryLog()


def open_runs(where: Where) -> RunStore:
    """Open a run store, empty."""
    return RunStore(MemoryState(where.clock))


def open_jobs(where: Where) -> JobStore:
    """Open a job store, empty."""
    return JobStore(MemoryState(where.clock))


def open_layers(where: Where) -> LayerStore:
    """Open a layered store, empty."""
    return LayerStore(MemoryState(where.clock))


backend = Backend(
    "memory",
    state=open_state,
    log=open_log,
    runs=open_runs,
    jobs=open_jobs,
    layers=open_layers,
    durability="volatile",
    sharing="threads",
    corruption="silent",
    lacks={
        "clean-close": "it is gone when the store is closed: a stand-in for tests and a cache, not a place for data",
        "processes": "it lives in the memory of one process",
        "detects": "nothing is written that could be damaged on a disk, and memory is believed",
    },
    errors={"conflict": ConflictError},
)

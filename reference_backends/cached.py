"""A volatile cache in front of a durable `state` store that has `cas`; it never gives what is no longer there.

    store = CachedState(SqliteState(path))

What is cached is a value together with the version it was read at. Each read asks the store for the version, which is
less than to read, send and parse a value, and takes the cached one only if that is its version still. A version never
comes twice, so neither a write of another process, nor a delete, nor a crash leaves anything stale. Writes go through:
they return when the store underneath has them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from typing import Any, Protocol

from conformance import Backend, Where
from reference_backends._errors import ConflictError, CorruptRecord
from reference_backends._json import check_key, dumps, loads
from reference_backends._records import StateStore
from reference_backends.sqlite import SqliteState

__all__ = ["CachedState", "ConflictError", "CorruptRecord", "backend", "open_state"]


class _State(StateStore, Protocol):
    def __contains__(self, key: object, /) -> bool: ...

    def __len__(self) -> int: ...

    def pop(self, key: str, /, *default: Any) -> Any: ...

    def setdefault(self, key: str, default: Any = None, /) -> Any: ...


class CachedState(MutableMapping[str, Any]):
    """A state store whose values are kept in memory as well.

    As durable, as shared and as careful with damage as the store underneath. Every verb raises what that one does.

    Args:
        store: What the values are kept in. Others may write to it.
        capacity: How many values are kept in memory; of more, those that were not used for longest are dropped.

    Attributes:
        hits: How many reads were answered from memory.
        misses: How many were not.
    """

    def __init__(self, store: _State, *, capacity: int = 1_024) -> None:
        if capacity < 1:
            raise ValueError(f"capacity={capacity!r} would keep nothing.")
        self._store = store
        self._capacity = capacity
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Any, str]] = OrderedDict()  # the version and the JSON text of each value
        self.hits = 0
        self.misses = 0

    def __getitem__(self, key: str) -> Any:
        version = self.version(key)
        if version is None:
            raise KeyError(key)
        with self._lock:
            kept_version, text = self._kept.get(key, (None, ""))
            hit = kept_version == version
            self.hits, self.misses = self.hits + hit, self.misses + (not hit)
            if hit:
                self._kept.move_to_end(key)
        if hit:
            return loads(text)
        value = self._store[key]
        if self.version(key) == version:  # or else the value may be of either
            self._keep(key, version, dumps(value))
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        try:
            # A plain write would not tell the version that it gave.
            self.compare_and_set(key, value, self.version(key))
        except ConflictError:
            self._store[key] = value

    def __delitem__(self, key: str) -> None:
        del self._store[key]
        self._drop(key)

    def __contains__(self, key: object) -> bool:
        return key in self._store

    def __iter__(self) -> Iterator[str]:
        return iter(self._store)

    def __len__(self) -> int:
        return len(self._store)

    def pop(self, key: str, *default: Any) -> Any:
        """Remove `key` and return its value; return the default, where one is given, when it is missing."""
        value = self._store.pop(key, *default)
        self._drop(key)
        return value

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; write `default` first when it is missing."""
        return self._store.setdefault(key, default)

    def version(self, key: str) -> Any:
        """Return the version of `key`, None when it is missing."""
        version = self._store.version(key)
        if version is None:
            self._drop(key)
        return version

    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        """Write `value` only if the version of `key` is `expected` (None: it is missing), and return the new version.

        Raises:
            ConflictError: The version is another one.
        """
        check_key(key)
        text = dumps(value)
        version = self._store.compare_and_set(key, value, expected)
        self._keep(key, version, text)
        return version

    def close(self) -> None:
        """Forget what is in memory, and close the store underneath."""
        with self._lock:
            self._kept.clear()
        self._store.close()

    def _keep(self, key: str, version: Any, text: str) -> None:
        with self._lock:
            self._kept[key] = (version, text)
            self._kept.move_to_end(key)
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)

    def _drop(self, key: str) -> None:
        with self._lock:
            self._kept.pop(key, None)


def open_state(where: Where) -> CachedState:
    """Open the state store in the directory of `where`, a cache in front of SQLite."""
    return CachedState(SqliteState(where.path / "cached.sqlite3", clock=where.clock))


backend = Backend(
    "state-cached",
    state=open_state,
    lacks={
        "transactions": "open one on the store underneath: what it writes has new versions, and is read anew here",
        "ttl": "set it underneath: what has expired there has no version, and is missing here",
        "history": "ask the store underneath",
        "snapshots": "ask the store underneath",
        "health": "ask the store underneath",
        "maintenance": "verify and compact the store underneath",
    },
    errors={"conflict": ConflictError, "corrupt": CorruptRecord},
)

"""A size budget over any `state` store that has `transactions`, scaled by how deep a key is.

    store = QuotaState(SqliteState(path), budget=1_000_000, factor=0.5)
    store["plan"] = ...             # depth 0: all keys of that depth together may take 1,000,000 bytes
    store["agent/plan"] = ...       # depth 1: 500,000
    store["agent/sub/plan"] = ...   # depth 2: 250,000

Each write is one transaction underneath, in which what is used is looked up, and changed with the entry. So writers who
come at once can't exceed a budget together, and no crash leaves a number that does not fit the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from conformance import Backend, Where
from reference_backends._errors import ConflictError, CorruptRecord
from reference_backends._json import check_key, dumps, loads
from reference_backends.sqlite import SqliteState

__all__ = ["ConflictError", "CorruptRecord", "QuotaExceeded", "QuotaState", "backend", "depth_of", "open_state"]

_T = TypeVar("_T")
_ENTRY = "entry "
_USED = "used "


class QuotaExceeded(ValueError):
    """A write would take more than is left; nothing was stored.

    Args:
        key: The key.
        size: The bytes that it would take.
        used: The bytes that the other keys of its depth take.
        left: The bytes that it might take.
    """

    def __init__(self, key: str, size: int, used: int, left: int) -> None:
        super().__init__(key, size, used, left)
        self.key = key
        self.size = size
        self.used = used
        self.left = left

    def __str__(self) -> str:
        return (
            f"{self.key!r} would take {self.size:,} bytes; at depth {depth_of(self.key)} the others take "
            f"{self.used:,}, so that {self.left:,} are left."
        )


class _State(Protocol):
    def __getitem__(self, key: str, /) -> Any: ...

    def __contains__(self, key: object, /) -> bool: ...

    def __iter__(self) -> Iterator[str]: ...

    def transaction(self) -> AbstractContextManager[MutableMapping[str, Any]]: ...

    def close(self) -> None: ...


class QuotaState(MutableMapping[str, Any]):
    """A state store that takes no more than its budget, in another one, which belongs to this one from then on.

    As durable, as shared and as careful with damage as the store underneath, whose transactions must be serializable.
    Every verb raises what that one does. An entry takes the bytes of its key in UTF-8 and of its value as JSON text.

    Args:
        store: Where entries are kept, and what is used; it holds nothing else.
        budget: The bytes that all keys of depth 0 together may take.
        factor: What the budget of each depth is multiplied by for the next one, rounded down.
        deepest: The depth from which on all keys share one budget.

    Raises:
        ValueError: A number makes no sense.
    """

    def __init__(self, store: _State, *, budget: int, factor: float = 0.5, deepest: int = 8) -> None:
        if budget < 0 or not 0 < factor <= 1 or deepest < 0:
            raise ValueError(
                f"budget={budget!r}, factor={factor!r}, deepest={deepest!r}: give a budget and a depth of at least 0, "
                f"and a factor above 0 and up to 1."
            )
        self._store = store
        self._budgets = [int(budget * factor**depth) for depth in range(deepest + 1)]

    def __getitem__(self, key: str) -> Any:
        return loads(_entry(self._store, key)["value"])

    def __setitem__(self, key: str, value: Any) -> None:
        self._write(key, value, lambda version: None)  # noqa: ARG005 (any version will do)

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def __contains__(self, key: object) -> bool:
        check_key(key)
        return f"{_ENTRY}{key}" in self._store

    def __iter__(self) -> Iterator[str]:
        return (address.removeprefix(_ENTRY) for address in self._store if address.startswith(_ENTRY))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    # MutableMapping makes these of two verbs; here each is one transaction.

    def pop(self, key: str, *default: Any) -> Any:
        """Remove `key` and return its value; return the default, where one is given, when it is missing."""

        def remove(entries: MutableMapping[str, Any]) -> Any:
            entry = _entry(entries, key)
            del entries[f"{_ENTRY}{key}"]
            self._charge(entries, key, entry, None)
            return loads(entry["value"])

        try:
            return self._change(remove)
        except KeyError:
            if default:
                return default[0]
            raise

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; write `default` first when it is missing."""
        while True:
            try:
                return self[key]
            except KeyError:
                pass
            try:
                self.compare_and_set(key, default, None)
            except ConflictError:
                continue  # another writer was faster; its value is there, or was

    def version(self, key: str) -> str | None:
        """Return the version of `key`, None when it is missing. No version is ever given twice."""
        try:
            version: str = _entry(self._store, key)["version"]
        except KeyError:
            return None
        return version

    def compare_and_set(self, key: str, value: Any, expected: str | None) -> str:
        """Write `value` only if the version of `key` is `expected` (None: it is missing), and return the new version.

        Raises:
            ConflictError: The version is another one.
            QuotaExceeded: It would take more than is left.
        """

        def check(version: str | None) -> None:
            if version != expected:
                raise _OtherVersion(f"The version of {key!r} is {version}, not {expected}.")

        return self._write(key, value, check)

    def budget(self, depth: int) -> int:
        """Return how many bytes all keys of a depth together may take."""
        return self._budgets[self._level(depth)]

    def used(self, depth: int) -> int:
        """Return how many bytes all keys of a depth together take."""
        return _used(self._store, self._level(depth))

    def close(self) -> None:
        """Close the store underneath."""
        self._store.close()

    def _level(self, depth: int) -> int:
        return min(depth, len(self._budgets) - 1)

    def _write(self, key: str, value: Any, check: Callable[[str | None], None]) -> str:
        """Write a value, if `check` lets the version pass, and return the new version."""
        check_key(key)
        entry = {"version": uuid4().hex, "value": dumps(value)}

        def write(entries: MutableMapping[str, Any]) -> str:
            old = entries.get(f"{_ENTRY}{key}")
            check(old and old["version"])
            self._charge(entries, key, old, entry)
            entries[f"{_ENTRY}{key}"] = entry
            return entry["version"]

        return self._change(write)

    def _charge(self, entries: MutableMapping[str, Any], key: str, old: Any, new: Any) -> None:
        """Change what is used by what an entry takes in the place of the old one."""
        level = self._level(depth_of(key))
        others = _used(entries, level) - _size(key, old)
        size, left = _size(key, new), self._budgets[level] - others
        # One that needs no more than before may stay, though the budget be smaller than it was.
        if size > max(left, _size(key, old)):
            raise QuotaExceeded(key, size, others, left)
        entries[f"{_USED}{level}"] = others + size

    def _change(self, change: Callable[[MutableMapping[str, Any]], _T]) -> _T:
        """Make a change in a transaction; again where that met another one."""
        while True:
            try:
                with self._store.transaction() as entries:
                    return change(entries)
            except _OtherVersion:
                raise
            except ConflictError:
                continue


class _OtherVersion(ConflictError):
    """Refused by this store; those underneath refuse a transaction that met another one."""


def depth_of(key: str) -> int:
    """Return how many names a key has before its last one, such as 2 for `a/b/c`."""
    return key.count("/")


def _size(key: str, entry: Any) -> int:
    return len(key.encode("utf-8", "surrogatepass")) + len(entry["value"]) if entry else 0


def _used(entries: Any, level: int) -> int:
    try:
        used: int = entries[f"{_USED}{level}"]
    except KeyError:
        return 0
    return used


def _entry(entries: Any, key: str) -> Any:
    check_key(key)
    try:
        return entries[f"{_ENTRY}{key}"]
    except KeyError:
        raise KeyError(key) from None


def open_state(where: Where) -> QuotaState:
    """Open the state store in the directory of `where`, a budget of 1 GiB over SQLite."""
    # The older versions that it would keep are not in the budget.
    return QuotaState(SqliteState(where.path / "quota.sqlite3", history_limit=1), budget=2**30)


backend = Backend(
    "state-quota",
    state=open_state,
    lacks={
        "transactions": "each write is one underneath; several would need the sum of what they take",
        "ttl": "what expires underneath would stay in what is used",
        "history": "older versions would have to be in the budget",
        "snapshots": "they would have to be in the budget",
        "health": "`used` and `budget` tell the sizes; ask the store underneath for the rest",
        "maintenance": "verify and compact the store underneath",
    },
    errors={"conflict": ConflictError, "corrupt": CorruptRecord},
)

"""State stores that forget at close, or hide what they know from others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.mutants.base import PlainState, state_mutant


class LastBatchLost(PlainState):
    """Writes are collected, and written out ten at a time; close() forgets the rest."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._batch: dict[str, Any] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        self._batch[key] = value
        if len(self._batch) == 10:
            for one, kept in self._batch.items():
                super().__setitem__(one, kept)
            self._batch.clear()

    def __getitem__(self, key: str) -> Any:
        return self._batch[key] if key in self._batch else super().__getitem__(key)

    def __delitem__(self, key: str) -> None:
        if self._batch.pop(key, self) is self or key in list(super().__iter__()):
            super().__delitem__(key)

    def __iter__(self) -> Iterator[str]:
        return iter(list(dict.fromkeys([*super().__iter__(), *self._batch])))

    def __len__(self) -> int:
        return len(list(iter(self)))


_IN_THIS_PROCESS: dict[Path, dict[str, Any]] = {}


class InThisProcess(PlainState):
    """The data live in a module; a reopen finds them, a new process does not."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._data = _IN_THIS_PROCESS.setdefault(path, {})

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        super().__delitem__(key)
        self._data[key] = value

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __delitem__(self, key: str) -> None:
        del self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._data))

    def __len__(self) -> int:
        return len(self._data)


class WrittenAtClose(PlainState):
    """Writes reach the file when the store is closed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._database.execute("BEGIN")

    def close(self) -> None:
        if self._database.in_transaction:
            self._database.execute("COMMIT")
        super().close()


class StaleCache(PlainState):
    """A handle never looks again for what it has read or written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._cache: dict[str, Any] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._cache[key] = value

    def __delitem__(self, key: str) -> None:
        self._cache.pop(key, None)
        super().__delitem__(key)

    def __getitem__(self, key: str) -> Any:
        if key not in self._cache:
            self._cache[key] = super().__getitem__(key)
        return self._cache[key]


class CloseRaisesTwice(PlainState):
    def close(self) -> None:
        self._database.execute("SELECT 1")
        super().close()


class AcceptsAfterClose(PlainState):
    """After close() writes go into a buffer that nobody writes out."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._closed = False
        self._buffer: dict[str, Any] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        if self._closed:
            self._buffer[key] = value
        else:
            super().__setitem__(key, value)

    def close(self) -> None:
        self._closed = True
        super().close()


MUTANTS = [
    state_mutant("last_batch_lost", "close() forgets the last batch", ("STATE-REOPEN-01",), LastBatchLost),
    state_mutant("in_this_process", "the data live in the process", ("STATE-REOPEN-02",), InThisProcess),
    state_mutant("written_at_close", "writes reach the file at close", ("STATE-SHARE-01",), WrittenAtClose),
    state_mutant("stale_read_cache", "a handle never looks again", ("STATE-SHARE-02",), StaleCache),
    state_mutant("close_raises_twice", "the second close() raises", ("STATE-CLOSE-01",), CloseRaisesTwice),
    state_mutant("accepts_after_close", "a closed store takes writes", ("STATE-CLOSE-02",), AcceptsAfterClose),
]

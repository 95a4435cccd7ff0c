"""Stores that are fine as long as one thread uses them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from conformance import Backend, Where
from tests.mutants.base import Mutant


class ConflictError(Exception):
    """The version is another one."""


class Memory(MutableMapping[str, Any]):
    """An honest store in memory, with every call under one lock: what the mutants change."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.data: dict[str, Any] = {}
        self.versions: dict[str, int] = {}

    def __getitem__(self, key: str) -> Any:
        with self.lock:
            return self.data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        with self.lock:
            self.data[key] = value
            self.versions[key] = self.versions.get(key, 0) + 1

    def __delitem__(self, key: str) -> None:
        with self.lock:
            del self.data[key]
            self.versions[key] = self.versions.get(key, 0) + 1

    def __iter__(self) -> Iterator[str]:
        with self.lock:
            return iter(list(self.data))

    def __len__(self) -> int:
        with self.lock:
            return len(self.data)

    def version(self, key: str) -> int | None:
        """Return the version of a key."""
        with self.lock:
            return self.versions[key] if key in self.data else None

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write, if the version is the expected one."""
        with self.lock:
            if self.version(key) != expected:
                raise ConflictError(key)
            self[key] = value
            return self.versions[key]

    @contextmanager
    def transaction(self) -> Iterator[MutableMapping[str, Any]]:
        """Give a copy that takes the place of all when the block ends."""
        with self.lock:
            copy = dict(self.data)
            yield copy
            self.data = copy

    def close(self) -> None:
        """Do nothing."""


class DocumentOverwritten(Memory):
    """A put copies all, changes the copy, and puts it in the place of all."""

    def __setitem__(self, key: str, value: Any) -> None:
        copy = dict(self.data)
        copy[key] = value
        self.data = copy


class LockOnlyOnWrite(Memory):
    """A put takes the old value away first; readers take no lock."""

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        with self.lock:
            self.data.pop(key, None)
            self.data[key] = value


class ValueInTwoWrites(Memory):
    """A value is kept as text, in two halves."""

    def __init__(self) -> None:
        super().__init__()
        self.second: dict[str, str] = {}

    def __getitem__(self, key: str) -> Any:
        first = self.data[key]
        return json.loads(first + self.second[key])

    def __setitem__(self, key: str, value: Any) -> None:
        text = json.dumps(value)
        half = len(text) // 2
        self.second[key] = text[half:]
        self.data[key] = text[:half]


class IndexRewritten(Memory):
    """There is a list of the keys, and only what is listed is found."""

    def __init__(self) -> None:
        super().__init__()
        self.index: list[str] = []

    def __getitem__(self, key: str) -> Any:
        if key not in self.index:
            raise KeyError(key)
        return self.data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.data[key] = value
        if key not in self.index:
            self.index = [*self.index, key]


class CheckThenSet(Memory):
    """The version is compared in one step, and the value written in the next."""

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write, if the version is the expected one."""
        if self.version(key) != expected:
            raise ConflictError(key)
        self[key] = value
        return self.versions[key]


class CopiesWithoutLock(Memory):
    """A transaction copies all, and its copy takes the place of all, without a lock in between."""

    @contextmanager
    def transaction(self) -> Iterator[MutableMapping[str, Any]]:
        """Give a copy that takes the place of all when the block ends."""
        copy = dict(self.data)
        yield copy
        self.data = copy


class ListedByPlace(Memory):
    """Lists by place, one key after the other."""

    def __iter__(self) -> Iterator[str]:
        place = 0
        while place < len(self.data):
            keys = list(self.data)
            if place < len(keys):
                yield keys[place]
            place += 1


class MemoryLog:
    """A log in memory that asks for the head in one step and writes in another."""

    def __init__(self) -> None:
        self.events: dict[int, Any] = {}
        self.last = 0

    @property
    def head(self) -> int:
        """The position of the last event."""
        return self.last

    def append(self, event: Any) -> int:
        """Append an event."""
        position = self.last + 1
        self.events[position] = event
        self.last = position
        return position

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window."""
        stop = self.last + 1 if stop is None else stop
        return [(position, self.events[position]) for position in range(max(start, 1), min(stop, self.last + 1))]

    def close(self) -> None:
        """Do nothing."""


def _state(name: str, bug: str, killed_by: tuple[str, ...], store: Callable[[], Any]) -> Mutant:
    opened: dict[Any, Any] = {}  # what is in memory is there as long as the process

    def open_state(where: Where) -> Any:
        return opened.setdefault(where.path, store())

    return Mutant(name, bug, killed_by, Backend(name, state=open_state, errors={"conflict": ConflictError}))


MUTANTS = [
    _state(
        "whole_document_overwrite",
        "a put copies all, changes the copy, and puts it in the place of all",
        ("STATE-CONC-01", "STATE-CONC-03"),
        DocumentOverwritten,
    ),
    _state("lock_only_on_write", "reads take no lock", ("STATE-CONC-01",), LockOnlyOnWrite),
    _state("value_in_two_writes", "a value is written in two halves", ("STATE-CONC-02",), ValueInTwoWrites),
    _state(
        "index_rewritten_by_threads", "the list of keys is replaced without a lock", ("STATE-CONC-03",), IndexRewritten
    ),
    _state("cas_check_then_set", "compare and write are two steps", ("STATE-CONC-04",), CheckThenSet),
    _state(
        "transaction_copies_without_lock",
        "a transaction's copy takes the place of all",
        ("STATE-CONC-05",),
        CopiesWithoutLock,
    ),
    _state("listed_by_place", "a listing goes by place", ("STATE-CONC-06",), ListedByPlace),
    Mutant(
        "position_read_then_written",
        "append asks for the head in one step and writes in another",
        ("LOG-CONC-01",),
        Backend("position_read_then_written", log=lambda _: MemoryLog()),
    ),
]
#: The honest store, for tests that look for false alarms.
HONEST = Backend(
    "memory-with-a-lock",
    state=lambda _: Memory(),
    errors={"conflict": ConflictError},
    sharing="threads",
    durability="volatile",
    address="tests.mutants.concurrency_threads:HONEST",
)

"""Stores with something between a session and the data, which promise sessions; and one without an atomic operation."""

from __future__ import annotations

import threading
from collections.abc import Iterator, MutableMapping
from typing import Any

from conformance import Backend, Where
from tests.mutants.base import Mutant
from tests.mutants.concurrency_transactions import Place, in_file, in_memory

#: Gets after which a session looks at the data again.
_EVERY = 3


class Cached(MutableMapping[str, Any]):
    """An honest store, each of whose sessions has a cache that only moves forward: each thread, each handle."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._mine = threading.local()

    @property
    def cache(self) -> dict[str, Any]:
        """The entries as this session knows them."""
        if not hasattr(self._mine, "cache"):
            self._mine.cache, self._mine.gets = dict(self.place.load()), 0
        cache: dict[str, Any] = self._mine.cache
        return cache

    def refresh(self) -> None:
        """Take all entries as they are now."""
        self._mine.cache = dict(self.place.load())

    def due(self) -> bool:
        """Return whether it is time to refresh."""
        _ = self.cache
        self._mine.gets += 1
        return self._mine.gets % _EVERY == 0

    def __getitem__(self, key: str) -> Any:
        if self.due() or key not in self.cache:
            self.refresh()
        return self.cache[key]

    def __setitem__(self, key: str, value: Any) -> None:
        _ = self.cache
        with self.place.locked():
            entries = {**self.place.load(), key: value}
            self.place.save(entries)
        self._mine.cache = dict(entries)

    def __delitem__(self, key: str) -> None:
        _ = self.cache
        with self.place.locked():
            entries = dict(self.place.load())
            del entries[key]
            self.place.save(entries)
        self._mine.cache = dict(entries)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.place.load()))

    def __len__(self) -> int:
        return len(self.place.load())

    def close(self) -> None:
        """Do nothing."""


class TwoReplicas(Cached):
    """Now and then a get is answered by the data, without anything in the cache being newer for it."""

    def __getitem__(self, key: str) -> Any:
        if self.due():
            return self.place.load()[key]
        if key not in self.cache or self._mine.gets % 20 == 1:
            self.refresh()
        return self.cache[key]


class WrittenBehind(Cached):
    """A put waits in a queue while somebody else writes, and gets don't look into it."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.queue: dict[str, Any] = {}
        self.busy = place.folder / "busy"

    def __getitem__(self, key: str) -> Any:
        return self.place.load()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.queue[key] = value
        try:
            self.busy.touch(exist_ok=False)
        except FileExistsError:
            return
        self.close()
        self.busy.unlink()

    def close(self) -> None:
        """Write the queue."""
        queue, self.queue = self.queue, {}
        self.place.save({**self.place.load(), **queue})


class PutByDeleting(MutableMapping[str, Any]):
    """A store without any atomic operation, whose put takes the old value away first."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.data.pop(key, None)
        self.data[key] = value

    def __delitem__(self, key: str) -> None:
        del self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.data))

    def __len__(self) -> int:
        return len(self.data)


class Plain(PutByDeleting):
    """An honest store without any atomic operation."""

    def __setitem__(self, key: str, value: Any) -> None:
        self.data[key] = value


def open_plain(_: Where) -> Plain:
    """Open the honest store without any atomic operation."""
    return Plain()


_SESSIONS = {"consistency": "sessions"}
MUTANTS = [
    Mutant(
        f"{name}_{who}",
        bug,
        (code,),
        opens(f"{name}_{who}", store, **_SESSIONS),
    )
    for name, bug, store in (
        ("older_after_newer", "gets are answered by the data or by an older copy, as it happens", TwoReplicas),
        ("write_behind", "a put waits in a queue while somebody else writes", WrittenBehind),
    )
    for who, code, opens in (
        ("by_threads", "STATE-CONC-81", in_memory),
        ("by_processes", "STATE-CONC-82", in_file),
    )
] + [
    Mutant(
        "count_put_by_deleting",
        "for a moment a counter is not there",
        ("STATE-CONC-91",),
        Backend("count_put_by_deleting", state=lambda _: PutByDeleting()),
    )
]

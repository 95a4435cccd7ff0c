"""Odd but legal state stores with every capability: the checks must pass both.

Their versions are opaque texts; a conflict is an answer and not an exception; a ttl has whole seconds, and one that is
not positive expires at once; listings are tuples and generators, snapshots read when they are asked; reports have
attributes.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from anyio.lowlevel import checkpoint

from conformance import Backend, Where
from tests.mutants.capable_base import CapableState, Draft

if TYPE_CHECKING:
    from pathlib import Path


class GoneError(LookupError):
    """What was asked for is not there."""


class Lazily(Mapping[str, Any]):
    """A mapping that reads a value when it is asked for one."""

    def __init__(self, texts: Mapping[str, str], decode: Callable[[str], Any]) -> None:
        self._texts = texts
        self._decode = decode

    def __getitem__(self, key: str) -> Any:
        return self._decode(self._texts[key])

    def __iter__(self) -> Iterator[str]:
        return reversed(list(self._texts))

    def __len__(self) -> int:
        return len(self._texts)


class OddCapable(CapableState):
    """An odd store; see the module."""

    def __delitem__(self, key: str) -> None:
        if key in self:
            super().__delitem__(key)

    def save(self) -> None:
        """Write the file; now and then without what has expired."""
        if self.kept.writes % 7 == 0:
            for key, entry in list(self.kept.entries.items()):
                if self.expired(entry):
                    self.remove(key)
        super().save()

    def entry(self, key: str) -> Any:
        """Raise an exception of its own for a missing key."""
        entry = self.present(key)
        if entry is None:
            raise GoneError(key)
        return entry

    def next_version(self, key: str, text: str) -> Any:
        """Return a random text."""
        self.kept.writes += 1
        return secrets.token_hex(8)

    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        """Write, or return False."""
        text = self.encode(value)
        return self.write(key, text) if self.version(key) == expected else False

    def instant(self, ttl: Any) -> float:
        """Refuse fractions; what is not positive has expired already."""
        if type(ttl) is not int:
            raise TypeError(f"ttl={ttl!r} is not a whole number of seconds")
        return self.clock() + max(ttl, 0)

    def versions(self, key: str, limit: int | None = None) -> Any:
        """Return a tuple."""
        return tuple(super().versions(key, limit))

    def get_version(self, key: str, version: Any) -> Any:
        """Raise an exception of its own for an unknown version."""
        if version not in self.versions(key):
            raise GoneError(version)
        return super().get_version(key, version)

    def load_snapshot(self, name: str) -> Any:
        """Return a mapping that reads late, or raise an exception of its own."""
        if name not in self.list_snapshots():
            raise GoneError(name)
        return Lazily(self.kept.snapshots[name], self.decode)

    def list_snapshots(self) -> Any:
        """Return a generator."""
        return (name for name in reversed(super().list_snapshots()))

    def ping(self) -> Any:
        """Answer in words, or raise."""
        self.refuse_closed()
        return "PONG"

    def stats(self) -> dict[str, Any]:
        """Count nothing."""
        return {}

    def compact(self) -> Any:
        """Return how much was saved."""
        super().compact()
        return 0

    def verify(self) -> Any:
        """Report with attributes."""
        return SimpleNamespace(healthy=len(self), damaged=())


class AsyncDraft:
    """The mapping of an async transaction."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    async def __getitem__(self, key: str) -> Any:
        return self._draft[key]

    async def __setitem__(self, key: str, value: Any) -> None:
        self._draft[key] = value

    async def __delitem__(self, key: str) -> None:
        del self._draft[key]

    async def __len__(self) -> int:
        return len(self._draft)

    async def __aiter__(self) -> AsyncIterator[str]:
        for key in self._draft:
            yield key


def _later(verb: str) -> Any:
    async def later(self: Any, *args: Any, **kwargs: Any) -> Any:
        await checkpoint()
        return getattr(self.store, verb)(*args, **kwargs)

    return later


class AsyncOddCapable:
    """The same store with `async def` verbs; its transaction is an async context manager."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.store = OddCapable(path, clock)

    __getitem__ = _later("__getitem__")
    __setitem__ = _later("__setitem__")
    __delitem__ = _later("__delitem__")
    __contains__ = _later("__contains__")
    __len__ = _later("__len__")
    close = _later("close")
    version = _later("version")
    compare_and_set = _later("compare_and_set")
    expires_at = _later("expires_at")
    versions = _later("versions")
    get_version = _later("get_version")
    save_snapshot = _later("save_snapshot")
    list_snapshots = _later("list_snapshots")
    load_snapshot = _later("load_snapshot")
    ping = _later("ping")
    stats = _later("stats")
    flush = _later("flush")
    compact = _later("compact")
    verify = _later("verify")

    async def set(self, key: str, value: Any, *, ttl: int | None = None) -> None:
        """Write with an expiry, or without."""
        await checkpoint()
        self.store.set(key, value, ttl)

    async def __aiter__(self) -> AsyncIterator[str]:
        for key in self.store:
            await checkpoint()
            yield key

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncDraft]:
        """Give an async mapping."""
        await checkpoint()
        with self.store.transaction() as draft:
            yield AsyncDraft(draft)


def open_capable(where: Where) -> OddCapable:
    """Open the store."""
    return OddCapable(where.path / "store", where.clock)


async def open_async_capable(where: Where) -> AsyncOddCapable:
    """Open the async store."""
    await checkpoint()
    return AsyncOddCapable(where.path / "store", where.clock)


PROMISES: dict[str, Any] = {
    "durability": "clean-close",
    "sharing": "single",
    "corruption": "silent",
    "errors": {"missing": GoneError},
}

odd = Backend("odd_capable", state=open_capable, **PROMISES)
odd_async = Backend("odd_capable_async", state=open_async_capable, **PROMISES)

ODD = [replace(globals()[name], address=f"{__name__}:{name}") for name in ("odd", "odd_async")]

"""Small stores that are measured in tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from conformance import Backend, Where


class Dict(dict[str, Any]):
    """A state in memory that notes its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def __setitem__(self, key: str, value: Any) -> None:
        self.calls.append("put")
        super().__setitem__(key, value)

    def __getitem__(self, key: str) -> Any:
        self.calls.append("get")
        return super().__getitem__(key)

    def close(self) -> None:
        """Do nothing."""


def flushed(store: Dict) -> None:
    """Note that the store was flushed."""
    store.calls.append("flush")


class AsyncDict:
    """The same for event loops; notes how many of its puts were under way at once."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.now = self.most = self.listed = 0

    async def __setitem__(self, key: str, value: Any) -> None:  # type: ignore[misc]
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.entries[key] = value
        self.now -= 1

    async def __getitem__(self, key: str) -> Any:
        return self.entries[key]

    async def __aiter__(self) -> AsyncIterator[str]:
        for key in self.entries:
            yield key

    async def items(self) -> list[tuple[str, Any]]:
        """Return all pairs."""
        self.listed += 1
        return list(self.entries.items())

    async def close(self) -> None:
        """Do nothing."""


class Later(Dict):
    """Does not look async, and gives awaitables all the same."""

    def __setitem__(self, key: str, value: Any) -> Any:
        async def put() -> None:
            dict.__setitem__(self, key, value)
            self.calls.append("put")

        return put()


class FileLog:
    """A log with a line of JSON for each event.

    Args:
        path: Of its file.
        keeps: How many of its events it finds again when it is opened.
    """

    def __init__(self, path: Path, keeps: int = 1_000_000) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self._events = [json.loads(line) for line in lines][:keeps]

    def append(self, event: Any) -> int:
        """Append an event, and return its position."""
        with self._path.open("a") as file:
            file.write(json.dumps(event) + "\n")
        self._events.append(event)
        return len(self._events)

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        """Give positions and events."""
        end = None if stop is None else stop - 1
        yield from enumerate(self._events[start - 1 : end], start)

    @property
    def head(self) -> int:
        """The last position."""
        return len(self._events)

    def close(self) -> None:
        """Do nothing."""


def open_log(where: Where) -> FileLog:
    """Open a log."""
    return FileLog(where.path / "log")


def open_forgetful(where: Where) -> FileLog:
    """Open a log that finds ten events again at most."""
    return FileLog(where.path / "log", keeps=10)


class Full(Dict):
    """Is full after forty puts."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if len(self.calls) > 40:
            raise OSError("no space left")


def mine(name: str, durability: str = "process-crash", **openers: Any) -> Backend:
    """Return a backend of some openers."""
    return Backend(name, sharing="threads", durability=durability, **openers)

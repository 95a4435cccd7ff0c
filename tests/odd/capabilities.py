"""Odd but legal state stores with capabilities: the checks must pass every one of them."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from conformance import Backend
from reference_backends._json import check_key, dumps, loads
from tests.mutants.capable_base import CapableState, ConflictError, capable


class AbsentError(Exception):
    """There is nothing of that name."""


class Part:
    """The mapping of a transaction: nothing but the verbs; deleting what is not there does nothing."""

    def __init__(self, store: LogState) -> None:
        self._store: LogState | None = store
        self._changes: dict[str, str | None] = {}

    def __enter__(self) -> Part:  # noqa: PYI034 - Self came with Python 3.11
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        store, self._store = self._store, None
        if kind is None and store is not None:
            for key, text in self._changes.items():
                store.apply(key, text, None)

    def _text(self, key: str) -> str | None:
        check_key(key)
        if self._store is None:
            raise RuntimeError("this part of the work is done")
        return self._changes[key] if key in self._changes else self._store.text(key)

    def __getitem__(self, key: str) -> Any:
        text = self._text(key)
        if text is None:
            raise AbsentError(key)
        return loads(text)

    def __setitem__(self, key: str, value: Any) -> None:
        self._text(key)
        self._changes[key] = dumps(value)

    def __delitem__(self, key: str) -> None:
        if self._text(key) is not None:
            self._changes[key] = None

    def __contains__(self, key: str) -> bool:
        return self._text(key) is not None

    def __iter__(self) -> Iterator[str]:
        known = set(self._store or ()) | set(self._changes)
        return (key for key in random.sample(sorted(known), len(known)) if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Lazy(Mapping[str, Any]):
    """A snapshot that is decoded when it is read."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def __getitem__(self, key: str) -> Any:
        return loads(self._texts[key])

    def __iter__(self) -> Iterator[str]:
        return reversed(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


class LogState:
    """Lines in a file, rewritten at every seventh change; no mapping by its class, listed in another order each time.

    Versions are random tuples, ids of the history are texts, and a delete has one of its own. A refusal is False.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._changes = 0
        # By key: every change of it as (id, text or None, instant or None); the last one counts.
        self._log: dict[str, list[tuple[str, str | None, int | None]]] = {}
        self._snapshots: dict[str, dict[str, str]] = {}
        self._open = True
        if path.exists():
            for line in path.read_text("ascii").splitlines():
                self._replay(*json.loads(line))

    def _replay(self, kind: str, name: str, content: Any) -> None:
        if kind == "snapshot":
            self._snapshots[name] = content
        else:
            self._log.setdefault(name, []).append(tuple(content))

    def _append(self, kind: str, name: str, content: Any) -> None:
        self._replay(kind, name, content)
        with self._path.open("a", encoding="ascii") as file:
            file.write(json.dumps([kind, name, content]) + "\n")
        self._changes += 1
        if self._changes % 7 == 0:
            self.compact()

    def _last(self, key: str) -> tuple[str, str | None, int | None] | None:
        if not self._open:
            raise RuntimeError("closed")
        check_key(key)
        log = self._log.get(key)
        if not log or log[-1][1] is None:
            return None
        if log[-1][2] is not None and self._clock() >= log[-1][2]:
            self.apply(key, None, None)
            return None
        return log[-1]

    def text(self, key: str) -> str | None:
        """Return the text of a key."""
        last = self._last(key)
        return last and last[1]

    def apply(self, key: str, text: str | None, instant: int | None) -> tuple[str, ...]:
        """Write or delete, and return the new version."""
        number = secrets.token_hex(8)
        self._append("change", key, [number, text, instant])
        return ("version", number)

    def _present(self, key: str) -> tuple[str, str | None, int | None]:
        last = self._last(key)
        if last is None:
            raise AbsentError(key)
        return last

    def __getitem__(self, key: str) -> Any:
        return loads(str(self._present(key)[1]))

    def __setitem__(self, key: str, value: Any) -> None:
        self.set(key, value)

    def __delitem__(self, key: str) -> None:
        if self._last(key) is not None:
            self.apply(key, None, None)

    def __iter__(self) -> Iterator[str]:
        keys = list(self._log)
        return (key for key in random.sample(keys, len(keys)) if self._last(key) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def close(self) -> None:
        """Refuse everything from now on."""
        self._open = False

    def version(self, key: str) -> tuple[str, ...] | None:
        """Return a tuple that is made anew each time."""
        last = self._last(key)
        return None if last is None else ("version", last[0])

    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        """Write, or return False."""
        text = dumps(value)
        return self.apply(key, text, None) if self.version(key) == expected else False

    def transaction(self) -> Part:
        """Return what is both the context manager and the mapping."""
        return Part(self)

    def set(self, key: str, value: Any, *, ttl: int | None = None) -> None:
        """Write; a ttl is a whole number of seconds, of a hundred years at most."""
        text = dumps(value)
        self._last(key)
        if ttl is not None and (type(ttl) is not int or not 0 < ttl < 100 * 366 * 86_400):
            raise TypeError(f"bad ttl {ttl!r}")
        self.apply(key, text, None if ttl is None else int(self._clock()) + ttl)

    def expires_at(self, key: str) -> int | None:
        """Return whole seconds."""
        return self._present(key)[2]

    def versions(self, key: str, limit: int | None = None) -> Iterator[str]:
        """Give the ids one by one, those of deletes too."""
        yield from [number for number, _, _ in reversed(self._log.get(key, []))][:limit]

    def get_version(self, key: str, version: str) -> Any:
        """Return a value; a delete has none."""
        for number, text, _ in self._log.get(key, []):
            if number == version and text is not None:
                return loads(text)
        raise AbsentError(version)

    def save_snapshot(self, name: str) -> None:
        """Keep the state under a name of letters, digits and spaces."""
        if not name.replace(" ", "").isalnum():
            raise ValueError(f"bad name {name!r}")
        self._append("snapshot", name, {key: self.text(key) for key in self})

    def load_snapshot(self, name: str) -> Lazy:
        """Return a mapping that reads when it is asked."""
        if name not in self._snapshots:
            raise AbsentError(name)
        return Lazy(self._snapshots[name])

    def list_snapshots(self) -> set[str]:
        """Return a set."""
        return set(self._snapshots)

    def ping(self) -> str:
        """Return a text, or raise."""
        if not self._open:
            raise RuntimeError("closed")
        return "PONG"

    def stats(self) -> dict[str, Any]:
        """Return other numbers than that of the keys."""
        return {"bytes": self._path.stat().st_size if self._path.exists() else 0, "changes": [self._changes, None]}

    def compact(self) -> None:
        """Write the file anew, key by key."""
        lines = [["change", key, change] for key, log in self._log.items() for change in log]
        lines += [["snapshot", name, texts] for name, texts in self._snapshots.items()]
        self._path.write_text("".join(json.dumps(line) + "\n" for line in lines), "ascii")

    def verify(self) -> SimpleNamespace:
        """Report with attributes, on lines."""
        return SimpleNamespace(healthy=self._changes + len(self._log), damaged=(), when="now")


class AsyncDraft:
    """The mapping of a transaction of the async store."""

    def __init__(self, draft: Any) -> None:
        self._draft = draft

    async def __getitem__(self, key: str) -> Any:
        return self._draft[key]

    async def __setitem__(self, key: str, value: Any) -> None:
        self._draft[key] = value

    async def __delitem__(self, key: str) -> None:
        del self._draft[key]

    async def __contains__(self, key: str) -> bool:
        return key in self._draft

    async def __len__(self) -> int:
        return len(self._draft)

    async def __aiter__(self) -> AsyncIterator[str]:
        for key in self._draft:
            yield key


class AsyncState(AsyncDraft):
    """An honest store whose verbs are coroutines."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._state = CapableState(path, clock)
        super().__init__(self._state)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncDraft]:
        """Give an async mapping."""
        with self._state.transaction() as draft:
            yield AsyncDraft(draft)

    async def set(self, key: str, value: Any, ttl: float | None = None) -> None:
        """Write."""
        self._state.set(key, value, ttl=ttl)


def _awaited(name: str) -> Callable[..., Any]:
    async def verb(self: AsyncState, *args: Any, **options: Any) -> Any:
        return getattr(self._state, name)(*args, **options)

    return verb


for _name in (
    *("close", "version", "compare_and_set", "expires_at", "versions", "get_version", "save_snapshot"),
    *("load_snapshot", "list_snapshots", "ping", "stats", "flush", "compact", "verify"),
):
    setattr(AsyncState, _name, _awaited(_name))


ODD: list[Backend] = [
    capable("odd_log_state", LogState, errors={"missing": AbsentError}),
    capable("odd_async_state", AsyncState, errors={"conflict": ConflictError}),
]

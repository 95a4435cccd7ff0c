"""Odd but legal state stores: the checks must pass every one of them.

They list in another order each time, lazily; they compact at odd moments; they hand out copies whose dicts are in
another order; they refuse all that they may, and ignore the delete of a missing key.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import random
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
from anyio.lowlevel import checkpoint

from conformance import Backend, Where
from reference_backends._files import FileLock
from reference_backends._json import check_value

if TYPE_CHECKING:
    from pathlib import Path


class ClosedError(Exception):
    """The store is closed."""


class Codec(NamedTuple):
    """How values become texts, and what comes back."""

    encode: Callable[[Any], str]
    decode: Callable[[str], Any]


def _json_text(value: Any) -> str:
    """Refuse all that a store of JSON may refuse."""
    check_value(value)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(text.encode()) > 4 << 20:  # lone surrogates can't be encoded
        raise ValueError("the value is longer than 4 MiB")
    if _depth(value) > 100:
        raise ValueError("the value is nested more than 100 deep")
    return text


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level := [part for one in level if isinstance(one, (list, dict)) for part in _parts(one)]:
        depth += 1
    return depth


def _parts(value: Any) -> list[Any]:
    return list(value.values() if isinstance(value, dict) else value)


def _bytes_text(value: Any) -> str:
    if type(value) is not bytes:
        raise TypeError(f"a value is bytes, not {type(value).__name__}")
    return base64.b64encode(value).decode()


JSON = Codec(_json_text, lambda text: json.loads(text, object_pairs_hook=lambda pairs: dict(reversed(pairs))))
BYTES = Codec(_bytes_text, base64.b64decode)
PICKLE = Codec(
    lambda value: base64.b64encode(pickle.dumps(value)).decode(), lambda text: pickle.loads(base64.b64decode(text))
)


def check_key(key: Any) -> str:
    """Refuse every key that a store may refuse."""
    if type(key) is not str:
        raise TypeError(f"a key is a str, not {type(key).__name__}")
    if not key or "\0" in key or len(key.encode()) > 255:  # lone surrogates can't be encoded
        raise ValueError("a key has 1 to 255 bytes of UTF-8, and no NUL")
    return key


class Texts(MutableMapping[str, Any]):
    """The verbs; where the texts are kept is the matter of the stores below."""

    def __init__(self, codec: Codec = JSON) -> None:
        self.codec = codec
        self.texts: dict[str, str] = {}
        self._random = random.Random(0)

    def __getitem__(self, key: str) -> Any:
        check_key(key)
        with self.held():
            return self.codec.decode(self.texts[key])

    def __setitem__(self, key: str, value: Any) -> None:
        check_key(key)
        text = self.codec.encode(value)
        with self.held():
            self.write(key, text)

    def __delitem__(self, key: str) -> None:
        check_key(key)
        with self.held():
            if key in self.texts:
                self.write(key, None)

    def __iter__(self) -> Iterator[str]:
        with self.held():
            keys = list(self.texts)
        self._random.shuffle(keys)
        return self._still_present(keys)

    def _still_present(self, keys: list[str]) -> Iterator[str]:
        for key in keys:
            if key in self:
                yield key

    def __len__(self) -> int:
        with self.held():
            return len(self.texts)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have the texts up to date, and nobody else in between."""
        yield

    @abstractmethod
    def write(self, key: str, text: str | None) -> None:
        """Write a text, or delete a key where the text is None."""

    def apply(self, key: str, text: str | None) -> None:
        """Do the same in memory only."""
        if text is None:
            del self.texts[key]
        else:
            self.texts[key] = text


class OddState(Texts):
    """A journal that any number of handles append to; whoever makes its seventh write rewrites the file."""

    def __init__(self, path: Path, codec: Codec = JSON) -> None:
        super().__init__(codec)
        self._path = path
        self._lock = FileLock(path.with_suffix(".lock"))
        self._read: tuple[bytes, int] = (b"", 0)
        self._writes = 0
        self.closed = False
        with self._lock.held(exclusive=True):
            if not path.exists():
                path.write_bytes(b"1\n")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Lock the file, and read what others have written."""
        if self.closed:
            raise ClosedError("the store is closed")
        with self._lock.held(exclusive=True):
            self._catch_up()
            yield

    def _catch_up(self) -> None:
        with self._path.open("rb") as file:
            edition, place = self._read
            if file.readline() != edition:
                self.forget()
                file.seek(0)
                edition, place = file.readline(), file.tell()
            file.seek(place)
            for line in file:
                self.apply(*json.loads(line))
            self._read = (edition, file.tell())

    def forget(self) -> None:
        """Empty the memory; the file was rewritten."""
        self.texts.clear()

    def write(self, key: str, text: str | None) -> None:
        """Append a record; now and then rewrite them all."""
        with self._path.open("ab") as file:
            file.write(_line(key, text))
        self._writes += 1
        if self._writes % 7 == 0:
            self._catch_up()
            self._rewrite()

    def _rewrite(self) -> None:
        new = self._path.with_suffix(".new")
        header = b"%d\n" % (int(self._read[0]) + 1)
        new.write_bytes(header + b"".join(_line(*record) for record in self.records()))
        os.replace(new, self._path)

    def records(self) -> list[tuple[str, str]]:
        """Return what the file must hold."""
        return list(self.texts.items())

    def close(self) -> None:
        """Refuse everything from now on."""
        self.closed = True


def _line(key: str, text: str | None) -> bytes:
    return json.dumps([key, text]).encode() + b"\n"


class OddBoth(OddState):
    """The same with a log beside the state: its events are records without a key."""

    def __init__(self, path: Path) -> None:
        self._events: list[str] = []
        super().__init__(path)

    def apply(self, key: str, text: str | None) -> None:
        """Take an event too."""
        if key:
            super().apply(key, text)
        else:
            self._events.append(text or "")

    def forget(self) -> None:
        """Empty the memory."""
        super().forget()
        self._events.clear()

    def records(self) -> list[tuple[str, str]]:
        """Return the state, and the events after it."""
        return super().records() + [("", text) for text in self._events]

    def append(self, event: Any) -> int:
        """Append an event, and return its position."""
        text = self.codec.encode(event)
        with self.held():
            position = len(self._events) + 1
            self.write("", text)
            return position

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        """Give events, read one by one."""
        position = max(start, 1)
        while stop is None or position < stop:
            with self.held():
                if position > len(self._events):
                    return
                text = self._events[position - 1]
            yield position, self.codec.decode(text)
            position += 1

    @property
    def head(self) -> int:
        """The position of the last event."""
        with self.held():
            return len(self._events)


class AsyncState:
    """A store with `async def` verbs, made of one without."""

    def __init__(self, store: Any) -> None:
        self._store = store

    async def __getitem__(self, key: str) -> Any:
        await checkpoint()
        return self._store[key]

    async def __setitem__(self, key: str, value: Any) -> None:
        await checkpoint()
        self._store[key] = value

    async def __delitem__(self, key: str) -> None:
        await checkpoint()
        del self._store[key]

    async def __contains__(self, key: str) -> bool:
        await checkpoint()
        return key in self._store

    async def __len__(self) -> int:
        await checkpoint()
        return len(self._store)

    async def __aiter__(self) -> AsyncIterator[str]:
        for key in self._store:
            await checkpoint()
            yield key

    async def close(self) -> None:
        """Refuse everything from now on."""
        await checkpoint()
        self._store.close()


class SavedByFlush(Texts):
    """Writes last once they were flushed; `close` forgets the others."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.texts.update(_loaded(path))

    def write(self, key: str, text: str | None) -> None:
        """Write into memory."""
        self.apply(key, text)

    def flush(self) -> None:
        """Write the file."""
        self._path.write_text(json.dumps(self.texts), encoding="utf-8")

    def close(self) -> None:
        """Go back to what was flushed; the store stays usable."""
        self.texts = _loaded(self._path)


class SavedAtTheEnd(Texts):
    """Has no `close()`: whoever lends it out saves it."""

    def write(self, key: str, text: str | None) -> None:
        """Write into memory."""
        self.apply(key, text)


def _loaded(path: Path) -> dict[str, str]:
    texts: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return texts


def open_odd(where: Where) -> OddState:
    """Open the journal."""
    return OddState(where.path / "journal")


def open_bytes(where: Where) -> OddState:
    """Open the journal, for bytes."""
    return OddState(where.path / "journal", BYTES)


def open_pickle(where: Where) -> OddState:
    """Open the journal, for what can be pickled."""
    return OddState(where.path / "journal", PICKLE)


def open_both(where: Where) -> OddBoth:
    """Open the journal with events in it."""
    return OddBoth(where.path / "journal")


async def open_async(where: Where) -> AsyncState:
    """Open the async store."""
    await checkpoint()
    return AsyncState(OddState(where.path / "journal"))


@asynccontextmanager
async def lend_async(where: Where) -> AsyncIterator[AsyncState]:
    """Open the async store for a block, beside a task of its own."""
    store = AsyncState(OddState(where.path / "journal"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep_forever)
        try:
            yield store
        finally:
            tasks.cancel_scope.cancel()


@contextmanager
def lend(where: Where) -> Iterator[SavedAtTheEnd]:
    """Open a store for a block, and save it at its end."""
    path = where.path / "saved"
    store = SavedAtTheEnd()
    store.texts.update(_loaded(path))
    try:
        yield store
    finally:
        path.write_text(json.dumps(store.texts), encoding="utf-8")


def open_flushed(where: Where) -> SavedByFlush:
    """Open the store that must be flushed."""
    return SavedByFlush(where.path / "flushed")


#: What the journal promises: nobody guards it against a crash or damage.
SHARED: dict[str, Any] = {"durability": "clean-close", "sharing": "processes", "corruption": "silent"}
ALONE: dict[str, Any] = {**SHARED, "sharing": "single"}

odd = Backend("odd_state", state=open_odd, **SHARED)
odd_bytes = Backend("odd_state_bytes", state=open_bytes, values="bytes", **SHARED)
odd_pickle = Backend("odd_state_pickle", state=open_pickle, values="pickle", **SHARED)
odd_both = Backend("odd_state_and_log", state=open_both, log=open_both, **SHARED)
odd_async = Backend("odd_state_async", state=open_async, **SHARED)
odd_async_lent = Backend("odd_state_async_lent", state=lend_async, **SHARED)
odd_lent = Backend("odd_state_lent", state=lend, **ALONE)
odd_flushed = Backend("odd_state_flushed", state=open_flushed, flush=SavedByFlush.flush, **ALONE)

#: By their addresses, so that other processes open them too.
ADDRESSES = ("odd", "odd_bytes", "odd_pickle", "odd_both", "odd_async", "odd_async_lent", "odd_lent", "odd_flushed")
ODD = [replace(globals()[name], address=f"{__name__}:{name}") for name in ADDRESSES]

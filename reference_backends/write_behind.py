"""Writes that wait in a queue, over any `state` store: acknowledged when they are flushed, or at once.

    store = WriteBehindState(FileState(path), mode="async", capacity=100, when_full="block")
    store["plan"] = "first"     # is queued, and read from the queue
    store.flush()               # is in the store underneath, or this raises

A background thread writes in the order of the queue. When a write fails it writes no more: what is queued behind it is
dropped, so that the store underneath has no write without those before it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any

from conformance import Backend, Where
from reference_backends._json import check_key, dumps, loads
from reference_backends.file import CorruptDocument, FileState

__all__ = [
    "QueueFull",
    "WriteBehindError",
    "WriteBehindState",
    "asynchronous",
    "open_async",
    "open_sync",
    "synchronous",
]

MODES = ("sync", "async")
WHEN_FULL = ("block", "refuse")


class QueueFull(Exception):
    """As many writes are queued as may be; this one was not."""


class WriteBehindError(Exception):
    """A write in the background failed, and those behind it were dropped.

    Args:
        key: The key that it was about.
        dropped: The keys of the writes behind it, in their order.
    """

    def __init__(self, key: str, dropped: tuple[str, ...]) -> None:
        super().__init__(key, dropped)
        self.key = key
        self.dropped = dropped

    def __str__(self) -> str:
        return f"The write of {self.key!r} failed, {len(self.dropped)} behind it were dropped; open the store again."


class WriteBehindState(MutableMapping[str, Any]):
    """A state store that writes to another one, which belongs to this one from then on.

    What is flushed is as durable as the store underneath makes it. For any number of threads; in the mode `async`,
    other handles see what is flushed. Reads see what is queued. After a write failed in the background, `flush` and
    every write raise WriteBehindError, and reads give what the store underneath has.

    Args:
        store: Where values are kept.
        mode: `sync`: a write returns when the store underneath has it. `async`: when it is queued.
        capacity: How many writes may be queued.
        when_full: `block`: a write waits until there is room. `refuse`: it raises QueueFull.
        on_error: Called once, in the background thread, with the WriteBehindError whose cause is what was raised.

    Raises:
        ValueError: The mode, the capacity or `when_full` is none of these.
    """

    def __init__(
        self,
        store: MutableMapping[str, Any],
        *,
        mode: str = "async",
        capacity: int = 1_000,
        when_full: str = "block",
        on_error: Callable[[WriteBehindError], object] | None = None,
    ) -> None:
        if mode not in MODES or when_full not in WHEN_FULL or capacity < 1:
            raise ValueError(
                f"mode={mode!r}, when_full={when_full!r}, capacity={capacity!r}: give a mode of {', '.join(MODES)}, "
                f"one of {', '.join(WHEN_FULL)}, and a positive number."
            )
        self._store: Any = store
        self._mode = mode
        self._capacity = capacity
        self._when_full = when_full
        self._on_error = on_error
        # Every change of the fields below is told to all who wait for one.
        self._changed = threading.Condition()
        self._queue: deque[tuple[int, str, str | None]] = deque()  # number, key, and JSON text; None for a delete
        self._newest: dict[str, tuple[int, str | None]] = {}  # of each key that is queued
        self._count = 0
        self._error: WriteBehindError | None = None
        self._told = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def __getitem__(self, key: str) -> Any:
        check_key(key)
        with self._open():
            queued = self._newest.get(key)
        if queued is None:
            return self._store[key]
        if queued[1] is None:
            raise KeyError(key)
        return loads(queued[1])

    def __setitem__(self, key: str, value: Any) -> None:
        check_key(key)
        text = dumps(value)
        with self._room():
            self._write(key, text)

    def __delitem__(self, key: str) -> None:
        check_key(key)
        with self._room():
            if key not in self:
                raise KeyError(key)
            self._write(key, None)

    def __contains__(self, key: object) -> bool:
        check_key(key)
        with self._open():
            queued = self._newest.get(str(key))
        return key in self._store if queued is None else queued[1] is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys())

    def __len__(self) -> int:
        return len(self._keys())

    # MutableMapping makes these of two verbs. Nobody comes in between, for there is room before they begin.

    def pop(self, key: str, *default: Any) -> Any:
        """Remove `key` and return its value; return the default, where one is given, when it is missing."""
        with self._room():
            return super().pop(key, *default)

    def popitem(self) -> tuple[str, Any]:
        """Remove some key and return it with its value; raise KeyError when there is none."""
        with self._room():
            return super().popitem()

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; write `default` first when it is missing."""
        with self._room():
            return super().setdefault(key, default)

    def flush(self) -> None:
        """Return when all that was written before is in the store underneath.

        Raises:
            WriteBehindError: Some of it is not, and will not be.
        """
        with self._open():
            target = self._count
            self._changed.wait_for(lambda: not self._queue or self._queue[0][0] > target)
            self._refuse_failed()
        if hasattr(self._store, "flush"):
            self._store.flush()

    def close(self) -> None:
        """Write what is queued, and close the store underneath. Harmless when repeated.

        Raises:
            WriteBehindError: A write failed, and nobody has been told yet; the store is closed all the same.
        """
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._store.close()
        if not self._told:
            self._refuse_failed()

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._changed:
            if self._closed:
                raise ValueError("The store is closed.")
            yield

    @contextmanager
    def _room(self) -> Iterator[None]:
        """Keep other threads out, once there is room for a write."""
        with self._open():
            while len(self._queue) >= self._capacity:
                if self._when_full == "refuse":
                    raise QueueFull(f"{len(self._queue)} writes are queued, which is the capacity.")
                self._changed.wait()
                if self._closed:
                    raise ValueError("The store was closed while the write waited for room.")
            self._refuse_failed()
            yield

    def _refuse_failed(self) -> None:
        if self._error is not None:
            self._told = True
            raise WriteBehindError(self._error.key, self._error.dropped) from self._error.__cause__

    def _keys(self) -> list[str]:
        with self._open():
            # What is written meanwhile is in the queue until it is done, so that it is in neither list by half.
            gone = {key for key, (_, text) in self._newest.items() if text is None}
            return [key for key in dict.fromkeys([*self._store, *self._newest]) if key not in gone]

    def _write(self, key: str, text: str | None) -> None:
        if self._mode == "sync":
            self._pass_on(key, text)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="write-behind", daemon=True)
            self._thread.start()
        self._count += 1
        self._queue.append((self._count, key, text))
        self._newest[key] = (self._count, text)
        self._changed.notify_all()

    def _pass_on(self, key: str, text: str | None) -> None:
        if text is None:
            del self._store[key]
        else:
            self._store[key] = loads(text)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return
                number, key, text = self._queue[0]
            try:
                self._pass_on(key, text)
            except Exception as error:  # noqa: BLE001 (whatever it is, nobody else would hear of it)
                self._fail(key, error)
                return
            with self._changed:
                self._queue.popleft()
                if self._newest[key][0] == number:
                    del self._newest[key]
                self._changed.notify_all()

    def _fail(self, key: str, error: Exception) -> None:
        with self._changed:
            self._error = WriteBehindError(key, tuple(behind for _, behind, _ in list(self._queue)[1:]))
            self._error.__cause__ = error
            self._queue.clear()
            self._newest.clear()
            self._changed.notify_all()
        if self._on_error is not None:
            with suppress(Exception):  # the next flush tells it as well
                self._on_error(self._error)


def open_async(where: Where) -> WriteBehindState:
    """Open the state store in the directory of `where`, over files; a write is acknowledged by the next flush."""
    return WriteBehindState(FileState(where.path / "behind"))


def open_sync(where: Where) -> WriteBehindState:
    """Open the state store in the directory of `where`, over files; a write is acknowledged when it returns."""
    return WriteBehindState(FileState(where.path / "behind"), mode="sync")


_LACKS = {
    "cas": "what is queued has no version yet",
    "transactions": "one value is written at a time; there is no moment at which several are",
    "ttl": "nothing looks at the clock",
    "history": "ask the store underneath",
    "snapshots": "flush, and ask the store underneath",
    "health": "ask the store underneath",
}

asynchronous = Backend(
    "write-behind",
    state=open_async,
    corruption="isolates",
    lacks={**_LACKS, "processes": "what is queued is seen by its own handle alone"},
    errors={"corrupt": CorruptDocument},
    flush=WriteBehindState.flush,
)
synchronous = Backend(
    "write-behind-sync", state=open_sync, corruption="isolates", lacks=_LACKS, errors={"corrupt": CorruptDocument}
)

"""The log half of the `memory` backend."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reference_backends._errors import ConflictError
from reference_backends._json import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class MemoryLog:
    """A `log` store in memory, for any number of threads.

    Every verb raises ValueError once the log is closed, and TypeError or ValueError for an event that JSON would alter.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []  # the events left, as JSON, the one at `_first` first
        self._first = 1
        self._checkpoint: tuple[str, int] | None = None
        self._closed = False
        self._lock = threading.RLock()

    @property
    def head(self) -> int:
        """The position of the last event; 0 when there never was one."""
        with self._open():
            return self._first + len(self._texts) - 1

    @property
    def first(self) -> int:
        """The position of the first event that compaction left; `head + 1` when it left none."""
        with self._open():
            return self._first

    def append(self, event: Any, expected: int | None = None) -> int:
        """Append `event` and return its position.

        Args:
            event: A JSON value.
            expected: Append only if this is the head; None to append whatever the head is.

        Raises:
            ConflictError: The head is another one.
        """
        text = dumps(event)
        with self._open():
            if expected is not None and expected != self.head:
                raise ConflictError(f"The head is {self.head}, not {expected}.")
            self._texts.append(text)
            return self.head

    def append_batch(self, events: Iterable[Any]) -> list[int]:
        """Append all `events`, or none when one of them is refused, and return their positions."""
        texts = [dumps(event) for event in events]
        with self._open():
            before = self.head
            self._texts.extend(texts)
            return list(range(before + 1, self.head + 1))

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        """Give the events from `start` on with their positions, as they were at the call.

        Args:
            start: The first position wanted. Where compaction has taken it, reading begins with the first event left.
            stop: The position to stop before; None for the head at the call, that one included.
        """
        with self._open():
            start = max(start, self._first)
            stop = self.head + 1 if stop is None else stop
            texts = self._texts[start - self._first : max(stop - self._first, 0)]
        return ((position, loads(text)) for position, text in enumerate(texts, start))

    def checkpoint(self, state: Any, upto: int) -> None:
        """Keep the state that the events up to and including `upto` fold to, instead of an older checkpoint.

        Raises:
            ValueError: `upto` is ahead of the head, or so far back that events behind it are missing.
        """
        text = dumps(state)
        with self._open():
            if not self._first - 1 <= upto <= self.head:
                raise ValueError(f"A checkpoint is possible from {self._first - 1} to {self.head}, not at {upto}.")
            self._checkpoint = (text, upto)

    def latest_checkpoint(self) -> tuple[Any, int] | None:
        """Return the state and the position of the newest checkpoint; None when there is none."""
        with self._open():
            if self._checkpoint is None:
                return None
            text, upto = self._checkpoint
            return loads(text), upto

    def compact(self, upto: int) -> None:
        """Drop the events up to and including `upto`. Positions stay as they are, and are never given again.

        Raises:
            ValueError: No checkpoint has what would be dropped.
        """
        with self._open():
            covered = 0 if self._checkpoint is None else self._checkpoint[1]
            if upto > covered:
                raise ValueError(f"The latest checkpoint is at {covered}: the events after it cannot be dropped.")
            dropped = max(upto - self._first + 1, 0)
            del self._texts[:dropped]
            self._first += dropped

    def flush(self) -> None:
        """Do nothing: an event is as lasting as it will ever be when its append returns."""
        with self._open():
            pass

    def verify(self) -> dict[str, Any]:
        """Return how many events are `healthy`, and none that are `damaged`: memory is believed."""
        with self._open():
            return {"healthy": len(self._texts), "damaged": []}

    def close(self) -> None:
        """Forget everything. Harmless when repeated."""
        with self._lock:
            self._closed = True
            self._texts.clear()

    @contextmanager
    def _open(self) -> Iterator[None]:
        """Keep other threads out of a block, and refuse when the log is closed."""
        with self._lock:
            if self._closed:
                raise ValueError("The log is closed.")
            yield

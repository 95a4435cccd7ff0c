"""Odd but legal logs: the checks must pass every one of them."""

from __future__ import annotations

import pickle
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from tests.mutants.log_base import PlainLog, backend


class Entry(NamedTuple):
    """An entry as a log may give it."""

    at: int
    event: Any


class LazyLog(PlainLog):
    """Reads lazily, compacts itself when it is given a checkpoint, and refuses without an exception where it may."""

    def append(self, event: Any, expected: int | None = None) -> Any:
        """Append, or return False."""
        text = self.encode(event)
        with self.writing():
            if expected is not None and expected != self.head:
                return False
            return self.insert([text])[0]

    def append_batch(self, events: list[Any]) -> Any:
        """Append events; the positions come as a tuple, none for an empty batch."""
        return tuple(super().append_batch(events)) if events else None

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[Entry]:
        """Give entries one by one, each from a query of its own; raise below `first`."""
        position = start
        while position <= self.head and (stop is None or position < stop):
            if position < self.first:
                raise LookupError(f"the events before {self.first} were compacted")
            ((text,),) = self.rows("SELECT event FROM log WHERE position = ?", position)
            yield Entry(position, self.decode(text))
            position += 1

    def checkpoint(self, state: Any, upto: int) -> None:
        """Keep a state, and drop at once what it covers."""
        super().checkpoint(state, upto)
        super().compact(upto)

    def latest_checkpoint(self) -> Any:
        """Return the pair as a list."""
        found = super().latest_checkpoint()
        return found and list(found)

    def compact(self, upto: int) -> None:
        """Refuse what is done already, and what no checkpoint covers."""
        if upto < self.first - 1 or upto > self.fact("upto", 0):
            raise ValueError(f"can't compact up to {upto}: {self.first} is the first event left")

    def verify(self) -> Any:
        """Report with attributes."""
        return SimpleNamespace(**super().verify())


class BufferedLog(PlainLog):
    """Keeps appends back until `flush`, or `close`; takes appends after `close`, by opening itself again."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.pending: list[str] = []

    @property
    def head(self) -> int:
        """The position of the last event, the pending ones included."""
        with self.threads:
            return super().head + len(self.pending)

    def insert(self, texts: list[Any]) -> list[int]:
        """Keep stored forms back."""
        before = self.head
        self.pending += texts
        return list(range(before + 1, self.head + 1))

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        """Give the pending entries after the others."""
        with self.threads:
            written = super().read(start, stop)
            first = super().head + 1
            pending = [(position, self.decode(text)) for position, text in enumerate(self.pending, first)]
        return written + [(p, e) for p, e in pending if p >= start and (stop is None or p < stop)]

    def checkpoint(self, state: Any, upto: int) -> None:
        """Write what is pending first."""
        self.flush()
        super().checkpoint(state, upto)

    def flush(self) -> None:
        """Write what is pending."""
        with self.threads:
            texts, self.pending = self.pending, []
            if texts:
                with self.writing():
                    super().insert(texts)

    def close(self) -> None:
        """Write what is pending, and let the file go."""
        self.flush()
        super().close()


class BytesLog(PlainLog):
    """Takes bytes and nothing else, states included."""

    def encode(self, event: Any) -> Any:
        """Refuse all but bytes."""
        if type(event) is not bytes:
            raise TypeError(f"an event is bytes, not {type(event).__name__}")
        return event

    def decode(self, text: Any) -> Any:
        """Return the bytes."""
        return bytes(text)


class PickleLog(PlainLog):
    """Takes whatever can be pickled."""

    def encode(self, event: Any) -> Any:
        """Pickle."""
        return pickle.dumps(event)

    def decode(self, text: Any) -> Any:
        """Unpickle."""
        return pickle.loads(text)


class AsyncLog:
    """A log whose verbs are coroutines, with no capability at all."""

    def __init__(self, path: Path) -> None:
        self._log = PlainLog(path)

    async def append(self, event: Any) -> int:
        """Append an event."""
        position: int = self._log.append(event)
        return position

    async def read(self, start: int = 1, stop: int | None = None) -> AsyncIterator[list[Any]]:
        """Give entries as lists."""
        for position, event in self._log.read(start, stop):
            yield [position, event]

    async def head(self) -> int:
        """Return the position of the last event."""
        return self._log.head

    async def close(self) -> None:
        """Close the file."""
        self._log.close()


class SessionLog:
    """A log in memory that keeps anything, the very unstorable included, as a copy where that is possible."""

    def __init__(self, path: Path) -> None:
        self._events: list[Any] = []
        self._lock = threading.Lock()

    @property
    def head(self) -> int:
        """The position of the last event."""
        return len(self._events)

    def append(self, event: Any) -> int:
        """Append an event."""
        with self._lock:
            self._events.append(_copied(event))
            return len(self._events)

    def append_batch(self, events: list[Any]) -> list[int]:
        """Append events."""
        return [self.append(event) for event in events]

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        """Give copies."""
        end = len(self._events) + 1 if stop is None else min(stop, len(self._events) + 1)
        return ((position, _copied(self._events[position - 1])) for position in range(start, end))


def _copied(event: Any) -> Any:
    if type(event) is list:
        return [_copied(item) for item in event]
    return {key: _copied(value) for key, value in event.items()} if type(event) is dict else event


def changing_its_state(state: Any, event: Any) -> Any:
    """Fold into the very state that is given, and change the event, which is the fold's own."""
    state = [] if state is None else state
    if isinstance(event, dict):
        event["folded"] = True
    state.append(event)
    return state


def with_python_types(state: Any, event: Any) -> Any:
    """Fold into a state of sets, tuples and keys that are no texts; their order is not part of them."""
    state = state or {"count": Counter(), "seen": set(), 0: (), None: Decimal(0)}
    state["count"][str(event.get("key"))] += 1
    state["seen"].add(str(event.get("key")))
    state[0] = (*state[0][-3:], event.get("at"))
    state[None] += 1
    return state


ODD = [
    backend("odd_log_lazy", LazyLog, fold=changing_its_state),
    backend("odd_log_buffered", BufferedLog, flush=BufferedLog.flush, sharing="threads"),
    backend("odd_log_of_bytes", BytesLog, values="bytes"),
    backend("odd_log_of_pickles", PickleLog, values="pickle", fold=with_python_types),
    backend("odd_log_async", AsyncLog),
    backend("odd_log_in_memory", SessionLog, durability="volatile", sharing="threads", values="pickle"),
]

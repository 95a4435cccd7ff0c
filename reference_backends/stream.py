"""A `state` store folded from a log, any one that has `expected`: the state after each event can be asked for.

    store = StreamState(WalLog(path))
    store["plan"] = "first"     # event 1
    store["plan"] = "second"    # event 2
    store.at(1)                 # {"plan": "first"}

Every change is an event, `{"set": key, "value": value}` or `{"delete": key}`, and the version of a key is the position
of the event that set it. The head that was folded is remembered: each verb first takes over what was appended since, by
whoever has the log open.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol

from conformance import Backend, Where
from reference_backends._errors import ConflictError
from reference_backends._json import check_key, dumps, loads
from reference_backends.wal import CorruptLog, WalLog

__all__ = ["ConflictError", "CorruptLog", "StreamState", "backend", "open_state"]


class _Log(Protocol):
    @property
    def head(self) -> int: ...

    def append(self, event: Any, expected: int | None = None) -> int: ...

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]: ...

    def close(self) -> None: ...


class StreamState(MutableMapping[str, Any]):
    """A mapping whose every change is an event of a log, which belongs to it from then on and is never compacted.

    As durable and as shared as the log; the whole state is in memory. Every verb raises what the log does: one event
    that can't be read keeps all reads from being answered, for it may have changed any key.

    Args:
        log: An open log of events of such a state. It is closed with the state.
    """

    def __init__(self, log: _Log) -> None:
        self._log = log
        self._lock = threading.RLock()
        self._head = 0
        self._present: dict[str, tuple[int, str]] = {}  # of each key, the position that set it, and the JSON text
        self._history: dict[str, list[int]] = {}

    def __getitem__(self, key: str) -> Any:
        check_key(key)
        with self._folded():
            return loads(self._present[key][1])

    def __setitem__(self, key: str, value: Any) -> None:
        check_key(key)
        self._log.append({"set": key, "value": value})

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def __contains__(self, key: object) -> bool:
        check_key(key)
        with self._folded():
            return key in self._present

    def __iter__(self) -> Iterator[str]:
        with self._folded():
            return iter(list(self._present))

    def __len__(self) -> int:
        with self._folded():
            return len(self._present)

    # MutableMapping makes these of two verbs; here nothing may be appended in between.

    def pop(self, key: str, *default: Any) -> Any:
        """Remove `key` and return its value; return the default, where one is given, when it is missing."""
        check_key(key)
        while True:
            with self._folded() as head:
                _, text = self._present.get(key, (0, None))
            if text is None:
                if default:
                    return default[0]
                raise KeyError(key)
            try:
                self._log.append({"delete": key}, expected=head)
            except ConflictError:
                continue  # something was appended, perhaps about another key
            return loads(text)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; write `default` first when it is missing."""
        while key not in self:
            try:
                self.compare_and_set(key, default, None)
            except ConflictError:
                continue
            return loads(dumps(default))
        return self[key]

    # cas

    def version(self, key: str) -> int | None:
        """Return the position of the event that set `key`, None when it is missing. It never comes again."""
        check_key(key)
        with self._folded():
            return self._present.get(key, (None, ""))[0]

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write `value` only if the version of `key` is `expected` (None: it is missing), and return the new version.

        Raises:
            ConflictError: The version is another one.
        """
        check_key(key)
        while True:
            with self._folded() as head:
                version, _ = self._present.get(key, (None, ""))
            if version != expected or isinstance(expected, bool):
                raise ConflictError(f"The version of {key!r} is {version}, not {expected}.")
            try:
                return self._log.append({"set": key, "value": value}, expected=head)
            except ConflictError:
                continue  # something was appended, perhaps about another key

    # time travel and history

    @property
    def head(self) -> int:
        """The number of events so far."""
        return self._log.head

    def at(self, position: int) -> dict[str, Any]:
        """Return the state after the event at `position`; after none of them for 0.

        Raises:
            ValueError: There is no such event.
        """
        if isinstance(position, bool) or not 0 <= position <= self.head:
            raise ValueError(f"position={position!r} is not between 0 and the head, {self.head}.")
        state: dict[str, Any] = {}
        for _, event in self._log.read(1, position + 1):
            if "set" in event:
                state[event["set"]] = event["value"]
            else:
                state.pop(event["delete"], None)
        return state

    def versions(self, key: str, limit: int | None = None) -> list[int]:
        """Return the versions that `key` ever had, newest first, at most `limit`; `[]` for a key never written."""
        check_key(key)
        with self._folded():
            return list(islice(reversed(self._history.get(key, [])), limit))

    def get_version(self, key: str, version: int) -> Any:
        """Return the value that the event at `version` gave to `key`; raise KeyError when that is no such event."""
        if version not in self.versions(key):
            raise KeyError(version)
        ((_, event),) = self._log.read(version, version + 1)
        return event["value"]

    def close(self) -> None:
        """Close the log. Harmless when repeated."""
        self._log.close()

    @contextmanager
    def _folded(self) -> Iterator[int]:
        """Fold what was appended since the last call, and give the head; other threads wait for the block to end."""
        with self._lock:
            head = self._log.head
            if head > self._head:
                for position, event in self._log.read(self._head + 1, head + 1):
                    self._fold(position, event)
                    self._head = position  # after each one, for the next may be damaged
            yield head

    def _fold(self, position: int, event: dict[str, Any]) -> None:
        if "set" in event:
            self._present[event["set"]] = (position, dumps(event["value"]))
            self._history.setdefault(event["set"], []).append(position)
        else:
            self._present.pop(event["delete"], None)


def open_state(where: Where) -> StreamState:
    """Open the state store in the directory of `where`, folded from a write-ahead log."""
    return StreamState(WalLog(where.path / "stream"))


backend = Backend(
    "state-stream",
    state=open_state,
    lacks={
        "transactions": "an event is about one key",
        "ttl": "a log has no clock; put the time into the value",
        "snapshots": "`at(position)` gives the state of any moment",
        "health": "ask the log underneath",
        "maintenance": "nothing may be dropped; verify the log underneath",
    },
    errors={"conflict": ConflictError, "corrupt": CorruptLog},
)

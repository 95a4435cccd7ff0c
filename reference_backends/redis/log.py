"""The `log` store, for threads and processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from reference_backends._errors import Report
from reference_backends.redis import log_programs as programs
from reference_backends.redis.connections import Connections
from reference_backends.redis.place import Place


class RedisLog:
    """A `log` store on a Redis server, for any number of threads and processes.

    Every verb raises ValueError once the log is closed, `NotReachedError` or `NotAnsweredError` when the server can't
    be asked, and CorruptRecord when what it needs is damaged.

    Args:
        url: Of the server.
        namespace: What no other log on the server is called.

    Raises:
        NotReachedError: There is no server.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self._place = Place(namespace)
        self._connections = Connections(url)
        self._run = self._connections.run
        self._run(programs.ends(self._place))  # a wrong URL shows here, and not in the first call that matters

    def close(self) -> None:
        """Close the connections. Harmless when repeated."""
        self._connections.close()

    @property
    def head(self) -> int:
        """The position of the last event; 0 when there never was one."""
        return self._run(programs.ends(self._place))[0]

    @property
    def first(self) -> int:
        """The position of the first event that compaction left; `head + 1` when it left none."""
        return self._run(programs.ends(self._place))[1]

    def append(self, event: Any, expected: int | None = None) -> int:
        """Append `event` and return its position.

        Args:
            event: A JSON value.
            expected: Append only if this is the head; None to append whatever the head is.

        Raises:
            ConflictError: The head is another one.
            NotAnsweredError: The event may be there or not. `expected` tells: after one more `append` with the head
                before, it is there once.
        """
        return self._run(programs.append(self._place, [event], expected))[0]

    def append_batch(self, events: Iterable[Any]) -> list[int]:
        """Append all `events`, or none when one of them is refused, and return their positions."""
        self._connections.refuse_closed()  # also for no events
        return self._run(programs.append(self._place, list(events)))

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        """Give the events from `start` on with their positions, up to the head at the time of the call.

        Args:
            start: The first position wanted. Where compaction has taken it, reading begins with the first event left.
            stop: The position to stop before; None for the head, that one included.

        Raises:
            CorruptRecord: An event is damaged or lost; raised when it is reached, behind the intact ones.
            LookupError: A compaction took events that this read had not reached yet.
        """
        return self._read(*self._run(programs.window(self._place, start, stop)))

    def checkpoint(self, state: Any, upto: int) -> None:
        """Keep the state that the events up to and including `upto` fold to, instead of the checkpoint before.

        Raises:
            ValueError: `upto` is ahead of the head, or so far back that events behind it are missing.
        """
        self._run(programs.checkpoint(self._place, state, upto))

    def latest_checkpoint(self) -> tuple[Any, int] | None:
        """Return the state and the position of the newest checkpoint; None when there is none."""
        return self._run(programs.latest_checkpoint(self._place))

    def compact(self, upto: int) -> None:
        """Drop the events up to and including `upto`. Positions stay as they are, and are never given again.

        Raises:
            ValueError: No checkpoint has what would be dropped.
        """
        self._run(programs.compact(self._place, upto))

    def flush(self) -> None:
        """Do nothing: an event is as lasting as the server will make it when its append returns."""
        self._connections.refuse_closed()

    def verify(self) -> Report:
        """Read everything, and return how many events are whole and what is damaged."""
        return self._run(programs.verify(self._place))

    def _read(self, start: int, stop: int) -> Iterator[tuple[int, Any]]:
        while start < stop:
            page = self._run(programs.page(self._place, start, stop))
            yield from page
            start += len(page)

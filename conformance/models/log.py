"""The oracle of the `log` contract: the rule book written out as the least code that obeys it."""

from __future__ import annotations

from typing import Any


class RefusedError(Exception):
    """The contract wants this call to be refused loudly; nothing was changed."""


class LogModel:
    """What a log must show after each call. Events are not copied: don't change them.

    Attributes:
        events: All events that were ever appended, the compacted ones included; the fold of them is what counts.
        first: The position of the first event left. A store may have compacted more, up to its latest checkpoint.
        checkpointed: The state and the position of the newest checkpoint.
    """

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.first = 1
        self.checkpointed: tuple[Any, int] | None = None

    @property
    def head(self) -> int:
        """The position of the last event, 0 when there never was one."""
        return len(self.events)

    @property
    def covered(self) -> int:
        """The position of the newest checkpoint, 0 when there is none."""
        return self.checkpointed[1] if self.checkpointed else 0

    def append(self, event: Any, expected: int | None = None) -> int:
        """Append an event and return its position.

        Raises:
            RefusedError: The head is not the expected one.
        """
        if expected is not None and expected != self.head:
            raise RefusedError(f"the head is {self.head}, not {expected}")
        self.events.append(event)
        return self.head

    def append_batch(self, events: list[Any]) -> list[int]:
        """Append events and return their positions."""
        return [self.append(event) for event in events]

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Return the entries of a window, as far as they are left."""
        end = self.head + 1 if stop is None else min(stop, self.head + 1)
        positions = range(max(start, self.first), end)
        return [(position, self.events[position - 1]) for position in positions]

    def checkpoint(self, state: Any, upto: int) -> None:
        """Keep a state.

        Raises:
            RefusedError: `upto` is ahead of the head, or events behind it are missing.
        """
        if not self.first - 1 <= upto <= self.head:
            raise RefusedError(f"a checkpoint is possible from {self.first - 1} to {self.head}, not at {upto}")
        self.checkpointed = (state, upto)

    def latest_checkpoint(self) -> tuple[Any, int] | None:
        """Return the newest checkpoint."""
        return self.checkpointed

    def compact(self, upto: int) -> None:
        """Drop the events up to a position.

        Raises:
            RefusedError: No checkpoint covers them.
        """
        if upto > self.covered:
            raise RefusedError(f"the latest checkpoint is at {self.covered}, before {upto}")
        self.first = max(self.first, upto + 1)

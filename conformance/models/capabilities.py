"""Oracles of the capabilities of the `state` contract: what a store must show after each call, in plain Python.

Each is the rule book written out as the least code that obeys it. Versions are counted here; a store's own tokens are
opaque, so that a check keeps the store's token beside the model's number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class VersionedModel:
    """What `cas` promises: no version of a key is ever given twice."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._versions: dict[str, int] = {}
        self._writes = 0

    def version(self, key: str) -> int | None:
        """Return the version of a key, None when it is missing."""
        return self._versions.get(key)

    def write(self, key: str, value: Any) -> None:
        """Write, whatever is there."""
        self._writes += 1
        self.values[key] = value
        self._versions[key] = self._writes

    def delete(self, key: str) -> None:
        """Delete a key; harmless when it is missing."""
        self.values.pop(key, None)
        self._versions.pop(key, None)

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> bool:
        """Write if the version is the expected one, and tell whether it was."""
        if self.version(key) != expected:
            return False
        self.write(key, value)
        return True


class TransactionModel:
    """What `transactions` promises: all of a block, or nothing of it."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    def begin(self) -> dict[str, Any]:
        """Return the state as a transaction sees and changes it."""
        return dict(self.state)

    def commit(self, draft: dict[str, Any]) -> None:
        """Make the changed state the state."""
        self.state = draft


class ExpiringModel:
    """What `ttl` promises: at the instant, and from then on, the key is missing.

    Args:
        clock: Returns the time as POSIX seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[str, tuple[Any, float | None]] = {}

    def set(self, key: str, value: Any, ttl: float | None = None) -> None:
        """Write, with an expiry or without."""
        self._entries[key] = (value, None if ttl is None else self._clock() + ttl)

    def delete(self, key: str) -> None:
        """Delete a key; harmless when it is missing."""
        self._entries.pop(key, None)

    def state(self) -> dict[str, Any]:
        """Return what is present."""
        return {key: value for key, (value, instant) in self._entries.items() if self._lives(instant)}

    def expires_at(self, key: str) -> float | None:
        """Return the instant at which a present key expires."""
        return self._entries[key][1]

    def _lives(self, instant: float | None) -> bool:
        return instant is None or self._clock() < instant


class HistoryModel:
    """What `history` promises: each write adds a version, and nothing ever takes one away."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self._written: dict[str, list[Any]] = {}

    def write(self, key: str, value: Any) -> None:
        """Write, whatever is there."""
        self.state[key] = value
        self._written.setdefault(key, []).append(value)

    def delete(self, key: str) -> None:
        """Delete a key; its versions stay."""
        self.state.pop(key, None)

    def values(self, key: str) -> list[Any]:
        """Return the values that a key ever had, newest first."""
        return self._written.get(key, [])[::-1]


class SnapshotModel:
    """What `snapshots` promises: the whole state of a moment, under a name."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.snapshots: dict[str, dict[str, Any]] = {}

    def save(self, name: str) -> None:
        """Keep the state under a name, instead of an older one."""
        self.snapshots[name] = dict(self.state)

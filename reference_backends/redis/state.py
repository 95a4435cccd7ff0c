"""The `state` store, for threads and processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from reference_backends._errors import Report
from reference_backends.redis import state_programs as programs
from reference_backends.redis.connections import Connections
from reference_backends.redis.place import Place
from reference_backends.redis.state_verify import verify
from reference_backends.redis.transactions import Draft


class RedisTransaction(MutableMapping[str, Any]):
    """The mapping of a transaction: shows what it wrote itself; nobody else sees that before it ends.

    For one thread. Every verb raises ValueError after the end, and ConflictError once somebody has changed what the
    transaction looked at.
    """

    def __init__(self, connections: Connections, draft: Draft) -> None:
        self._run = connections.run
        self._draft = draft

    def __getitem__(self, key: str) -> Any:
        return self._run(self._draft.get(key))

    def __setitem__(self, key: str, value: Any) -> None:
        self._draft.put(key, value)

    def __delitem__(self, key: str) -> None:
        self._run(self._draft.delete(key))

    def __contains__(self, key: object) -> bool:
        return self._run(self._draft.contains(key))

    def __iter__(self) -> Iterator[str]:
        return iter(self._run(self._draft.keys()))

    def __len__(self) -> int:
        return len(self._run(self._draft.keys()))


class RedisState(MutableMapping[str, Any]):
    """A `state` store on a Redis server, for any number of threads and processes.

    Every verb raises TypeError for a key that is not a str, ValueError once the store is closed, `NotReachedError` or
    `NotAnsweredError` when the server can't be asked, and CorruptRecord when what it needs is damaged.

    Args:
        url: Of the server.
        namespace: What no other state on the server is called.
        clock: Returns the time as POSIX seconds; expiry asks it.

    Raises:
        NotReachedError: There is no server.
    """

    def __init__(self, url: str, namespace: str, clock: Callable[[], float]) -> None:
        self._place = Place(namespace, clock)
        self._connections = Connections(url)
        self._run = self._connections.run
        self.ping()  # a wrong URL shows here, and not in the first call that matters

    def close(self) -> None:
        """Close the connections. Harmless when repeated."""
        self._connections.close()

    def __getitem__(self, key: str) -> Any:
        return self._run(programs.get(self._place, key))

    def __setitem__(self, key: str, value: Any) -> None:
        self._run(programs.put(self._place, key, value))

    def __delitem__(self, key: str) -> None:
        self._run(programs.delete(self._place, key))

    def __contains__(self, key: object) -> bool:
        return self._run(programs.contains(self._place, key))

    def __iter__(self) -> Iterator[str]:
        return iter(self._run(programs.keys(self._place)))

    def __len__(self) -> int:
        return self._run(programs.length(self._place))

    # MutableMapping makes these of several verbs; here nobody comes in between.

    def pop(self, key: str, *default: Any) -> Any:
        """Remove `key` and return its value; return the default, where one is given, when it is missing."""
        try:
            return self._run(programs.remove(self._place, key))
        except KeyError:
            if not default:
                raise
            return default[0]

    def popitem(self) -> tuple[str, Any]:
        """Remove some key and return it with its value; raise KeyError when there is none."""
        return self._run(programs.remove_some(self._place))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; write `default` first when it is missing."""
        return self._run(programs.set_default(self._place, key, default))

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Write several keys, all or none."""
        self._run(programs.update(self._place, dict(*args, **kwargs).items()))

    def clear(self) -> None:
        """Remove every key."""
        self._run(programs.clear(self._place))

    # cas

    def version(self, key: str) -> int | None:
        """Return the version of `key`, None when it is missing. No version is ever given twice in a store."""
        return self._run(programs.version(self._place, key))

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write `value` only if the version of `key` is `expected`, and return the new version.

        Args:
            key: As in `store[key]`.
            value: As in `store[key] = value`.
            expected: What `version` returned; None to write only if the key is missing.

        Raises:
            ConflictError: The version is another one.
        """
        return self._run(programs.compare_and_set(self._place, key, value, expected))

    # transactions

    @contextmanager
    def transaction(self) -> Iterator[RedisTransaction]:
        """Give a mapping whose changes are made all together when the block ends, or not at all when it raises.

        Nobody waits for it, and it waits for nobody: of two that are in each other's way, the second to end has to be
        done again.

        Raises:
            ConflictError: Somebody changed what the block looked at. Nothing was changed.
        """
        self._connections.refuse_closed()
        draft = Draft(self._place)
        try:
            yield RedisTransaction(self._connections, draft)
            self._run(draft.commit())
        finally:
            draft.end()

    # ttl

    def set(self, key: str, value: Any, ttl: float | None = None) -> None:
        """Write `value`, and remove the expiry of `key` or give it a new one.

        Args:
            key: As in `store[key]`.
            value: As in `store[key] = value`.
            ttl: Seconds from now until the key is missing; None for never.

        Raises:
            TypeError: The ttl is not a number.
            ValueError: The ttl is not positive, or too large for a time.
        """
        self._run(programs.put(self._place, key, value, ttl))

    def expires_at(self, key: str) -> float | None:
        """Return when `key` expires, in POSIX seconds; None for never. Raise KeyError when it is missing."""
        return self._run(programs.expires_at(self._place, key))

    # history

    def versions(self, key: str, limit: int | None = None) -> list[int]:
        """Return the versions that `key` ever had, newest first, at most `limit`; `[]` for a key never written."""
        return self._run(programs.versions(self._place, key, limit))

    def get_version(self, key: str, version: int) -> Any:
        """Return the value that `key` had at `version`; raise KeyError when it never had that version."""
        return self._run(programs.get_version(self._place, key, version))

    # snapshots

    def save_snapshot(self, name: str) -> None:
        """Keep the whole state under `name`, instead of an older snapshot of that name."""
        self._run(programs.save_snapshot(self._place, name))

    def load_snapshot(self, name: str) -> dict[str, Any]:
        """Return the state kept under `name`; raise KeyError when there is none. The store stays as it is."""
        return self._run(programs.load_snapshot(self._place, name))

    def list_snapshots(self) -> list[str]:
        """Return the names of all snapshots."""
        return self._run(programs.list_snapshots(self._place))

    # health and maintenance

    def ping(self) -> bool:
        """Return True when the server answers."""
        return self._run(programs.ping())

    def stats(self) -> dict[str, int]:
        """Return how many keys, versions of all keys, and snapshots there are."""
        return self._run(programs.stats(self._place))

    def flush(self) -> None:
        """Do nothing: a write is as lasting as the server will make it when it returns."""
        self._connections.refuse_closed()

    def verify(self) -> Report:
        """Read everything, and return how many keys are whole and what is damaged."""
        return self._run(verify(self._place))

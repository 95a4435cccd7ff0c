"""Where a store is on the server: the names of its keys.

All begin with `{namespace}`. The braces are a hash tag (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags):
a cluster keeps all keys of a store in one slot, and so on one node, where a script may touch them together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """The keys of a namespace, and its time.

    Args:
        namespace: What no other store on the server is called.
        clock: Returns the time as POSIX seconds.

    Raises:
        ValueError: The namespace is empty, or has a brace: then it would be no hash tag.
    """

    namespace: str
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        if not self.namespace or set(self.namespace) & set("{}"):
            raise ValueError(
                f"where.namespace={self.namespace!r} can't be a hash tag, which keeps the keys of a store together on "
                f"a cluster: give at least one character, and no brace."
            )

    @property
    def state_keys(self) -> tuple[bytes, ...]:
        """What every script of the state is given.

        | key | type | what it holds |
        |---|---|---|
        | `entries` | hash | for each key that is present, its version |
        | `records` | hash | for each version that there ever was, its key and value |
        | `deadlines` | sorted set | for each key that expires, when |
        | `counters` | hash | `version`: the newest one; `membership`: how many keys came and went |
        """
        return tuple(self._key(f"state:{name}") for name in ("entries", "records", "deadlines", "counters"))

    @property
    def records(self) -> bytes:
        """The `records` alone."""
        return self.state_keys[1]

    @property
    def snapshots(self) -> bytes:
        """A set: the names of all snapshots."""
        return self._key("state:snapshots")

    def versions(self, name: bytes) -> bytes:
        """A list: the versions of a key, oldest first."""
        return self._key("state:versions:") + name

    def snapshot(self, name: bytes) -> bytes:
        """A hash: what `entries` was when the snapshot was made. Values are in `records`, for ever."""
        return self._key("state:snapshot:") + name

    @property
    def log_keys(self) -> tuple[bytes, ...]:
        """What every script of the log is given.

        | key | type | what it holds |
        |---|---|---|
        | `events` | stream | the event of position n as the entry n-0 |
        | `summary` | hash | `head` and `first`; `upto` and `state` of the latest checkpoint |
        """
        return (self._key("log:events"), self._key("log:summary"))

    def now(self) -> str:
        """Return the time, as the server is told it."""
        return repr(float(self.clock()))

    def _key(self, rest: str) -> bytes:
        return f"{{{self.namespace}}}:{rest}".encode()

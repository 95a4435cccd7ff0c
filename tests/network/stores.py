"""Stores on redis-py: honest ones, that leave it to the caller to try again, and a log that leaves it to the client."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from conformance import Backend, Where
from conformance.servers.redis import RedisServer
from reference_backends._json import check_key, dumps, loads
from tests.mutants.network_base import TIMEOUT_S

if TYPE_CHECKING:
    from redis import Redis


def connected(url: str, *, retries: int) -> Redis:
    """Return a client that tries a command again so many times."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    retry = Retry(NoBackoff(), retries)
    return Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=retry)


class PythonState(MutableMapping[str, Any]):
    """A state in one hash."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name

    def __getitem__(self, key: str) -> Any:
        check_key(key)
        text = self.client.hget(self.name, key.encode("utf-8", "surrogatepass"))
        if text is None:
            raise KeyError(key)
        return loads(text.decode())

    def __setitem__(self, key: str, value: Any) -> None:
        check_key(key)
        self.client.hset(self.name, key.encode("utf-8", "surrogatepass"), dumps(value))

    def __delitem__(self, key: str) -> None:
        check_key(key)
        if not self.client.hdel(self.name, key.encode("utf-8", "surrogatepass")):
            raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter([key.decode("utf-8", "surrogatepass") for key in self.client.hkeys(self.name)])

    def __len__(self) -> int:
        return int(self.client.hlen(self.name))

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


class Lenient(PythonState):
    """A state for which it is well if what is to be deleted is missing."""

    def __delitem__(self, key: str) -> None:
        check_key(key)
        self.client.hdel(self.name, key.encode("utf-8", "surrogatepass"))


class PythonLog:
    """A log in one list."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name

    @property
    def head(self) -> int:
        """The position of the last event."""
        return int(self.client.llen(self.name))

    def append(self, event: Any) -> int:
        """Append an event."""
        return int(self.client.rpush(self.name, dumps(event)))

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        """Give the events with their positions."""
        start = max(start, 1)
        last = self.head if stop is None else stop - 1
        texts = self.client.lrange(self.name, start - 1, last - 1) if last >= start else []
        return ((position, loads(text.decode())) for position, text in enumerate(texts, start))

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def open_state(where: Where) -> PythonState:
    """Open an honest state."""
    return PythonState(connected(where.url, retries=0), where.namespace)


def open_lenient(where: Where) -> Lenient:
    """Open an honest state that deletes what is missing without a word."""
    return Lenient(connected(where.url, retries=0), where.namespace)


def open_log(where: Where) -> PythonLog:
    """Open an honest log."""
    return PythonLog(connected(where.url, retries=0), where.namespace)


def open_repeating_state(where: Where) -> PythonState:
    """Open a state whose client tries every command again."""
    return PythonState(connected(where.url, retries=2), where.namespace)


def open_repeating_log(where: Where) -> PythonLog:
    """Open a log whose client tries every command again."""
    return PythonLog(connected(where.url, retries=2), where.namespace)


HONEST = Backend(
    "on-redis-py",
    state=open_state,
    log=open_log,
    server=RedisServer(),
    corruption="silent",
    address="tests.network.stores:HONEST",
)

LENIENT = Backend(
    "lenient-on-redis-py",
    state=open_lenient,
    log=open_log,
    server=RedisServer(),
    corruption="silent",
    address="tests.network.stores:LENIENT",
)

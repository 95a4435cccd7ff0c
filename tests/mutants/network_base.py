"""Honest stores in a Redis server, to break: a little client by hand, with a state and a log on top of it.

Their steps are small methods, so that a mutant gets one of them wrong.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from conformance import Backend, Where
from conformance.servers.redis import RedisServer
from reference_backends._json import check_key, dumps, loads
from tests.mutants.base import Mutant
from tests.mutants.capable_base import Draft
from tests.mutants.crash_marks import store_name

#: Seconds that a server has to answer.
TIMEOUT_S = 0.3


class ServerError(Exception):
    """The server refuses a command."""


class Connection:
    """A connection to the server, and what has come on it and was not looked at yet."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.came = b""

    def send(self, data: bytes) -> None:
        """Send a request."""
        self.line.sendall(data)

    def reply(self) -> Any:
        """Return the next reply."""
        line = self.take_line()
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            return ServerError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.take(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        return rest

    def take_line(self) -> bytes:
        """Return what has come up to the next end of a line."""
        while b"\r\n" not in self.came:
            self.receive()
        line, _, self.came = self.came.partition(b"\r\n")
        return line

    def take(self, size: int) -> bytes:
        """Return so many bytes."""
        while len(self.came) < size:
            self.receive()
        taken, self.came = self.came[:size], self.came[size:]
        return taken

    def receive(self) -> None:
        """Wait for more."""
        data = self.line.recv(1 << 16)
        if not data:
            raise ConnectionError("the server has closed the connection")
        self.came += data

    def close(self) -> None:
        """Close the connection."""
        self.line.close()


class Client:
    """An honest client: one connection, made when it is needed, and dropped when anything goes wrong with it."""

    timeout_s: float | None = TIMEOUT_S
    connection_type = Connection

    def __init__(self, url: str) -> None:
        self.parts = urlsplit(url)
        self.connection: Connection | None = None
        self.closed = False

    def do(self, *words: str | bytes) -> Any:
        """Return the reply to a command."""
        return self.do_all([words])[0]

    def do_all(self, commands: list[tuple[str | bytes, ...]]) -> list[Any]:
        """Return the replies to commands that are sent as one request."""
        if self.closed:
            raise ValueError("the store is closed")
        replies = self.exchange(b"".join(map(packed, commands)), len(commands))
        for reply in replies:
            if isinstance(reply, ServerError):
                raise reply
        return replies

    def exchange(self, request: bytes, count: int) -> list[Any]:
        """Send a request, and return its replies."""
        connection = self.connected()
        try:
            connection.send(request)
            return [connection.reply() for _ in range(count)]
        except OSError:
            self.dropped()
            raise

    def connected(self) -> Connection:
        """Return the connection."""
        if self.connection is None:
            self.connection = self.connect()
        return self.connection

    def connect(self) -> Connection:
        """Make a connection."""
        if self.parts.scheme == "unix":
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(self.timeout_s)
            line.connect(unquote(self.parts.path))
        else:
            line = socket.create_connection((self.parts.hostname, self.parts.port or 6379), self.timeout_s)
        return self.connection_type(line)

    def dropped(self) -> None:
        """Have nothing to do any more with a connection of which nobody knows what comes next."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def close(self) -> None:
        """Close the connection."""
        self.closed = True
        self.dropped()


def packed(words: tuple[str | bytes, ...]) -> bytes:
    """Return a command as it is sent."""
    parts = [word.encode("utf-8", "surrogatepass") if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


class ServerState(MutableMapping[str, Any]):
    """A state in one hash, with transactions."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name

    def __getitem__(self, key: str) -> Any:
        check_key(key)
        text = self.client.do("HGET", self.name, key)
        if text is None:
            raise KeyError(key)
        return loads(text.decode())

    def __setitem__(self, key: str, value: Any) -> None:
        check_key(key)
        self.write(key, dumps(value))

    def write(self, key: str, text: str) -> None:
        """Write one key."""
        self.client.do("HSET", self.name, key, text)

    def __delitem__(self, key: str) -> None:
        check_key(key)
        if not self.client.do("HDEL", self.name, key):
            raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter([key.decode("utf-8", "surrogatepass") for key in self.client.do("HKEYS", self.name)])

    def __len__(self) -> int:
        return int(self.client.do("HLEN", self.name))

    def texts(self) -> dict[str, str]:
        """Return all that is there."""
        found = self.client.do("HGETALL", self.name)
        return {
            key.decode("utf-8", "surrogatepass"): text.decode()
            for key, text in zip(found[::2], found[1::2], strict=True)
        }

    def encode(self, value: Any) -> str:
        """Return the text of a value."""
        return dumps(value)

    def decode(self, text: str) -> Any:
        """Return the value of a text."""
        return loads(text)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Give a mapping whose changes are made when the block ends."""
        draft = Draft(cast("Any", self))
        try:
            yield draft
        finally:
            draft.ended = True
        self.commit(draft.operations)

    def commit(self, operations: list[tuple[str, str | None]]) -> None:
        """Make the changes of a transaction, all or none."""
        changes: list[tuple[str | bytes, ...]] = [
            ("HDEL", self.name, key) if text is None else ("HSET", self.name, key, text) for key, text in operations
        ]
        self.client.do_all([("MULTI",), *changes, ("EXEC",)])

    def close(self) -> None:
        """Close the connection."""
        self.client.close()


class ServerLog:
    """A log in one list: the position of an event is its place."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name

    @property
    def head(self) -> int:
        """The position of the last event."""
        return int(self.client.do("LLEN", self.name))

    def append(self, event: Any) -> int:
        """Append an event."""
        return self.push([dumps(event)])

    def push(self, texts: list[str]) -> int:
        """Append texts, and return the position of the last."""
        return int(self.client.do("RPUSH", self.name, *texts))

    def append_batch(self, events: Any) -> list[int]:
        """Append events, all or none."""
        texts = [dumps(event) for event in events]
        if not texts:
            return []
        last = self.push(texts)
        return list(range(last - len(texts) + 1, last + 1))

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        """Give the events with their positions."""
        start = max(start, 1)
        last = self.head if stop is None else stop - 1
        texts = self.client.do("LRANGE", self.name, str(start - 1), str(last - 1)) if last >= start else []
        return ((position, loads(text.decode())) for position, text in enumerate(texts, start))

    def close(self) -> None:
        """Close the connection."""
        self.client.close()


@dataclass(frozen=True)
class Opener:
    """Opens a store at a place; found again by a child process, as a lambda would not be."""

    store: Callable[[Client, str], Any]
    client: Callable[[str], Client]

    def __call__(self, where: Where) -> Any:
        return self.store(self.client(where.url), where.namespace)


#: What these stores promise: they keep what they acknowledge, and find no damage.
PROMISES: dict[str, Any] = {"corruption": "silent", "server": RedisServer()}
#: What mutants promise that are about the network alone: what Redis itself makes of a crash is no business of theirs.
LITTLE: dict[str, Any] = {**PROMISES, "durability": "clean-close"}
#: The check that lets the server die, and so asks for more.
_RESTARTED = "-NET-07"


def server_backend(
    name: str,
    *,
    client: type[Client] = Client,
    state: type[ServerState] | None = ServerState,
    log: type[ServerLog] | None = ServerLog,
    **promises: Any,
) -> Backend:
    """Return a backend with a state and a log in a server, or one of the two."""
    openers = {what: Opener(store, client) for what, store in (("state", state), ("log", log)) if store is not None}
    return Backend(name, **openers, **{**PROMISES, **promises})  # type: ignore[arg-type]


def broken_client(bug: str, *, state: str, log: str) -> Callable[[type[Client]], type[Client]]:
    """Mark a client as the bug of two mutants, a state and a log: `04 08` are two checks of the network."""

    def mark(kind: type[Client]) -> type[Client]:
        kind.mutants = [  # type: ignore[attr-defined]
            mutant(f"{store_name(kind)}_{what}", bug, codes(what, killed_by), client=kind, **{other: None})
            for what, other, killed_by in (("state", "log", state), ("log", "state", log))
        ]
        return kind

    return mark


def broken_store(bug: str, killed_by: str, **promises: Any) -> Callable[[type], type]:
    """Mark a state or a log as a mutant that is named after the class."""

    def mark(kind: type) -> type:
        what, other = ("state", "log") if issubclass(kind, ServerState) else ("log", "state")
        given: dict[str, Any] = {what: kind, other: None, **promises}
        kind.mutants = [mutant(store_name(kind), bug, codes(what, killed_by), **given)]  # type: ignore[attr-defined]
        return kind

    return mark


def mutant(name: str, bug: str, killed_by: tuple[str, ...], **given: Any) -> Mutant:
    """Return a mutant."""
    promises = PROMISES if any(code.endswith(_RESTARTED) for code in killed_by) else LITTLE
    return Mutant(name, bug, killed_by, server_backend(name, **{**promises, **given}))


def codes(contract: str, short: str) -> tuple[str, ...]:
    """Return codes in full."""
    return tuple(f"{contract.upper()}-NET-{one}" for one in short.split())


HONEST = Backend("by-hand", **{
    **PROMISES,
    "state": Opener(ServerState, Client),
    "log": Opener(ServerLog, Client),
    "address": "tests.mutants.network_base:HONEST",
})  # fmt: skip

"""The `redis` reference, and a small log beside it, with the mistakes that stores on Redis are known for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from conformance import Backend, Where
from reference_backends._json import dumps, loads
from reference_backends.redis import AsyncRedisState, RedisLog, RedisState, backend, everysec
from reference_backends.redis.async_connections import AsyncConnections
from reference_backends.redis.command import Command, Program, Script, evaluated, plain
from reference_backends.redis.connections import Connections
from reference_backends.redis.place import Place
from reference_backends.redis.sealing import Sealing
from reference_backends.redis.state import RedisTransaction
from reference_backends.redis.transactions import Draft
from tests.mutants.base import Mutant


@dataclass(frozen=True)
class Connected:
    """Opens a store of the reference with other connections; found again by a child process."""

    store: type[RedisState | RedisLog | AsyncRedisState]
    connections: Callable[[str], Any]

    def __call__(self, where: Where) -> Any:
        opened: Any = self.store.__new__(self.store)
        opened._place = Place(where.namespace, where.clock)
        opened._connections = connections = self.connections(where.url)
        opened._run = connections.run
        return opened


class OtherScript(Connections):
    """Connections that send another text of the scripts: what is in it once is replaced."""

    def __init__(self, url: str, *changes: tuple[str, str]) -> None:
        super().__init__(url)
        self.changes = changes

    def call(self, command: Command) -> Any:
        """Send the command with the other text."""
        if command.in_full:
            _, source, *rest = command.in_full
            for old, new in self.changes:
                source = str(source).replace(old, new)
            script = Script(command.name, str(source))
            command = replace(command, parts=("EVALSHA", script.digest, *rest), in_full=("EVAL", script.source, *rest))
        return super().call(command)


@dataclass(frozen=True)
class Changed:
    """Makes connections that send another text."""

    old: str
    new: str

    def __call__(self, url: str) -> Connections:
        return OtherScript(url, (self.old, self.new))


#: The two ways of a write: without a ttl, and with one.
_NO_DEADLINE = "redis.call('ZREM', deadlines, key)\n  else"
_DEADLINE = "redis.call('ZADD', deadlines, deadline, key)"
_DEADLINE_OF_NEW = f"if redis.call('ZREM', deadlines, key) == 0 then {_DEADLINE} end"


class Repeating(Connections):
    """Connections that send again whatever had no answer."""

    def call(self, command: Command) -> Any:
        """Send the command as if it only looked."""
        return super().call(replace(command, looks=True))


def nothing() -> Sealing:
    """Do nothing before the first command."""
    return ""
    yield


class NotSealed(Connections):
    """Connections to a server that was started, taken as it is."""

    def __init__(self, url: str) -> None:
        super().__init__(url, nothing)


class UnwatchedDraft(Draft):
    """A transaction whose reads nobody watches."""

    def commit(self) -> Program[None]:
        """Write, whatever came in between."""
        self._reads.clear()
        self._membership = b""
        yield from super().commit()


class UnwatchedState(RedisState):
    """A state with such transactions."""

    @contextmanager
    def transaction(self) -> Iterator[RedisTransaction]:
        """Give one."""
        draft = UnwatchedDraft(self._place)
        try:
            yield RedisTransaction(self._connections, draft)
            self._run(draft.commit())
        finally:
            draft.end()


class Pooled(AsyncConnections):
    """Connections that are idle again after every call, however that ended."""

    async def call(self, command: Command) -> Any:
        """Send the command, and read a reply."""
        self.refuse_closed()
        connection = self._idle.pop() if self._idle else self._maker.make_connection()
        try:
            await connection.connect()
            await connection.send_command(*(command.in_full or command.parts))
            return await connection.read_response(disable_decoding=True, disconnect_on_error=False)
        finally:
            self._idle.append(connection)


async def open_pooled(where: Where) -> AsyncRedisState:
    """Open the async state of the reference with such connections."""
    store: AsyncRedisState = Connected(AsyncRedisState, Pooled)(where)
    await store.ping()
    return store


_APPEND = Script(
    "append", "local n = redis.call('HLEN', KEYS[1]) + 1; redis.call('HSET', KEYS[1], n, ARGV[1]); return n"
)


class HashLog:
    """An honest log in one hash, whose fields are the positions."""

    def __init__(self, where: Where) -> None:
        self.connections = Connections(where.url)
        self.name = f"{{{where.namespace}}}:log".encode()
        self.call = self.connections.call
        _ = self.head

    @property
    def head(self) -> int:
        """The position of the last event."""
        return int(self.call(plain("HLEN", self.name, looks=True)))

    def append(self, event: Any) -> int:
        """Append an event."""
        return int(self.call(evaluated(_APPEND, (self.name,), dumps(event))))

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        """Give the events with their positions."""
        flat = self.call(plain("HGETALL", self.name, looks=True))
        found = {int(position): loads(text.decode()) for position, text in zip(flat[::2], flat[1::2], strict=True)}
        return iter([(at, found[at]) for at in sorted(found) if start <= at and (stop is None or at < stop)])

    def close(self) -> None:
        """Close the connections."""
        self.connections.close()


class PositionBeforeEvent(HashLog):
    """A log with a counter of positions."""

    @property
    def head(self) -> int:
        """The position that was given last."""
        return int(self.call(plain("GET", self.name + b":head", looks=True)) or 0)

    def append(self, event: Any) -> int:
        """Take a position, and write the event there."""
        position = int(self.call(plain("INCR", self.name + b":head")))
        self.call(plain("HSET", self.name, position, dumps(event)))
        return position


class PositionFromLength(HashLog):
    """A log that counts its events to get a position."""

    def append(self, event: Any) -> int:
        """Write behind what is there now."""
        position = self.head + 1
        self.call(plain("HSET", self.name, position, dumps(event)))
        return position


def _mutant(name: str, bug: str, killed_by: Iterable[str], **stores: Any) -> Mutant:
    given: dict[str, Any] = {"state": None, "log": None, **stores}
    return Mutant(name, bug, tuple(killed_by), replace(backend, name=name, **given))


HONEST = Backend("hash-log", log=HashLog, corruption="silent", server=backend.server, address=f"{__name__}:HONEST")

MUTANTS = [
    _mutant(
        "redis_watch_forgotten",
        "What a transaction has read is not watched when it writes.",
        ("STATE-CONC-05", "STATE-CONC-15"),
        state=lambda where: UnwatchedState(where.url, where.namespace, where.clock),
    ),
    _mutant(
        "redis_ttl_lost_on_update",
        "A write with a ttl drops the expiry of a key that has one, and sets none.",
        ("STATE-TTL-05",),
        state=Connected(RedisState, Changed(_DEADLINE, _DEADLINE_OF_NEW)),
    ),
    _mutant(
        "redis_ttl_kept_by_put",
        "A write without a ttl leaves the expiry of the key as it is (KEEPTTL).",
        ("STATE-TTL-04",),
        state=Connected(RedisState, Changed(_NO_DEADLINE, "else")),
    ),
    _mutant(
        "redis_append_repeated",
        "An append whose reply did not come is sent again behind the caller's back.",
        ("LOG-NET-01",),
        log=Connected(RedisLog, Repeating),
    ),
    _mutant(
        "redis_connection_reused",
        "A connection goes back to the pool when the call that waited for its reply is cancelled.",
        ("STATE-CONC-24",),
        state=open_pooled,
    ),
    _mutant(
        "redis_position_before_event",
        "A position is taken by INCR, and the event written afterwards.",
        ("LOG-CONC-11",),
        log=PositionBeforeEvent,
    ),
    _mutant(
        "redis_position_from_length",
        "A position is the number of events and one, and nobody is kept from writing there meanwhile.",
        ("LOG-CONC-01", "LOG-CONC-11"),
        log=PositionFromLength,
    ),
    _mutant(
        "redis_not_sealed",
        "A server that was killed is written to as it is: half a transaction in its file comes back.",
        ("STATE-CRASH-04",),
        state=Connected(RedisState, NotSealed),
    ),
    Mutant(
        "redis_everysec_claims_power_loss",
        "The server syncs its file once a second, and the store promises that nothing is lost.",
        ("STATE-CRASH-21", "LOG-CRASH-21"),
        replace(everysec, name="redis_everysec_claims_power_loss", declare=None, durability="power-loss"),
    ),
]  # fmt: skip

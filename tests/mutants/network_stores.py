"""Stores that are wrong about a failing network or server, whatever client they use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from conformance import Backend
from conformance.servers.redis import RedisServer
from reference_backends._json import dumps
from tests.mutants.base import Mutant
from tests.mutants.crash_marks import marked
from tests.mutants.network_base import LITTLE, Client, ServerLog, ServerState, broken_store, mutant
from tests.network.stores import open_repeating_log, open_repeating_state

#: Writes a key; kept in the server under its digest.
_SET = "return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])"
_PUSH = "return redis.call('RPUSH', KEYS[1], unpack(ARGV))"


@broken_store("An error of the connection is swallowed, and the write acknowledged.", "01")
class CutWriteAcknowledged(ServerState):
    def write(self, key: str, text: str) -> None:
        with suppress(ConnectionError):
            super().write(key, text)


@broken_store("A transaction is a request of many commands, and no transaction of the server.", "01")
class TransactionIsPipeline(ServerState):
    def commit(self, operations: list[tuple[str, str | None]]) -> None:
        self.client.do_all(
            [("HDEL", self.name, key) if text is None else ("HSET", self.name, key, text) for key, text in operations]
        )


@broken_store("A batch is a request of many commands, and no transaction of the server.", "01")
class BatchIsPipeline(ServerLog):
    def append_batch(self, events: Any) -> list[int]:
        commands: list[tuple[str | bytes, ...]] = [("RPUSH", self.name, dumps(event)) for event in events]
        return [int(position) for position in self.client.do_all(commands)] if commands else []


@broken_store("A server that can't be reached is taken for one without the key.", "06")
class UnreachableIsMissing(ServerState):
    def __getitem__(self, key: str) -> Any:
        try:
            return super().__getitem__(key)
        except ConnectionRefusedError as error:
            raise KeyError(key) from error


@broken_store("A server that can't be reached is taken for an empty log.", "06")
class UnreachableIsEmpty(ServerLog):
    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        try:
            return super().read(start, stop)
        except ConnectionRefusedError:
            return iter(())


@broken_store("A write that can't be sent is acknowledged, and sent with the next.", "06", durability="process-crash")
class WriteSentLater(ServerState):
    def __init__(self, client: Client, name: str) -> None:
        super().__init__(client, name)
        self.waiting: dict[str, str] = {}

    def write(self, key: str, text: str) -> None:
        self.waiting[key] = text
        with suppress(ConnectionRefusedError):
            for one, its_text in list(self.waiting.items()):
                super().write(one, its_text)
                del self.waiting[one]

    def __getitem__(self, key: str) -> Any:
        return self.decode(self.waiting[key]) if key in self.waiting else super().__getitem__(key)


class Script:
    """A script in a server; gone with that run of it. Redis 6.2 keeps scripts in its file; it is held to the same."""

    def __init__(self, client: Client, source: str) -> None:
        self.client = client
        self.run = self.run_id()
        self.digest = client.do("SCRIPT", "LOAD", source)

    def run_id(self) -> str:
        """Return what names this run of the server."""
        lines = bytes(self.client.do("INFO", "server")).decode().splitlines()
        return next(line for line in lines if line.startswith("run_id:"))

    def __call__(self, *words: str) -> Any:
        """Run it, by its digest."""
        return self.client.do("EVALSHA", self.digest if self.run == self.run_id() else "0" * 40, *words)


@broken_store("A script is loaded into the server when the store is opened, and only then.", "07")
class ScriptNotLoadedAgain(ServerState):
    def __init__(self, client: Client, name: str) -> None:
        super().__init__(client, name)
        self.script = Script(client, _SET)

    def write(self, key: str, text: str) -> None:
        self.script("1", self.name, key, text)


@broken_store("A script is loaded into the server when the log is opened, and only then.", "07")
class ScriptOfLogNotLoadedAgain(ServerLog):
    def __init__(self, client: Client, name: str) -> None:
        super().__init__(client, name)
        self.script = Script(client, _PUSH)

    def push(self, texts: list[str]) -> int:
        return int(self.script("1", self.name, *texts))


#: A server that keeps nothing on the disk, for stores that promise power loss.
_VOLATILE = {"server": RedisServer(appendonly="no", save="")}
MUTANTS = [
    *marked(globals()),
    Mutant(
        "delete_repeated_by_client",
        "The client library sends a delete again whose reply was lost, and it finds nothing (redis-py's default).",
        ("STATE-NET-01",),
        Backend("delete_repeated_by_client", state=open_repeating_state, **LITTLE),
    ),
    Mutant(
        "append_repeated_by_client",
        "The client library sends an append again whose reply was lost (redis-py's default).",
        ("LOG-NET-01",),
        Backend("append_repeated_by_client", log=open_repeating_log, **LITTLE),
    ),
    mutant("server_keeps_no_state", "The server keeps all in memory.", ("STATE-NET-07",), log=None, **_VOLATILE),
    mutant("server_keeps_no_log", "The server keeps all in memory.", ("LOG-NET-07",), state=None, **_VOLATILE),
]

"""The connections of a handle, and the one rule that they are kept by.

A connection is idle, and may be handed to the next call, only after the whole reply to the call before it was read.
Whatever else ends a call, a time-out as well as Ctrl-C, drops the connection: a reply that comes later finds nobody.
redis-py makes the connections, but its pool and its client are not used: they put a connection back also when an
interrupt came between the sending and the reading, or in the middle of the handshake.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from reference_backends.redis.command import Attempts, Command, Program, T
from reference_backends.redis.sealing import Pause, Sealing, seal

#: How long an answer is waited for, unless the URL says something else (`?socket_timeout=30`).
TIMEOUT_SECONDS = 5.0

#: Of each connection; what the URL says goes before.
OPTIONS: dict[str, Any] = {
    "socket_timeout": TIMEOUT_SECONDS,
    "socket_connect_timeout": TIMEOUT_SECONDS,
    # Replies are the same from every version of the server, and nothing comes that was not asked for.
    "protocol": 2,
}


class Connections:
    """The connections of a store, for any number of threads, and for the children of a fork.

    Args:
        url: Of the server.
        sealing: What is done first on each.

    Raises:
        ValueError: It is not the URL of a Redis server.

    Attributes:
        unsealed: Why the server's file could not be sealed when the latest connection was made; empty when it was.
    """

    def __init__(self, url: str, sealing: Callable[[], Sealing] = seal) -> None:
        self.unsealed = ""
        self._sealing = sealing
        # redis-py repeats a failed command ten times by itself, whatever the command is.
        self._maker = redis.ConnectionPool.from_url(checked_url(url), **OPTIONS, retry=Retry(NoBackoff(), 0))
        self._idle: list[Any] = []
        self._pid = os.getpid()
        self._closed = False

    def run(self, program: Program[T]) -> T:
        """Run a program to its end, and return its answer."""
        try:
            command = next(program)
            while True:
                command = program.send(self.call(command))
        except StopIteration as end:
            answer: T = end.value
            return answer

    def call(self, command: Command) -> Any:
        """Send a command and return its reply.

        Raises:
            ValueError: The connections are closed.
            NotReachedError: No server took the command.
            NotSealedError: Its file could not be sealed; the command was not sent.
            NotAnsweredError: It may have been done, or not.
            redis.exceptions.ResponseError: The server refused it.
        """
        attempts = Attempts(command)
        while True:
            connection, known = self._take()
            try:
                if not known:  # it may be another server than before
                    connection.connect()
                    self.unsealed = _sealed(connection, self._sealing())
                attempts.sent = True
                reply = _ask(connection, command)
            except redis.ResponseError:
                self._give_back(connection)  # a refusal is a whole reply
                raise
            except (redis.ConnectionError, redis.TimeoutError) as error:
                connection.disconnect()
                attempts.failed(error)
            except BaseException:
                connection.disconnect()
                raise
            else:
                self._give_back(connection)
                return reply

    def refuse_closed(self) -> None:
        """Raise ValueError when the connections are closed."""
        if self._closed:
            raise ValueError("The store is closed.")

    def close(self) -> None:
        """Close all connections; those that a call is using, when it ends. Harmless when repeated."""
        self._closed = True
        while self._idle:
            self._idle.pop().disconnect()

    def _take(self) -> tuple[Any, bool]:
        """Return a connection, and whether it was used before."""
        self.refuse_closed()
        if self._pid != os.getpid():  # the sockets of a parent are for the parent
            self._idle, self._pid = [], os.getpid()
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._maker.make_connection(), False
            if not _is_stale(connection):
                return connection, True
            connection.disconnect()

    def _give_back(self, connection: Any) -> None:
        self._idle.append(connection)
        if self._closed:  # meanwhile
            self.close()


def checked_url(url: str) -> str:
    """Return a URL that is there.

    Raises:
        ValueError: It is empty.
    """
    if not url:
        raise ValueError(
            "where.url is empty: this store is on a Redis server, and must know which. Give "
            "redis://127.0.0.1:6379/0, unix:///tmp/redis.sock or the like."
        )
    return url


def _ask(connection: Any, command: Command) -> Any:
    connection.send_command(*command.parts)
    try:
        return connection.read_response(disable_decoding=True)
    except NoScriptError:
        connection.send_command(*command.in_full)
        return connection.read_response(disable_decoding=True)


def _sealed(connection: Any, sealing: Sealing) -> str:
    reply: Any = None
    try:
        while True:
            step = sealing.send(reply)
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                reply = None
                continue
            try:
                reply = _ask(connection, step)
            except redis.ResponseError as error:
                reply = error
    except StopIteration as end:
        return str(end.value)


def _is_stale(connection: Any) -> bool:
    """Tell whether there is something to read, as nothing was asked: mostly the end, of a server that is gone."""
    try:
        return bool(connection.can_read(timeout=0))
    except (redis.RedisError, OSError):
        return True

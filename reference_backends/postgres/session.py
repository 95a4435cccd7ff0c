"""A connection to PostgreSQL, with a limit to each wait, and the errors of the server as those of this backend."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import ceil
from selectors import EVENT_READ, DefaultSelector
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from reference_backends._errors import CorruptRecord
from reference_backends.postgres.errors import LostConnectionError, NoAnswerError, RolledBackError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from psycopg.abc import PQGen

_Result = TypeVar("_Result")

#: The server ends a call that takes too long, and says so. Only when that does not come either, the connection is given
#: up: then it is the network, or the server stands still.
_GRACE_SECONDS = 2.0

_EXAMPLE = "Give an address such as postgresql://user@/database?host=/run/postgresql."
#: Begins the SQLSTATE of what the server raises where it finds a page, an index or itself not as it should be.
_INTERNAL = "XX"


@dataclass(frozen=True)
class Access:
    """How to connect.

    Attributes:
        url: The address of the server, as libpq reads it. What it says about timeouts counts.
        schema: The schema whose tables are meant.
        isolation: Of a transaction that says nothing else, as of a statement outside of any.
        timeout: Seconds that a call may take, and wait for a lock; None for any time.

    Raises:
        ValueError: The url is no address, or the timeout is not positive.
    """

    url: str
    schema: str
    isolation: str
    timeout: float | None

    def __post_init__(self) -> None:
        if not self.url:
            raise ValueError(
                f"url='' names no server, and the one that libpq would take may be of use to others. {_EXAMPLE}"
            )
        try:
            conninfo_to_dict(self.url)
        except psycopg.ProgrammingError as error:  # the url itself is not shown: there may be a password in it
            raise ValueError(f"The url is no address of a PostgreSQL server: {_words(error)}. {_EXAMPLE}") from error
        if self.timeout is not None and not self.timeout > 0:
            raise ValueError(f"timeout={self.timeout!r} leaves no time to answer. Give seconds, or None for any time.")

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of a connection, as libpq names them."""
        milliseconds = 0 if self.timeout is None else ceil(self.timeout * 1000)
        settings = {
            "search_path": sql.Identifier(self.schema).as_string(),
            "default_transaction_isolation": self.isolation,
            "statement_timeout": str(milliseconds),
            # Shorter, or it is never this one that ends a wait, and the server does not say that there was a lock.
            "lock_timeout": str(milliseconds * 9 // 10),
            # A scan of a whole table, which the server prefers for small ones, conflicts with every write to the
            # table: a transaction has then read it all. (PostgreSQL's manual, "Serializable Isolation Level")
            "enable_seqscan": "off",
            # It takes a plan with such a scan, where there is no other, for a very dear one, and compiles it.
            "jit": "off",
        }
        given = conninfo_to_dict(self.url)
        options = "".join(f" -c {name}={_escaped(value)}" for name, value in settings.items())
        given["options"] = f"{given.get('options') or ''}{options}"
        given.setdefault("connect_timeout", 10 if self.timeout is None else max(ceil(self.timeout), 2))
        given.setdefault("tcp_user_timeout", milliseconds)
        given.setdefault("fallback_application_name", __package__)
        return given


class _Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that does not wait for ever: the time limits of a server are of no use when it cannot be reached."""

    limit_seconds: float | None = None

    def wait(self, gen: PQGen[_Result], *args: Any, **kwargs: Any) -> _Result:
        if self.limit_seconds is None:
            return super().wait(gen, *args, **kwargs)
        return super().wait(_limited(gen, self.limit_seconds), *args, **kwargs)


class Session:
    """One connection, for one thread at a time. Outside of a transaction each statement is one of its own.

    Every method raises RolledBackError, TimeoutError, ConnectionError or CorruptRecord, whose texts say when.

    Args:
        access: How to connect.

    Raises:
        ConnectionError: There is no server, or it refuses; its words are in the text.
        TimeoutError: It does not answer.
    """

    def __init__(self, access: Access) -> None:
        self._timeout = access.timeout
        try:
            self.connection = _Connection.connect("", autocommit=True, **access.parameters())
        except psycopg.OperationalError as error:
            text = f"No connection to PostgreSQL: {_words(error)}. Nothing was asked of it yet."
            raised = NoAnswerError if isinstance(error, errors.ConnectionTimeout) else LostConnectionError
            raise raised(text) from error
        self.connection.limit_seconds = None if access.timeout is None else access.timeout + _GRACE_SECONDS

    def rows(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        try:
            cursor = self.connection.execute(statement.encode(), parameters, binary=True)
            return cursor.fetchall() if cursor.description is not None else []
        except psycopg.Error as error:
            raise self._told(error) from error

    def row(self, statement: str, parameters: Mapping[str, Any] | None = None) -> tuple[Any, ...] | None:
        """Run a statement and return its only row, or None.

        Raises:
            CorruptRecord: There are several.
        """
        rows = self.rows(statement, parameters)
        if len(rows) > 1:
            raise CorruptRecord(repr(rows[0][0]), f"is there {len(rows)} times")
        return rows[0] if rows else None

    def script(self, statements: str) -> None:
        """Run several statements without parameters, in one round trip and one transaction."""
        try:
            self.connection.execute(statements.encode())
        except psycopg.Error as error:
            raise self._told(error) from error

    def stream(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Run a statement inside a transaction and give its rows, of which few are in memory at a time."""
        try:
            with self.connection.cursor("stream") as cursor:
                cursor.execute(statement.encode(), binary=True)
                yield from cursor
        except psycopg.Error as error:
            raise self._told(error) from error

    def commit(self) -> None:
        """End a transaction.

        Raises:
            RuntimeError: It was rolled back, because a statement of it had failed.
        """
        try:
            answer = self.connection.execute(b"COMMIT").statusmessage
        except psycopg.Error as error:
            raise self._told(error) from error
        if answer != "COMMIT":
            raise RuntimeError("A statement of this transaction had failed: all of it was undone.")

    def rollback(self) -> None:
        """Undo a transaction. Never raises: where the connection broke the server does the same."""
        with suppress(psycopg.Error):
            if self.connection.pgconn.transaction_status != TransactionStatus.IDLE:
                self.connection.execute(b"ROLLBACK")

    @contextmanager
    def unlimited(self) -> Iterator[None]:
        """Let a statement take any time. A connection on which it fails is closed: it has lost its settings."""
        self.rows("SET statement_timeout = 0")
        seconds, self.connection.limit_seconds = self.connection.limit_seconds, None
        try:
            yield
        except BaseException:
            self.close()
            raise
        self.connection.limit_seconds = seconds
        self.rows("RESET statement_timeout")

    @property
    def is_idle(self) -> bool:
        """Whether the connection is sound, with no transaction open, and no answer on its way."""
        return self.connection.pgconn.transaction_status == TransactionStatus.IDLE

    def is_alive(self) -> bool:
        """Tell whether an idle connection is still one: a server that was stopped or restarted has closed it.

        It has said so then. Whatever comes without being asked for is taken for that.
        """
        if not self.is_idle:
            return False
        with DefaultSelector() as selector:
            selector.register(self.connection.fileno(), EVENT_READ)
            return not selector.select(timeout=0)

    def close(self) -> None:
        """Close the connection; what it has not committed is undone. Harmless when repeated."""
        self.connection.close()

    def _told(self, error: psycopg.Error) -> Exception:
        """Return what this backend says about an error of the server or the connection."""
        text = _words(error)
        if isinstance(error, errors.SerializationFailure | errors.DeadlockDetected):
            return RolledBackError(f"Another transaction got in between: {text}. Nothing was changed; do it again.")
        if isinstance(error, errors.QueryCanceled | errors.LockNotAvailable):
            return TimeoutError(
                f"The server gave up after {self._timeout} seconds: {text}. Nothing was changed; do it again when "
                f"nobody holds a lock, or open the store with a longer timeout=."
            )
        if isinstance(error, _NoAnswerInTime):
            return NoAnswerError(text)
        if not self._is_connected():
            return LostConnectionError(f"The connection to PostgreSQL broke: {text}")
        if isinstance(error, errors.UndefinedFile) or (error.sqlstate or "").startswith(_INTERNAL):
            return CorruptRecord("the files of the server", text)
        if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn):
            return CorruptRecord("the schema of the store", text)
        return error

    def _is_connected(self) -> bool:
        return self.connection.pgconn.transaction_status != TransactionStatus.UNKNOWN


class _NoAnswerInTime(psycopg.OperationalError):
    """Raised in the midst of a wait; the connection is of no use any more."""


def _limited(waits: PQGen[_Result], seconds: float) -> Generator[Any, Any, _Result]:
    """Do as `waits` does, which is what psycopg makes of a call: a generator that is told when there is an answer."""
    end = time.monotonic() + seconds
    try:
        wanted = next(waits)
        while True:
            ready = yield wanted
            # Asked only when there is none: a process that was stopped for long finds its answer all the same.
            if not ready and time.monotonic() >= end:
                raise _NoAnswerInTime(f"PostgreSQL gave no answer for {seconds:g} seconds; the connection is given up")
            wanted = waits.send(ready)
    except StopIteration as end_of_waits:
        result: _Result = end_of_waits.value
        return result


def _words(error: psycopg.Error) -> str:
    """Return what the server says, or the client library, in a line."""
    said = error.diag.message_primary or str(error)
    return "; ".join(line.strip() for line in said.splitlines() if line.strip())


def _escaped(value: str) -> str:
    return re.sub(r"([\\\s])", r"\\\1", value)

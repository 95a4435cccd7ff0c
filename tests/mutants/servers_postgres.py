"""The `postgres` reference, and a small log beside it, with the mistakes that stores on PostgreSQL are known for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from conformance import Backend, PostgresServer, Where
from reference_backends._json import dumps, loads
from reference_backends.postgres import PostgresState, asynchronous, backend, records, unsynced
from reference_backends.postgres.database import Database
from reference_backends.postgres.place import Tables, prepare, schema_name
from reference_backends.postgres.session import Access
from tests.mutants.base import Mutant

if TYPE_CHECKING:
    from reference_backends.postgres.database import Rows
    from reference_backends.postgres.session import Session


@dataclass(frozen=True)
class Opened:
    """Opens a kind of the reference's state store; found again by a child process."""

    store: type[PostgresState]

    def __call__(self, where: Where) -> PostgresState:
        return self.store(where.url, where.namespace, clock=where.clock)


class SelectThenUpdate(PostgresState):
    """A state that asks for the version, and writes when it is the expected one."""

    def _put(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        if not parameters["always"]:
            rows = self._read(records.GET, {"key": parameters["key"]})
            _, version, expires_at, *_ = rows[0] if rows else (None, None, None)
            if version != parameters["expected"]:
                return None, version, expires_at
        return super()._put({**parameters, "always": True})


class NoExpiryOfUpdate(PostgresState):
    """A state whose statement says nothing of the expiry where there is a record already."""

    def _write(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        return super()._write(statement.replace(_EXPIRY, _EXPIRY_OF_NEW), parameters)


class ExpiryKept(PostgresState):
    """A state whose statement replaces the expiry only where it has a new one."""

    def _write(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        return super()._write(statement.replace(_EXPIRY, _EXPIRY_OF_OLD), parameters)


_EXPIRY = "%(expires_at)s::float8 AS expires_at"
_EXPIRY_OF_NEW = "CASE WHEN NOT EXISTS (SELECT FROM seen) THEN %(expires_at)s::float8 END AS expires_at"
_EXPIRY_OF_OLD = "coalesce(%(expires_at)s::float8, (SELECT expires_at FROM seen)) AS expires_at"


class ReadCommitted(PostgresState):
    """A state with the isolation that PostgreSQL has unless it is told otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._database._access = replace(self._database._access, isolation="read committed")
        self._database._close_idle()


class TableLog:
    """An honest log in one table, which whoever appends has for himself until the commit."""

    def __init__(self, where: Where) -> None:
        schema = schema_name(where.namespace)
        access = Access(where.url, schema, "read committed", 30.0)
        self.database = Database(access, lambda session: prepare(session, schema, _TABLES))

    @property
    def head(self) -> int:
        """The last position."""
        return int(self.database.read(_HEAD)[0][0])

    def append(self, event: Any) -> int:
        """Append an event."""
        return self.database.atomically(lambda session: self.put(session, dumps(event).encode()))

    def put(self, session: Session, event: bytes) -> int:
        """Write an event in a transaction, and return its position."""
        session.rows("LOCK TABLE events IN EXCLUSIVE MODE")
        ((head,),) = session.rows(_HEAD)
        session.rows(_INSERT, {"position": head + 1, "event": event})
        return int(head) + 1

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        """Give the events with their positions."""
        rows = self.database.read("SELECT position, event FROM events ORDER BY position")
        return iter([(at, loads(text.decode())) for at, text in rows if start <= at and (stop is None or at < stop)])

    def close(self) -> None:
        """Close the connections."""
        self.database.close()


_HEAD = "SELECT coalesce(max(position), 0) FROM events"
_INSERT = "INSERT INTO events VALUES (%(position)s::bigint, %(event)s)"
_TABLES = Tables(
    "table-log",
    version=1,
    script="CREATE TABLE events (position bigint NOT NULL, event bytea NOT NULL); CREATE SEQUENCE positions",
)


class PositionFromSequence(TableLog):
    """A log whose positions come from a SEQUENCE."""

    def put(self, session: Session, event: bytes) -> int:
        """Take a position, and write the event there."""
        ((position,),) = session.rows("SELECT nextval('positions')")
        session.rows(_INSERT, {"position": position, "event": event})
        return int(position)


class PositionFromHead(TableLog):
    """A log that looks where its end is."""

    def put(self, session: Session, event: bytes) -> int:
        """Write behind what is there now."""
        ((head,),) = session.rows(_HEAD)
        session.rows(_INSERT, {"position": head + 1, "event": event})
        return int(head) + 1


HONEST = Backend("table-log", log=TableLog, server=backend.server, corruption="silent", address=f"{__name__}:HONEST")


def _mutant(name: str, bug: str, killed_by: Iterable[str], of: Backend = backend, **fields: Any) -> Mutant:
    stores = {"state": None, "log": None} if {"state", "log"} & fields.keys() else {}
    return Mutant(name, bug, tuple(killed_by), replace(of, name=name, **{**stores, **fields}))


MUTANTS = [
    _mutant(
        "postgres_select_then_update",
        "A compare-and-set reads the version in one statement, and writes in another, with no lock between them.",
        ("STATE-CONC-04", "STATE-CONC-14"),
        state=Opened(SelectThenUpdate),
    ),
    _mutant(
        "postgres_ttl_lost_on_update",
        "A write with a ttl sets no expiry where the key is there already.",
        ("STATE-TTL-05",),
        state=Opened(NoExpiryOfUpdate),
    ),
    _mutant(
        "postgres_ttl_kept_by_put",
        "A write without a ttl leaves the expiry of the key as it is.",
        ("STATE-TTL-04",),
        state=Opened(ExpiryKept),
    ),
    _mutant(
        "postgres_read_committed",
        "Transactions have PostgreSQL's usual isolation, and the store promises that they are serializable.",
        ("STATE-CONC-71",),
        state=Opened(ReadCommitted),
    ),
    _mutant(
        "postgres_position_from_sequence",
        "Positions come from a SEQUENCE, so that one is seen before a smaller one is committed.",
        ("LOG-CONC-11",),
        log=PositionFromSequence,
    ),
    _mutant(
        "postgres_position_from_head",
        "A position is the head and one, and nobody is kept from writing there meanwhile.",
        ("LOG-CONC-11",),
        log=PositionFromHead,
    ),
    _mutant(
        "postgres_unsynced_claims_power_loss",
        "The server does not sync its files, and the store promises that nothing is lost.",
        ("STATE-CRASH-11", "LOG-CRASH-11"),
        unsynced,
        declare=None,
        durability="power-loss",
    ),
    _mutant(
        "postgres_asynchronous_claims_kills",
        "A commit is acknowledged before it is in a file (synchronous_commit=off), and the store promises that a kill "
        "takes nothing.",
        ("STATE-CRASH-01", "LOG-CRASH-01"),
        replace(asynchronous, server=PostgresServer(synchronous_commit="off", wal_writer_delay="10s")),
        declare=None,
        durability="power-loss",
    ),
]

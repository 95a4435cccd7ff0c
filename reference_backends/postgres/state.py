"""The `state` store: the verbs of a mapping, each in a transaction of its own; snapshots, health and maintenance."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from reference_backends._errors import CorruptRecord, Report
from reference_backends.postgres import inspection, records
from reference_backends.postgres.database import Database
from reference_backends.postgres.errors import RolledBackError
from reference_backends.postgres.place import prepare, schema_name
from reference_backends.postgres.records import STATE_TABLES, Record, decode_key, encode_key
from reference_backends.postgres.session import Access
from reference_backends.postgres.verbs import Expired, Verbs, buried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reference_backends.postgres.database import Rows
    from reference_backends.postgres.session import Session

_Result = TypeVar("_Result")

#: Seconds that a call may take, unless a store is told otherwise.
TIMEOUT_SECONDS = 30.0


class Transaction(Verbs):
    """The mapping of a transaction: shows what it wrote itself; nobody else sees that before it ends.

    It belongs to the thread that began it. Every verb raises ValueError after its end, and RolledBackError when the
    server has rolled it back.
    """

    def __init__(self, session: Session, clock: Callable[[], float], history_limit: int | None) -> None:
        super().__init__(clock, history_limit)
        self._session = session
        self._thread = threading.get_ident()
        self._ended = False
        self._failure: Exception | None = None
        self.expired: list[Expired] = []

    def end(self) -> None:
        """Refuse all use from now on."""
        self._ended = True

    def refuse_failed(self) -> None:
        """Raise when a statement failed: the block went on, but can't be committed.

        Raises:
            RolledBackError: The server rolled it back, because of what others did.
            RuntimeError: It was something else.
        """
        if isinstance(self._failure, RolledBackError):
            raise RolledBackError(*self._failure.args) from self._failure
        if self._failure is not None:
            raise RuntimeError("A statement of this transaction had failed: all of it was undone.") from self._failure

    def _read(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        if self._ended:
            raise ValueError("The transaction has ended.")
        if self._thread != threading.get_ident():
            raise RuntimeError("A transaction belongs to the thread that began it.")
        self.refuse_failed()
        try:
            return self._session.rows(statement, parameters)
        except Exception as error:
            self._failure = error
            raise

    _write = _read

    def _seen_expired(self, expired: list[Expired]) -> None:
        self.expired += expired
        self._write(records.BURY, buried(expired))


class PostgresState(Verbs):
    """A `state` store in a schema of a PostgreSQL database, for any number of threads and processes.

    Every verb raises TypeError for a key that is not a str, ValueError once the store is closed, CorruptRecord when
    what it needs is damaged, and TimeoutError or ConnectionError when the server can't be reached. A write whose answer
    is lost raises AmbiguousCommitError.

    Args:
        url: The address of the server, as libpq reads it.
        namespace: The name of the place; a schema of that name is made when it is missing.
        clock: Returns the time as POSIX seconds; expiry asks it.
        history_limit: How many versions of a key are kept, the present one included; None for all. Applied when the key
            is written.
        timeout: Seconds that a call may take, and wait for others; None for any time.

    Raises:
        ValueError: The limit is less than 1, or there is no url, or the namespace can't be a schema.
        ConnectionError: There is no server, or it refuses.
        NewerSchemaError: A newer version of this code wrote the place.
    """

    def __init__(
        self,
        url: str,
        namespace: str,
        *,
        clock: Callable[[], float] = time.time,
        history_limit: int | None = None,
        timeout: float | None = TIMEOUT_SECONDS,
    ) -> None:
        if history_limit is not None and history_limit < 1:
            raise ValueError(f"history_limit={history_limit!r} would not keep the present version.")
        super().__init__(clock, history_limit)
        schema = schema_name(namespace)
        self._database = Database(
            Access(url, schema, "serializable", timeout), lambda session: prepare(session, schema, STATE_TABLES)
        )
        self._unburied: deque[Expired] = deque()

    def close(self) -> None:
        """Close the connections. Harmless when repeated."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Give a mapping whose changes are made all together when the block ends, or not at all when it raises.

        Everybody reads the state before it meanwhile, also through this store in the same thread. Where others change
        what it read, or read what it changes, so that there is no order of the two, one of them is rolled back.

        Raises:
            RolledBackError: This one was; nothing was changed. Do the block again: the store can't.
            AmbiguousCommitError: No answer came to the commit.
            RuntimeError: This thread has one open already.
        """
        with (
            self._burial() as expired,
            self._database.transaction() as session,
            self._mapping(session, expired) as transaction,
        ):
            yield transaction

    # MutableMapping makes these of several verbs. In a transaction, nobody comes in between.

    def pop(self, key: str, *default: Any) -> Any:
        """Remove `key` and return its value; return the default, where one is given, when it is missing."""
        return self._atomically(lambda transaction: transaction.pop(key, *default))

    def popitem(self) -> tuple[str, Any]:
        """Remove some key and return it with its value; raise KeyError when there is none."""
        return self._atomically(lambda transaction: transaction.popitem())

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; write `default` first when it is missing."""
        return self._atomically(lambda transaction: transaction.setdefault(key, default))

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Write several keys, all or none."""
        items = dict(*args, **kwargs)  # an iterator can't be asked again
        self._atomically(lambda transaction: transaction.update(items))

    def save_snapshot(self, name: str) -> None:
        """Keep the whole state under `name`, instead of an older snapshot of that name. Values stay on the server."""
        parameters = {"name": encode_key(name), "now": self._clock()}
        len(self)  # moves what has expired to the history
        self._write(records.SAVE_SNAPSHOT, parameters)

    def load_snapshot(self, name: str) -> dict[str, Any]:
        """Return the state kept under `name`; raise KeyError when there is none. The store stays as it is."""
        rows = self._read(records.LOAD_SNAPSHOT, {"name": encode_key(name)})
        if not rows:
            raise KeyError(name)
        kept = [Record(f"snapshot {name!r}", *row) for _, *row in rows if row[0] is not None]
        if len(kept) != rows[0][0]:
            raise CorruptRecord(f"snapshot {name!r}", f"has {len(kept)} keys of {rows[0][0]}")
        return {decode_key(record.key): record.loaded() for record in kept}

    def list_snapshots(self) -> list[str]:
        """Return the names of all snapshots."""
        return [decode_key(name) for (name,) in self._read(records.LIST_SNAPSHOTS)]

    def ping(self) -> bool:
        """Return True when the server answers."""
        return self._read("SELECT true") == [(True,)]

    def stats(self) -> dict[str, int]:
        """Return how many keys, superseded versions and snapshots there are, and the size of the schema in bytes."""
        ((superseded, snapshots, size),) = self._read(records.STATS)
        return {"keys": len(self), "superseded": superseded, "snapshots": snapshots, "bytes": size}

    def flush(self) -> None:
        """Do nothing: a write is as lasting as the server makes it when it returns."""
        self.ping()

    def compact(self) -> None:
        """Make the space of what was deleted free for new records. May take longer than the timeout."""
        len(self)  # moves what has expired to the history
        self._database.vacuum("entries, history, snapshots, snapshot_entries")

    def verify(self) -> Report:
        """Read everything, values too, and return how many keys are whole and what is damaged."""
        expired: list[Expired] = []
        report = inspection.of_state(self._database, self._clock(), expired)
        if expired:
            self._seen_expired(expired)
        return report

    def _read(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        return self._database.read(statement, parameters)

    def _write(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        return self._database.write(statement, parameters)

    def _seen_expired(self, expired: list[Expired]) -> None:
        self._unburied.extend(expired)
        self._bury()

    def _bury(self) -> None:
        """Write what was seen to have expired; inside a transaction of this thread, the end of it comes here again."""
        if self._unburied and not self._database.in_transaction():
            expired = list(dict.fromkeys(self._unburied.popleft() for _ in range(len(self._unburied))))
            try:
                self._write(records.BURY, buried(expired))
            except BaseException:
                self._unburied.extend(expired)
                raise

    @contextmanager
    def _burial(self) -> Iterator[list[Expired]]:
        """Give a list for what a transaction sees to have expired: that stays so when the transaction is undone."""
        expired: list[Expired] = []
        try:
            yield expired
        except BaseException:
            self._unburied.extend(expired)
            with suppress(Exception):  # what is being raised says more; the next one to see an expired key tries again
                self._bury()
            raise
        self._bury()  # what the store itself saw meanwhile

    @contextmanager
    def _mapping(self, session: Session, expired: list[Expired]) -> Iterator[Transaction]:
        transaction = Transaction(session, self._clock, self._history_limit)
        try:
            yield transaction
        finally:
            transaction.end()
            expired += transaction.expired
        transaction.refuse_failed()

    def _atomically(self, body: Callable[[Transaction], _Result]) -> _Result:
        """Do something with the mapping of a transaction, and again when the server rolls it back."""
        with self._burial() as expired:

            def done(session: Session) -> _Result:
                with self._mapping(session, expired) as transaction:
                    return body(transaction)

            return self._database.atomically(done)

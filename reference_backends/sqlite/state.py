"""The `state` store: the verbs of a mapping, each in a transaction of its own; snapshots, health and maintenance."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reference_backends._errors import ConflictError, CorruptRecord, Damage, Report
from reference_backends._json import loads
from reference_backends.sqlite.database import Database
from reference_backends.sqlite.records import (
    HEAD_COLUMNS,
    TABLES,
    Head,
    Records,
    checked_head,
    checked_value,
    decode_key,
    encode_key,
)
from reference_backends.sqlite.schema import STATE_SCHEMA
from reference_backends.sqlite.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reference_backends.sqlite.session import Session


class Transaction(Verbs):
    """The mapping of a transaction: shows what it wrote itself; nobody else sees that before it ends.

    It belongs to the thread that began it. Every verb raises ValueError after its end.
    """

    def __init__(self, records: Records, clock: Callable[[], float], history_limit: int | None) -> None:
        super().__init__(clock, history_limit)
        self._records = records
        self._thread = threading.get_ident()
        self._ended = False
        self._broken = False
        self.expired: list[Head] = []

    def end(self) -> None:
        """Refuse all use from now on."""
        self._ended = True

    def refuse_broken(self) -> None:
        """Raise RuntimeError when a write failed half way: the block went on, but must not be committed."""
        if self._broken:
            raise RuntimeError("A write of this transaction had failed: all of it was undone.")

    @contextmanager
    def _reading(self) -> Iterator[Records]:
        if self._ended:
            raise ValueError("The transaction has ended.")
        if self._thread != threading.get_ident():
            raise RuntimeError("A transaction belongs to the thread that began it.")
        self.refuse_broken()
        yield self._records

    @contextmanager
    def _writing(self) -> Iterator[Records]:
        with self._reading() as records:
            try:
                yield records
            except (KeyError, ConflictError):
                raise  # refused before the first change
            except BaseException:
                self._broken = True
                raise

    def _seen_expired(self, head: Head) -> None:
        self.expired.append(head)


class SqliteState(Verbs):
    """A `state` store in a SQLite file, for any number of threads and processes.

    Every verb raises TypeError for a key that is not a str, ValueError once the store is closed, and CorruptRecord
    when what it needs is damaged. Opening reads every record, without the values.

    Args:
        path: The file. Made when it is missing.
        clock: Returns the time as POSIX seconds; expiry asks it.
        history_limit: How many versions of a key are kept, the present one included; None for all. Applied when the key
            is written.

    Raises:
        ValueError: The limit is less than 1.
        CorruptRecord: The file is not a state store.
        NewerSchemaError: A newer version of this code wrote it.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time, history_limit: int | None = None) -> None:
        if history_limit is not None and history_limit < 1:
            raise ValueError(f"history_limit={history_limit!r} would not keep the present version.")
        super().__init__(clock, history_limit)
        self._database = Database(path, STATE_SCHEMA)
        self._expired = threading.local()
        self._doubt = ""
        try:
            with self._reading() as records:
                self._doubt = records.find_doubt()
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the file. Harmless when repeated."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Give a mapping whose changes are made all together when the block ends, or not at all when it raises.

        Everybody reads the state before it meanwhile, also through this store in the same thread; writes by others
        wait for its end.

        Raises:
            RuntimeError: This thread has one open already.
        """
        with self._writing() as records:
            transaction = Transaction(records, self._clock, self._history_limit)
            try:
                yield transaction
            finally:
                transaction.end()
                for head in transaction.expired:
                    self._seen_expired(head)
            transaction.refuse_broken()

    # MutableMapping makes these of several verbs. In a transaction, nobody comes in between.

    def pop(self, key: str, *default: Any) -> Any:
        """Remove `key` and return its value; return the default, where one is given, when it is missing."""
        with self.transaction() as transaction:
            return transaction.pop(key, *default)

    def popitem(self) -> tuple[str, Any]:
        """Remove some key and return it with its value; raise KeyError when there is none."""
        with self.transaction() as transaction:
            return transaction.popitem()

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; write `default` first when it is missing."""
        with self.transaction() as transaction:
            return transaction.setdefault(key, default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Write several keys, all or none."""
        with self.transaction() as transaction:
            transaction.update(*args, **kwargs)

    def save_snapshot(self, name: str) -> None:
        """Keep the whole state under `name`, instead of an older snapshot of that name."""
        encoded = encode_key(name)
        with self._writing() as records:
            # Keys as hex digits: JSON would make one character of two surrogates, and so another key.
            items = [f'["{head.key.hex()}", {records.value(head).decode()}]' for head in self._all_present(records)]
            before = records.head("snapshots", encoded)
            if before is not None:
                records.remove(before)
            records.add("snapshots", encoded, f"[{', '.join(items)}]".encode())

    def load_snapshot(self, name: str) -> dict[str, Any]:
        """Return the state kept under `name`; raise KeyError when there is none. The store stays as it is."""
        encoded = encode_key(name)
        with self._reading() as records:
            head = records.head("snapshots", encoded)
            if head is None:
                raise KeyError(name)
            text = records.value(head)
        return {decode_key(bytes.fromhex(key)): value for key, value in loads(text.decode())}

    def list_snapshots(self) -> list[str]:
        """Return the names of all snapshots."""
        with self._reading() as records:
            return [decode_key(head.key) for head in records.heads("snapshots")]

    def ping(self) -> bool:
        """Return True when the file answers."""
        with self._reading() as records:
            return records.summary.last_version >= 0

    def stats(self) -> dict[str, int]:
        """Return how many keys, superseded versions and snapshots there are, and the size of the file in bytes."""
        with self._reading() as records:
            ((superseded, snapshots, size),) = records.session.rows(
                "SELECT (SELECT count(*) FROM history), (SELECT count(*) FROM snapshots), page_count * page_size "
                "FROM pragma_page_count, pragma_page_size"
            )
            keys = sum(1 for _ in self._all_present(records))
        return {"keys": keys, "superseded": superseded, "snapshots": snapshots, "bytes": size}

    def flush(self) -> None:
        """Do nothing: a write is on the disk when it returns."""
        with self._reading():
            pass

    def compact(self) -> None:
        """Give the space of what was deleted back to the file system. Needs as much free space as the file takes."""
        len(self)  # moves what has expired to the history
        self._database.compact()

    def verify(self) -> Report:
        """Read everything, values too, and return how many keys are whole and what is damaged."""
        with self._reading() as records:
            damaged = records.session.structure_damage()
            found = [each for table in TABLES for each in _inspect(records.session, table)]
            damaged += [each for each in found if isinstance(each, Damage)]
            entries = [each for each in found if isinstance(each, Head) and each.table == "entries"]
            healthy = sum(1 for head in entries if not self._is_expired(head))
        return Report(healthy, tuple(dict.fromkeys(damaged)))

    @contextmanager
    def _reading(self) -> Iterator[Records]:
        try:
            with self._database.read() as session:
                yield Records(session, self._doubt)
        finally:
            self._bury_expired()

    @contextmanager
    def _writing(self) -> Iterator[Records]:
        try:
            with self._database.write() as session:
                records = Records(session, self._doubt)
                yield records
                records.save_summary()
        finally:
            self._bury_expired()

    def _seen_expired(self, head: Head) -> None:
        self._expired_heads().append(head)

    def _expired_heads(self) -> list[Head]:
        heads: list[Head] = self._expired.__dict__.setdefault("heads", [])  # of this thread
        return heads

    def _bury_expired(self) -> None:
        """Move to the history what this thread has seen expired: on the disk, where no clock brings it back."""
        if not self._expired_heads() or self._database.in_transaction():  # the end of the transaction comes here again
            return
        heads = self._expired_heads().copy()
        self._expired_heads().clear()
        if self._doubt:
            return  # nothing can be written
        with self._database.write() as session:
            records = Records(session)
            for head in heads:
                if records.head("entries", head.key, head.version) is not None:
                    records.supersede(head)
                    self._trim_history(records, head.key)
            records.save_summary()


def _inspect(session: Session, table: str) -> list[Head | Damage]:
    """Read a table with its values, go on behind damaged records, and return what each record is."""
    found: list[Head | Damage] = []
    try:
        rows = session.stream(f"SELECT {HEAD_COLUMNS}, value FROM {table}")
        found.extend(_inspect_row(table, row) for row in rows)
        if all(isinstance(each, Head) for each in found):
            for _ in Records(session).heads(table):  # each one is whole; are they all there, and in order?
                pass
    except CorruptRecord as error:
        found.append(Damage(error.where, error.what))
    return found


def _inspect_row(table: str, row: tuple[Any, ...]) -> Head | Damage:
    try:
        head = checked_head(table, row[:-1])
        checked_value(head, row[-1])
    except CorruptRecord as error:
        return Damage(error.where, error.what)
    return head

"""One SQLite file, opened in the one way that keeps the promises of this backend."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reference_backends._files import sync_directory
from reference_backends.sqlite.errors import CorruptRecordError, Damage, NewerSchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: How long a write waits for the writers of other processes.
BUSY_TIMEOUT_SECONDS = 30.0

#: From this size on, a write first moves what the WAL holds into the database file.
WAL_BYTES_MAX = 4 * 1024 * 1024

#: Name, what is set, and what SQLite answers once it holds. SQLite ignores a pragma that it does not know or cannot
#: apply, without an error, so that each one is asked for afterwards.
PRAGMAS: tuple[tuple[str, str | int, str | int], ...] = (
    # A commit is one write and one sync, and readers never wait. The default journal, DELETE, loses commits that were
    # acknowledged: the removal of the journal is not synced, and a journal that comes back undoes its transaction.
    ("journal_mode", "WAL", "wal"),
    # NORMAL syncs the WAL at checkpoints only: a power loss takes every commit since the last one.
    ("synchronous", "FULL", 2),
    # On macOS an ordinary fsync stops at the cache of the drive. No effect elsewhere.
    ("fullfsync", "ON", 1),
    ("checkpoint_fullfsync", "ON", 1),
    # `Database._checkpoint` says why SQLite must not do this by itself.
    ("wal_autocheckpoint", 0, 0),
    # Makes the WAL file as short as its content each time it starts again, so that its size tells how much it holds.
    ("journal_size_limit", 0, 0),
    # Damaged pages are refused when they are read, instead of being followed to wherever they point.
    ("cell_size_check", "ON", 1),
)


@dataclass(frozen=True)
class Schema:
    """The tables of a database file.

    Attributes:
        version: What `PRAGMA user_version` says in a file with these tables.
        statements: The SQL that makes them, exactly as SQLite keeps it.
        fill: Writes the first rows of an empty database.
        steps: For each older version, what makes the next version of it. Steps run in one transaction, all or none.
    """

    version: int
    statements: tuple[str, ...]
    fill: Callable[[sqlite3.Connection], None]
    steps: Mapping[int, Callable[[sqlite3.Connection], None]] = field(default_factory=dict)

    def create(self, connection: sqlite3.Connection) -> None:
        """Make the tables and their first rows."""
        for statement in self.statements:
            connection.execute(statement)
        self.fill(connection)


class Database:
    """A handle on a database file: transactions for any number of threads, beside any number of other processes.

    Two connections: one writes, one at a time; the other reads what is committed, also while a transaction is open.

    Args:
        path: The file. Made when it is missing; migrated when its schema is an older one.
        schema: What the file holds.

    Raises:
        CorruptRecordError: The file is not a database, or has not got these tables.
        NewerSchemaError: Its schema is newer than `schema`.
        RuntimeError: SQLite did not apply a pragma that durability rests on.
    """

    def __init__(self, path: Path, schema: Schema) -> None:
        self.path = path.absolute()
        self._schema = schema
        self._closed = False
        # Always taken in this order. Re-entrant, so that a write inside the block of a transaction is refused instead
        # of waiting for itself for ever.
        self._writing = threading.RLock()
        self._reading = threading.RLock()
        self._create_if_missing()
        with ExitStack() as opened, damage_named(str(self.path)):
            self._writer = opened.enter_context(closing(_connect(self.path, "rw")))
            self._refuse_unknown_version()  # before the first change, which the journal mode may be
            _configure(self._writer)
            self._migrate()
            self._refuse_unknown_tables()
            self._reader = opened.enter_context(closing(_connect(self.path, "rw")))
            _configure(self._reader)
            # The name of the file must outlast a power loss as well, or its content is in no directory. Every handle
            # sees to it, because any handle may be the first to acknowledge a write.
            sync_directory(self.path.parent)
            opened.pop_all()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one committed state for the length of the block."""
        with self._reading, damage_named(str(self.path)):
            self._refuse_closed()
            self._reader.execute("BEGIN")
            try:
                yield self._reader
            finally:
                self._reader.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose changes are committed when the block ends, and undone when it raises.

        IMMEDIATE takes the write lock at the begin. A transaction that reads first and asks for the lock later cannot
        have it any more when another process has written in between.

        Raises:
            RuntimeError: This thread is inside such a block already.
        """
        with self._writing, damage_named(str(self.path)):
            self._refuse_closed()
            self._refuse_nesting()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                self._checkpoint_if_due()
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # SQLite ends it by itself after some errors, such as a full disk
                    self._writer.execute("ROLLBACK")
                raise

    def in_transaction(self) -> bool:
        """Tell whether this thread is inside a `write` block."""
        if not self._writing.acquire(blocking=False):
            return False  # some other thread is
        try:
            return not self._closed and self._writer.in_transaction
        finally:
            self._writing.release()

    def compact(self) -> None:
        """Give the space of what was deleted back to the file system."""
        with self._writing, damage_named(str(self.path)):
            self._refuse_closed()
            self._refuse_nesting()
            self._writer.execute("VACUUM")
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                self._checkpoint()
            finally:
                self._writer.execute("ROLLBACK")

    def structure_damage(self, connection: sqlite3.Connection) -> list[Damage]:
        """Return what SQLite itself finds wrong with the file: pages, cells and indexes, not their content."""
        try:
            answers = [answer for (answer,) in connection.execute("PRAGMA integrity_check")]
        except sqlite3.DatabaseError as error:
            answers = [str(error)]
        return [Damage(str(self.path), answer) for answer in answers if answer != "ok"]

    def close(self) -> None:
        """Close both connections. Harmless when repeated.

        Raises:
            RuntimeError: This thread is inside a `write` block.
        """
        with self._writing, self._reading:
            if self._closed:
                return
            self._refuse_nesting()
            self._closed = True
            self._reader.close()
            self._writer.close()

    def refuse_closed(self) -> None:
        """Raise ValueError, as files do, once the handle is closed."""
        with self._reading:
            self._refuse_closed()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise ValueError(f"The store at {self.path} is closed.")

    def _refuse_nesting(self) -> None:
        if self._writer.in_transaction:
            raise RuntimeError("This thread has a transaction open on this store: write through its mapping.")

    def _create_if_missing(self) -> None:
        """Make the database under another name, and give it its own when it is whole.

        Two things follow. Whoever finds the file finds a complete one, however many processes create it at once. And
        an empty file was never a new store: SQLite takes one for a new database, and answers that all is well.
        """
        wal = self.path.with_name(f"{self.path.name}-wal")
        if wal.exists() and not self.path.exists():  # in this order: another process may be creating both just now
            raise CorruptRecordError(str(self.path), f"is missing, but {wal.name} is there")
        if not self.path.exists():
            newborn = self.path.with_name(f"{self.path.name}.new-{secrets.randbelow(10**16):016d}")
            try:
                with closing(_connect(newborn, "rwc")) as connection:
                    _configure(connection)
                    connection.execute("BEGIN IMMEDIATE")
                    self._schema.create(connection)
                    connection.execute(f"PRAGMA user_version = {self._schema.version}")
                    connection.execute("COMMIT")
                    # Closing does the same, but says nothing when it fails; the new name gets only what is in the file.
                    _require_checkpoint(connection)
                os.link(newborn, self.path)
            except FileExistsError:
                pass  # another process was faster, and its store is as good
            finally:
                newborn.unlink(missing_ok=True)
        if self.path.stat().st_size == 0:
            raise CorruptRecordError(str(self.path), "is empty")

    def _refuse_unknown_version(self) -> None:
        version = _version(self._writer)
        if version > self._schema.version:
            raise NewerSchemaError(
                f"{self.path} has schema {version}; this code knows schemas up to {self._schema.version}. It was left as "
                f"it is. Open it with the newer code that wrote it."
            )
        if version != self._schema.version and version not in self._schema.steps:
            raise CorruptRecordError(str(self.path), f"has schema {version}, which no code ever wrote here")

    def _migrate(self) -> None:
        """Bring an older schema up to date, after a copy of the file was put aside."""
        if _version(self._writer) == self._schema.version:
            return
        with self.write() as connection:
            before = _version(connection)  # again: another process may have migrated while this one waited
            if before == self._schema.version:
                return
            self._back_up(before)
            for version in range(before, self._schema.version):
                self._schema.steps[version](connection)
            connection.execute(f"PRAGMA user_version = {self._schema.version}")

    def _back_up(self, version: int) -> None:
        """Copy the file to `<name>.backup-v<version>`; on the disk before the migration commits."""
        backup = self.path.with_name(f"{self.path.name}.backup-v{version}")
        unfinished = backup.with_name(f"{backup.name}.new")
        unfinished.unlink(missing_ok=True)  # left by a process that died in here; the write lock keeps others out
        with closing(_connect(self.path, "rw")) as source, closing(_connect(unfinished, "rwc")) as copy:
            _configure(copy)
            source.backup(copy)
            _require_checkpoint(copy)
        unfinished.replace(backup)
        sync_directory(backup.parent)

    def _refuse_unknown_tables(self) -> None:
        found = self._writer.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY sql")
        if [sql for (sql,) in found] != sorted(self._schema.statements):
            raise CorruptRecordError(str(self.path), f"has not got the tables of schema {self._schema.version}")

    def _checkpoint_if_due(self) -> None:
        try:
            wal_bytes = self.path.with_name(f"{self.path.name}-wal").stat().st_size
        except FileNotFoundError:
            return
        if wal_bytes >= WAL_BYTES_MAX:
            self._checkpoint()

    def _checkpoint(self) -> None:
        """Move what the WAL holds into the database file, while the writer holds the write lock.

        SQLite would do so after a commit, without that lock. Up to version 3.51.2 it then loses a commit that another
        process makes at the wrong instant (https://sqlite.org/wal.html#walresetbug). Nobody commits under the lock. The
        connection that holds it may not checkpoint; the other one may.
        """
        with self._reading:
            self._reader.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


@contextmanager
def damage_named(where: str) -> Iterator[None]:
    """Turn what SQLite raises about a damaged file into CorruptRecordError; let its other errors pass."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # Exactly this class: the subclasses are a full disk, a lock, a mistake in SQL. Error codes came in Python 3.11.
        if type(error) is sqlite3.DatabaseError:
            raise CorruptRecordError(where, str(error)) from error
        raise


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Connect to a file; with mode `rw` it must be there, so that no empty database takes the place of a lost one."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT_SECONDS,
        isolation_level=None,  # transactions begin and end where this code says so, not where a driver guesses
        check_same_thread=False,  # the locks of `Database` do it
    )
    # Everything is stored as a BLOB. What comes out as text is damaged, and must reach the check of its digest instead
    # of failing here because it is not UTF-8.
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection


def _configure(connection: sqlite3.Connection) -> None:
    for name, wanted, expected in PRAGMAS:
        connection.execute(f"PRAGMA {name} = {wanted}").fetchall()
        answer = connection.execute(f"PRAGMA {name}").fetchone()
        if answer != (expected,):
            raise RuntimeError(f"SQLite answered {answer} to PRAGMA {name} = {wanted}: no promise of this store holds.")


def _require_checkpoint(connection: sqlite3.Connection) -> None:
    """Move all of the WAL into the database file, of which this is the only connection."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise RuntimeError("SQLite could not complete the checkpoint of a file that nobody else uses.")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)

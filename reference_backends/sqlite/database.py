"""A database file: how it is born, migrated, shared between threads and processes, and closed."""

from __future__ import annotations

import os
import secrets
import threading
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reference_backends._errors import CorruptRecord, NewerSchemaError
from reference_backends._files import sync, sync_directory
from reference_backends.sqlite.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

#: From this size of the WAL on, a write first moves what it holds into the database file.
WAL_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True)
class Schema:
    """The tables of a database file.

    Attributes:
        version: What `PRAGMA user_version` says in a file with these tables.
        statements: The SQL that makes them, as SQLite keeps it.
        fill: Writes the first rows of an empty database.
        steps: For each older version, what makes the next version of it. They run in one transaction, all or none.
    """

    version: int
    statements: tuple[str, ...]
    fill: Callable[[Session], None]
    steps: Mapping[int, Callable[[Session], None]] = field(default_factory=dict)


class Database:
    """A handle on a database file: transactions for any number of threads, beside any number of other processes.

    It has two connections. One writes; the other reads what is committed, also while a transaction is open.

    Args:
        path: The file. Made when it is missing, migrated when its schema is an older one.
        schema: What the file holds.

    Raises:
        CorruptRecord: The file is not a database, or has not got the tables of the schema.
        NewerSchemaError: The schema of the file is newer than `schema`.
        RuntimeError: SQLite did not apply a pragma.
    """

    def __init__(self, path: Path, schema: Schema) -> None:
        self.path = path.absolute()
        self._schema = schema
        self._closed = False
        # Always taken in this order. Re-entrant, so that a write inside the block of a transaction can be refused
        # instead of waiting for itself.
        self._writing = threading.RLock()
        self._reading = threading.RLock()
        self._create_if_missing()
        with ExitStack() as opened:
            self._writer = opened.enter_context(closing(Session(self.path)))
            self._reader = opened.enter_context(closing(Session(self.path)))
            self._refuse_unknown_version()  # before the first change to the file, such as its journal mode
            self._writer.configure()
            self._reader.configure()
            self._migrate()
            self._refuse_unknown_tables()
            opened.pop_all()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that sees one committed state for the length of the block."""
        with self._reading:
            self._refuse_closed()
            self._reader.rows("BEGIN")
            try:
                yield self._reader
            finally:
                if self._reader.in_transaction:
                    self._reader.rows("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose changes are committed when the block ends, and undone when it raises.

        IMMEDIATE takes the write lock at the begin: a transaction that reads first and asks for the lock later is
        refused it when another process wrote in between.

        Raises:
            RuntimeError: This thread is inside such a block already.
        """
        with self._writing:
            self._refuse_closed()
            self._refuse_nesting()
            self._checkpoint_if_due()
            self._writer.rows("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.rows("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # SQLite has ended it by itself after some errors, as on a full disk
                    self._writer.rows("ROLLBACK")
                raise

    def in_transaction(self) -> bool:
        """Tell whether this thread is inside a `write` block."""
        if not self._writing.acquire(blocking=False):
            return False  # another thread may be
        try:
            return not self._closed and self._writer.in_transaction
        finally:
            self._writing.release()

    def compact(self) -> None:
        """Give the space of what was deleted back to the file system."""
        with self._writing:
            self._refuse_closed()
            self._refuse_nesting()
            self._writer.rows("VACUUM")
            self._checkpoint()

    def close(self) -> None:
        """Close both connections. Harmless when repeated.

        Raises:
            RuntimeError: This thread is inside a `write` block.
        """
        with self._writing, self._reading:
            if not self._closed:
                self._refuse_nesting()
                self._closed = True
                self._reader.close()
                self._writer.close()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise ValueError(f"The store at {self.path} is closed.")

    def _refuse_nesting(self) -> None:
        if self._writer.in_transaction:
            raise RuntimeError("This thread has a transaction open on this store: use the mapping that it gave.")

    def _create_if_missing(self) -> None:
        """Make the database under another name, and give it its own when it is whole.

        Two things follow. Whoever finds the file finds a complete one, however many processes make it at once. And an
        empty file never was a new store: SQLite takes one for a new database, in which all is well.
        """
        wal = self._beside("-wal")
        if wal.exists() and not self.path.exists():  # in this order: another process may be making both just now
            raise CorruptRecord(str(self.path), f"is missing, while {wal.name} is there")
        if not self.path.exists():
            newborn = self._beside(f".new-{secrets.randbelow(10**16):016d}")
            try:
                self._create(newborn)
                with suppress(FileExistsError):  # another process was faster, and its file is as good
                    os.link(newborn, self.path)
            finally:
                newborn.unlink(missing_ok=True)
        if self.path.stat().st_size == 0:
            raise CorruptRecord(str(self.path), "is empty")
        # Content whose name is lost is lost as well. Every handle sees to the name, because any handle may be the first
        # one that acknowledges a write; and it does so before there is a WAL, which without the name is refused above.
        sync_directory(self.path.parent)

    def _create(self, newborn: Path) -> None:
        with closing(Session(newborn, "rwc")) as session:
            session.configure()
            session.rows("BEGIN IMMEDIATE")
            for statement in self._schema.statements:
                session.rows(statement)
            self._schema.fill(session)
            session.rows(f"PRAGMA user_version = {self._schema.version}")
            session.rows("COMMIT")
            # The new name will be that of the file alone, without its WAL. Closing moves the WAL into the file too, but
            # says nothing when that fails.
            session.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def _refuse_unknown_version(self) -> None:
        version = _version(self._writer)
        if version > self._schema.version:
            raise NewerSchemaError(
                f"{self.path} has schema {version}, and this code knows schemas up to {self._schema.version}. The file "
                f"was left as it is: open it with the code that wrote it, or newer."
            )
        if version != self._schema.version and version not in self._schema.steps:
            raise CorruptRecord(str(self.path), f"has schema {version}, which was never written")

    def _migrate(self) -> None:
        """Bring an older schema up to date, after a copy of the file was put aside."""
        if _version(self._writer) == self._schema.version:
            return
        with self.write() as session:
            before = _version(session)  # once more: another process may have migrated while this one waited
            if before < self._schema.version:
                self._back_up(before)
            for version in range(before, self._schema.version):
                self._schema.steps[version](session)
            session.rows(f"PRAGMA user_version = {self._schema.version}")
            self._refuse_unknown_tables()  # as long as all of it can be undone

    def _back_up(self, version: int) -> None:
        """Copy the file to `<name>.backup-v<version>`; on the disk before the migration can commit."""
        backup = self._beside(f".backup-v{version}")
        unfinished = self._beside(f".backup-v{version}.new")
        unfinished.unlink(missing_ok=True)  # of a process that died in here; the write lock keeps out those that live
        with closing(Session(unfinished, "rwc")) as copy:
            self._reader.connection.backup(copy.connection)
        with unfinished.open("rb+") as file:
            sync(file.fileno())
        unfinished.replace(backup)
        sync_directory(backup.parent)

    def _refuse_unknown_tables(self) -> None:
        found = self._writer.rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        if sorted(found) != sorted((statement,) for statement in self._schema.statements):
            raise CorruptRecord(str(self.path), f"has not got the tables of schema {self._schema.version}")

    def _checkpoint_if_due(self) -> None:
        wal = self._beside("-wal")
        if wal.exists() and wal.stat().st_size >= WAL_BYTES_MAX:
            self._checkpoint()

    def _checkpoint(self) -> None:
        """Move what the WAL holds into the database file, under the write lock; the next write starts the WAL again.

        SQLite does so after a commit, without that lock, and up to version 3.51.2 it can then lose what another process
        commits at the wrong instant (https://sqlite.org/wal.html#walresetbug). Under the lock nobody commits. The
        connection that holds it cannot checkpoint, but the other one can.
        """
        self._writer.rows("BEGIN IMMEDIATE")
        try:
            with self._reading:
                self._reader.rows("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            self._writer.rows("ROLLBACK")

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)


def _version(session: Session) -> int:
    ((version,),) = session.rows("PRAGMA user_version")
    return int(version)

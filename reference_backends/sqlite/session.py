"""A connection to a SQLite file, set up in the one way that keeps the promises of this backend."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from reference_backends._errors import CorruptRecord, Damage

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

#: How long a write waits for the writers of other processes.
BUSY_TIMEOUT_SECONDS = 30.0

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


class Session:
    """One connection. What SQLite says about a damaged file comes as CorruptRecord; its other errors pass.

    Args:
        path: The file.
        mode: `rw`, which refuses a missing file instead of putting an empty database in its place; or `rwc`.
    """

    def __init__(self, path: Path, mode: str = "rw") -> None:
        self._path = path
        self.connection = sqlite3.connect(
            f"{path.as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,  # transactions begin and end where this code says so, not where a driver guesses
            check_same_thread=False,  # the locks of `Database` see to that
        )
        # All content is stored as BLOB. What comes out as text is damaged, and must reach the check of its digest
        # instead of failing here because it is not UTF-8.
        self.connection.text_factory = lambda raw: raw.decode("utf-8", "replace")

    def configure(self) -> None:
        """Apply the pragmas.

        Raises:
            RuntimeError: SQLite did not.
        """
        for name, wanted, expected in PRAGMAS:
            self.rows(f"PRAGMA {name} = {wanted}")
            answer = self.rows(f"PRAGMA {name}")
            if answer != [(expected,)]:
                raise RuntimeError(f"SQLite answered {answer} to PRAGMA {name} = {wanted}; nothing here is safe then.")

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.connection.in_transaction

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        return list(self.stream(sql, *parameters))

    def row(self, sql: str, *parameters: object) -> tuple[Any, ...] | None:
        """Run a statement and return its only row, or None."""
        rows = self.rows(sql, *parameters)
        return rows[0] if rows else None

    def stream(self, sql: str, *parameters: object) -> Generator[tuple[Any, ...], None, None]:
        """Run a statement and give its rows one at a time, for what may not fit in memory."""
        try:
            yield from self.connection.execute(sql, parameters)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            # Exactly DatabaseError: its subclasses are a full disk, a lock, a mistake in SQL. Error codes came with
            # Python 3.11. And a message that cannot be decoded quotes a damaged schema.
            if type(error) in (sqlite3.DatabaseError, UnicodeDecodeError):
                raise CorruptRecord(str(self._path), str(error)) from error
            raise

    def change(self, sql: str, *parameters: object) -> int:
        """Run a statement and return how many rows it changed."""
        self.rows(sql, *parameters)
        ((changed,),) = self.rows("SELECT changes()")
        return int(changed)

    def structure_damage(self) -> list[Damage]:
        """Return what SQLite itself finds wrong: pages and cells and their order, but nothing of their content."""
        try:
            answers = [answer for (answer,) in self.stream("PRAGMA integrity_check")]
        except (CorruptRecord, sqlite3.Error) as error:
            answers = [str(error)]
        return [Damage(str(self._path), answer) for answer in answers if answer != "ok"]

    def close(self) -> None:
        """Close the connection. Harmless when repeated."""
        self.connection.close()

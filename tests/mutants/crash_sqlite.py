"""State stores on SQLite whose settings keep less than they promise."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.mutants.base import PlainState
from tests.mutants.crash_marks import broken_state, marked


class SyncedSqlite(PlainState):
    """SQLite with the settings of a subclass, in force before the first table is made."""

    journal_mode = "WAL"
    synchronous = "FULL"

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        try:
            (mode,) = self._database.execute(f"PRAGMA journal_mode = {self.journal_mode}").fetchone()
            if mode.upper() != self.journal_mode:
                raise OSError(f"the journal mode stays {mode}")
            self._database.execute(f"PRAGMA synchronous = {self.synchronous}")
            self._database.execute("CREATE TABLE IF NOT EXISTS state (key BLOB PRIMARY KEY, value TEXT)")
        except BaseException:
            self._database.close()
            raise


@broken_state("SQLite as Python opens it: the removal of the journal, which is the commit, is not synced.", "21")
class SqliteDeleteFull(SyncedSqlite):
    journal_mode = "DELETE"


@broken_state("SQLite with a log in front, in the setting that does not sync commits.", "21 22 23 26")
class SqliteWalNormal(SyncedSqlite):
    synchronous = "NORMAL"


@broken_state("SQLite without any sync.", "11")
class SqliteUnsynced(SyncedSqlite):
    journal_mode = "DELETE"
    synchronous = "OFF"


@broken_state("SQLite without a journal: what was half written stays half written.", "01")
class SqliteWithoutJournal(SyncedSqlite):
    journal_mode = "OFF"


MUTANTS = marked(globals())

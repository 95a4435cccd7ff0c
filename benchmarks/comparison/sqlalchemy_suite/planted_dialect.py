"""SQLite's dialect with the planted bugs that rows and statements can have; `EXPRESSED` names them.

The planted store has no SQL, so the bugs are planted anew, under their names, between the dialect and SQLite. What
only a store of files can have is not run here.
"""

from __future__ import annotations

import importlib
import os
import sqlite3
from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements

EXPRESSED = (
    "delete_keeps",
    "overwrite_ignored",
    "empty_is_missing",
    "zeros_stripped",
    "listing_misses_last",
    "written_in_place",
    "no_sync",
)
#: What SQLite calls writing in place, and not syncing.
_PRAGMAS = {"written_in_place": "PRAGMA journal_mode=OFF", "no_sync": "PRAGMA synchronous=OFF"}
_SKIPPED = {"delete_keeps": "DELETE", "overwrite_ignored": "UPDATE"}


def _bug() -> str:
    return os.environ.get("PLANTED_BUG", "")


class Cursor(sqlite3.Cursor):
    """A cursor that leaves out the last of several rows, where that is the bug."""

    def fetchall(self) -> list[Any]:
        rows = super().fetchall()
        return rows[:-1] if _bug() == "listing_misses_last" and len(rows) > 1 else rows


class Connection(sqlite3.Connection):
    """A connection with such cursors."""

    def cursor(self, factory: Any = Cursor) -> Any:
        return super().cursor(factory)


class PlantedDialect(SQLiteDialect_pysqlite):
    """SQLite with the bug of the environment."""

    supports_statement_cache = True

    @classmethod
    def load_provisioning(cls) -> None:
        """Load what the suite needs to know of SQLite."""
        importlib.import_module("sqlalchemy.dialects.sqlite.provision")

    def create_connect_args(self, url: Any) -> Any:
        args, given = super().create_connect_args(url)
        return args, {**given, "factory": Connection}

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        super().do_execute(cursor, *_planted(statement, parameters))

    def do_executemany(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        if not _is_skipped(statement):
            given = [_planted(statement, one)[1] for one in parameters]
            super().do_executemany(cursor, statement, given, context)

    def on_connect(self) -> Any:
        before = super().on_connect()

        def connected(connection: Any) -> None:
            if before is not None:
                before(connection)
            if _bug() in _PRAGMAS:
                connection.execute(_PRAGMAS[_bug()])

        return connected


def _is_skipped(statement: str) -> bool:
    return statement.lstrip().upper().startswith(_SKIPPED.get(_bug(), "\0"))


def _planted(statement: str, parameters: Any) -> tuple[str, Any]:
    bug = _bug()
    if _is_skipped(statement):
        return "SELECT 1 WHERE 0", ()
    if isinstance(parameters, (tuple, list)):
        if bug == "empty_is_missing":
            parameters = tuple(None if one in ("", b"") else one for one in parameters)
        if bug == "zeros_stripped":
            parameters = tuple(one.rstrip(b"\0") if isinstance(one, bytes) else one for one in parameters)
    return statement, parameters


class Requirements(SuiteRequirements):
    """What SQLite does not have; for the rest what the suite asks of any dialect."""

    @property
    def schemas(self) -> Any:
        """SQLite has no schemas but attached files."""
        return exclusions.closed()

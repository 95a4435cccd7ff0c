"""The tables of a state store, and how the tables of older versions become them.

| schema | what it has |
|---|---|
| 1 | `data(key TEXT, value TEXT)`: a value a key, and nothing that would tell when one is damaged |
| 2 | versions, expiry, history, snapshots; a digest for each record and a sum for each table |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_backends._json import loads
from reference_backends.sqlite.database import Schema
from reference_backends.sqlite.records import Records, Summary

if TYPE_CHECKING:
    from reference_backends.sqlite.session import Session

_RECORD = (
    "key BLOB NOT NULL, version INTEGER NOT NULL, expires_at REAL, value_digest BLOB NOT NULL, digest BLOB NOT NULL, "
    "value BLOB NOT NULL"
)

# WITHOUT ROWID: the rows are in the tree of the primary key itself. An index beside the table could be damaged without
# any record being so, and answer that a key is missing.
_STATEMENTS = (
    f"CREATE TABLE entries ({_RECORD}, PRIMARY KEY (key)) WITHOUT ROWID",
    f"CREATE TABLE history ({_RECORD}, PRIMARY KEY (key, version)) WITHOUT ROWID",
    f"CREATE TABLE snapshots ({_RECORD}, PRIMARY KEY (key)) WITHOUT ROWID",
    (
        "CREATE TABLE summary (id INTEGER PRIMARY KEY CHECK (id = 1), last_version INTEGER NOT NULL, "
        "sums BLOB NOT NULL, digest BLOB NOT NULL)"
    ),
)


def _fill(session: Session) -> None:
    Summary.of_nothing().save(session)


def _from_1_to_2(session: Session) -> None:
    for statement in _STATEMENTS:
        session.rows(statement)
    _fill(session)
    records = Records(session)
    # As BLOB, which is as written: what is no UTF-8 must not be repaired on the way.
    for key, value in session.stream("SELECT CAST(key AS BLOB), CAST(value AS BLOB) FROM data ORDER BY rowid"):
        loads(value.decode())  # what cannot be read later stops the migration now, while nothing is changed
        records.add("entries", key, value)
    records.save_summary()
    session.rows("DROP TABLE data")


STATE_SCHEMA = Schema(version=2, statements=_STATEMENTS, fill=_fill, steps={1: _from_1_to_2})

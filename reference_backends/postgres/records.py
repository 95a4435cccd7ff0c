"""The records of a state store: the tables they are in, the digest that each has, and the SQL of each verb.

Keys and values are `bytea`: `text` has neither NUL nor lone surrogates. The tables are indexed by the SHA-256 of the
key, because an index takes no key of more than some 2,700 bytes.

The server computes the digest of a record when it is written, because it gives the version that is part of it. Whoever
reads the record computes it again. A record that is superseded takes its digest along, so that what is damaged by then
does not get a new one.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from reference_backends._errors import CorruptRecord
from reference_backends._json import loads
from reference_backends.postgres.place import Tables

if TYPE_CHECKING:
    from reference_backends.postgres.session import Session

COLUMNS = "key, version, expires_at, digest, value"
_RECORD = (
    "key bytea NOT NULL, version bigint NOT NULL, expires_at double precision, digest bytea NOT NULL, "
    "value bytea NOT NULL"
)

# Each part but the last has a fixed length, so that no two records have the same text.
DIGEST = "sha256(int8send(version) || float8send(coalesce(expires_at, 'NaN')) || sha256(value) || key)"

_SCRIPT = f"""
CREATE TABLE entries ({_RECORD});
CREATE UNIQUE INDEX ON entries (sha256(key));
CREATE TABLE history ({_RECORD});
CREATE UNIQUE INDEX ON history (sha256(key), version);
CREATE TABLE snapshots (name bytea NOT NULL, keys bigint NOT NULL);
CREATE UNIQUE INDEX ON snapshots (sha256(name));
CREATE TABLE snapshot_entries (name bytea NOT NULL, {_RECORD});
CREATE INDEX ON snapshot_entries (sha256(name));
CREATE SEQUENCE versions;
"""

_OF_KEY = "sha256(key) = sha256(%(key)s)"
_OF_NAME = "sha256(name) = sha256(%(name)s)"

GET = f"SELECT {COLUMNS} FROM entries WHERE {_OF_KEY}"

LIST = "SELECT key, version, expires_at FROM entries ORDER BY key"

# How many keys there are, and which have expired.
COUNT = """
SELECT count(*) FILTER (WHERE expires_at IS NULL OR expires_at > %(now)s::float8),
    array_agg(key) FILTER (WHERE expires_at <= %(now)s::float8),
    array_agg(version) FILTER (WHERE expires_at <= %(now)s::float8)
FROM entries
"""

# One statement, so that it is one round trip, and one that needs no transaction around it. All parts of it see the
# state before it; where another transaction changes the entry meanwhile, the server rolls the later one back. A version
# comes from a sequence: that skips numbers where a transaction is undone, which a version may, and makes nobody wait.
PUT = f"""
WITH seen AS (SELECT {COLUMNS} FROM entries WHERE {_OF_KEY}),
given AS (
    SELECT nextval('versions') AS version
    WHERE %(always)s OR %(expected)s::bigint IS NOT DISTINCT FROM (
        SELECT version FROM seen WHERE expires_at IS NULL OR expires_at > %(now)s::float8
    )
),
record AS (SELECT %(key)s AS key, version, %(expires_at)s::float8 AS expires_at, %(value)s AS value FROM given),
kept AS (INSERT INTO history SELECT seen.* FROM seen, given),
written AS (
    INSERT INTO entries SELECT key, version, expires_at, {DIGEST}, value FROM record
    ON CONFLICT (sha256(key)) DO UPDATE
    SET version = excluded.version, expires_at = excluded.expires_at, digest = excluded.digest, value = excluded.value
    RETURNING version
)
SELECT (SELECT version FROM written), (SELECT version FROM seen), (SELECT expires_at FROM seen)
"""

DELETE = f"""
WITH gone AS (DELETE FROM entries WHERE {_OF_KEY} RETURNING {COLUMNS}),
kept AS (INSERT INTO history SELECT * FROM gone)
SELECT version, expires_at FROM gone
"""

CLEAR = f"WITH gone AS (DELETE FROM entries RETURNING {COLUMNS}) INSERT INTO history SELECT * FROM gone"

# What has been seen to have expired, unless it was written again since.
BURY = f"""
WITH gone AS (
    DELETE FROM entries USING unnest(%(keys)s::bytea[], %(versions)s::bigint[]) AS seen (seen_key, seen_version)
    WHERE sha256(key) = sha256(seen_key) AND version = seen_version RETURNING {COLUMNS}
)
INSERT INTO history SELECT * FROM gone
"""

VERSIONS = f"""
SELECT version FROM entries WHERE {_OF_KEY} UNION ALL SELECT version FROM history WHERE {_OF_KEY}
ORDER BY version DESC LIMIT %(limit)s::bigint
"""

GET_VERSION = f"""
SELECT {COLUMNS} FROM entries WHERE {_OF_KEY} AND version = %(version)s::bigint
UNION ALL SELECT {COLUMNS} FROM history WHERE {_OF_KEY} AND version = %(version)s::bigint
"""

TRIM = f"DELETE FROM history WHERE {_OF_KEY} AND version NOT IN (SELECT version FROM ({VERSIONS}) AS kept)"

SAVE_SNAPSHOT = f"""
WITH gone AS (DELETE FROM snapshot_entries WHERE {_OF_NAME}),
kept AS (
    INSERT INTO snapshot_entries SELECT %(name)s, {COLUMNS} FROM entries
    WHERE expires_at IS NULL OR expires_at > %(now)s::float8 RETURNING key
)
INSERT INTO snapshots SELECT %(name)s, count(*) FROM kept
ON CONFLICT (sha256(name)) DO UPDATE SET keys = excluded.keys
"""

LOAD_SNAPSHOT = f"""
SELECT snapshots.keys, {COLUMNS} FROM snapshots LEFT JOIN snapshot_entries AS entry
ON sha256(entry.name) = sha256(snapshots.name) WHERE sha256(snapshots.name) = sha256(%(name)s) ORDER BY key
"""

LIST_SNAPSHOTS = "SELECT name FROM snapshots ORDER BY name"

STATS = """
SELECT (SELECT count(*) FROM history), (SELECT count(*) FROM snapshots), sum(pg_total_relation_size(oid))::bigint
FROM pg_class WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relkind IN ('r', 'S')
"""


@dataclass(frozen=True)
class Record:
    """What is stored under a key, now or once.

    Attributes:
        table: The table it was found in.
        key: As `encode_key` gives it.
        version: A number that no other write of the store has or had.
        expires_at: POSIX seconds; None for never.
        digest: Of all the others.
        value: JSON text.
    """

    table: str
    key: bytes
    version: int
    expires_at: float | None
    digest: bytes
    value: bytes

    def loaded(self) -> Any:
        """Return the value.

        Raises:
            CorruptRecord: The record is another one than was written.
        """
        expires_at = math.nan if self.expires_at is None else self.expires_at
        head = struct.pack(">qd", self.version, expires_at)
        if sha256(head + sha256(self.value).digest() + self.key).digest() != self.digest:
            raise CorruptRecord(f"{self.table} {self.key!r} version {self.version}", "has another digest")
        return loads(self.value.decode())


def encode_key(key: object) -> bytes:
    """Return a key as it is stored: UTF-8, which has NUL as it is and here lone surrogates too.

    Raises:
        TypeError: The key is not a str, or of a subclass of str, which would come back as a str.
    """
    if type(key) is not str:
        raise TypeError(f"The key {key!r} has type {type(key).__name__}; only a str comes back as it was.")
    return key.encode("utf-8", "surrogatepass")


def decode_key(key: bytes) -> str:
    """Return what `encode_key` was given."""
    return key.decode("utf-8", "surrogatepass")


def _from_1_to_2(session: Session) -> None:
    """Give each value of schema 1, `data (key bytea PRIMARY KEY, value bytea NOT NULL)`, a version and a digest."""
    session.script(_SCRIPT)
    for (value,) in session.stream("SELECT value FROM data"):
        loads(value.decode())  # what cannot be read later stops the migration now, while nothing is changed
    session.script(
        f"INSERT INTO entries SELECT key, version, expires_at, {DIGEST}, value "
        "FROM (SELECT key, nextval('versions') AS version, NULL::float8 AS expires_at, value FROM data) AS record; "
        "DROP TABLE data"
    )


STATE_TABLES = Tables(store="state", version=2, script=_SCRIPT, steps={1: _from_1_to_2})

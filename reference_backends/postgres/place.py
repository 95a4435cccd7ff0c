"""The schema that a place is: its name, the versions of its tables, and how it is made and migrated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from psycopg import sql

from reference_backends._errors import CorruptRecord, NewerSchemaError

if TYPE_CHECKING:
    from reference_backends.postgres.session import Session

#: PostgreSQL cuts longer names off, and would so make one of two.
_NAME_BYTES_MAX = 63
_HASH_DIGITS = 16

# `name` has a fixed length, so that no second table is made for long ones.
_VERSIONS = "CREATE TABLE IF NOT EXISTS stores (store name PRIMARY KEY, version integer NOT NULL)"
_VERSION = "SELECT version FROM stores WHERE store = %(store)s"


@dataclass(frozen=True)
class Tables:
    """The tables of a store. A place may have those of several.

    Attributes:
        store: The name of the store.
        version: What the table `stores` says where these tables are.
        script: The SQL that makes them in an empty place.
        steps: For each older version, what makes the next version of it. They run in one transaction, all or none.
    """

    store: str
    version: int
    script: str
    steps: Mapping[int, Callable[[Session], None]] = field(default_factory=dict)


def schema_name(namespace: str) -> str:
    """Return the name of the schema of a place: the namespace, or its begin and its hash where it is too long.

    Raises:
        ValueError: There is no schema of that name in any database.
    """
    encoded = namespace.encode("utf-8", "surrogatepass")
    if not namespace or "\x00" in namespace or encoded.decode("utf-8", "replace") != namespace:
        raise ValueError(
            f"namespace={namespace!r} can't be the name of a schema: that has at least one character, no NUL, and no "
            f"half of a surrogate pair. Use letters, digits and hyphens."
        )
    if len(encoded) <= _NAME_BYTES_MAX:
        return namespace
    begin = encoded[: _NAME_BYTES_MAX - _HASH_DIGITS - 1].decode("utf-8", "ignore")
    return f"{begin}-{sha256(encoded).hexdigest()[:_HASH_DIGITS]}"


def prepare(session: Session, schema: str, tables: Tables) -> None:
    """Make the tables if they are not there, and migrate them if they are older ones.

    Any number of processes may do so at once: one does it, and the others wait for it.

    Raises:
        NewerSchemaError: A newer version of this code made them. Nothing was changed.
        CorruptRecord: They have a version that was never written.
    """
    if _found(session, schema, tables) == tables.version:
        return
    identifier = sql.Identifier(schema).as_string()
    try:
        session.script(
            # READ COMMITTED: who had to wait must see what was made meanwhile.
            f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({_lock_number(schema)}); "
            f"CREATE SCHEMA IF NOT EXISTS {identifier}; {_VERSIONS}"
        )
        found = _found(session, schema, tables)
        parameters = {"store": tables.store, "version": tables.version}
        if found is None:
            session.script(tables.script)
            session.rows("INSERT INTO stores VALUES (%(store)s, %(version)s)", parameters)
        else:
            for version in range(found, tables.version):
                tables.steps[version](session)
            session.rows("UPDATE stores SET version = %(version)s WHERE store = %(store)s", parameters)
        session.commit()
    except BaseException:
        session.rollback()
        raise


def _found(session: Session, schema: str, tables: Tables) -> int | None:
    if session.row("SELECT to_regclass('stores')") == (None,):
        return None
    row = session.row(_VERSION, {"store": tables.store})
    if row is None:
        return None
    version = int(row[0])
    if version > tables.version:
        raise NewerSchemaError(
            f"The schema {schema!r} has version {version} of the tables of the {tables.store}, and this code knows "
            f"versions up to {tables.version}. It was left as it is: open it with the code that wrote it, or newer."
        )
    if version != tables.version and version not in tables.steps:
        raise CorruptRecord(f"the schema {schema!r}", f"has version {version}, which was never written")
    return version


def _lock_number(schema: str) -> int:
    """Return the number of the advisory lock of a schema."""
    return int.from_bytes(sha256(schema.encode()).digest()[:8], "big", signed=True)

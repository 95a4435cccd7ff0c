"""The records of a state store, each with its digest, and the digest of each table, as one transaction sees them.

SQLite notices neither a changed byte in a value nor a lost row. Two sums do: each record has a digest of all that it
says, checked whenever it is read; and each table has the sum of the digests of its records, changed in the transaction
that changes the record, and compared whenever the table is listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from reference_backends._errors import CorruptRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference_backends.sqlite.session import Session

#: `entries` are present, `history` is what they superseded, a snapshot is one record under its name.
TABLES = ("entries", "history", "snapshots")

DIGEST_BYTES = 16
_DIGESTS = 2 ** (8 * DIGEST_BYTES)

#: What is needed to find, list and check a record. The value comes last in the row, and stays on the disk.
HEAD_COLUMNS = "key, version, expires_at, value_digest, digest"


def digest(*parts: bytes) -> bytes:
    """Return the digest of the parts put together."""
    return blake2b(b"".join(parts), digest_size=DIGEST_BYTES).digest()


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


@dataclass(frozen=True)
class Head:
    """A record without its value.

    Attributes:
        table: The table it is in.
        key: As `encode_key` gives it.
        version: A number that no other write of the store has or had.
        expires_at: POSIX seconds; None for never.
        value_digest: The digest of the value.
    """

    table: str
    key: bytes
    version: int
    expires_at: float | None
    value_digest: bytes

    @property
    def digest(self) -> bytes:
        """The digest of all that the record says, and of the table that it is in."""
        # Only the key has no fixed end, so that it comes last: no two records have the same text.
        text = f"{self.table} {self.version!r} {self.expires_at!r} "
        return digest(text.encode(), self.value_digest, self.key)

    @property
    def where(self) -> str:
        """What a report calls it."""
        return f"{self.table} {self.key!r} version {self.version!r}"


@dataclass(frozen=True)
class Summary:
    """The only row of the table `summary`.

    Attributes:
        last_version: The version of the newest write; the next one is higher, also when everything was deleted.
        sums: For each table, the sum of the digests of its records.
    """

    last_version: int
    sums: tuple[int, ...]

    @classmethod
    def of_nothing(cls) -> Summary:
        """Return the summary of an empty store."""
        return cls(0, (0,) * len(TABLES))

    @classmethod
    def load(cls, session: Session) -> Summary:
        """Return what the store says.

        Raises:
            CorruptRecord: It was not written so.
        """
        row = session.row("SELECT last_version, sums, digest FROM summary")
        if row is not None:
            last_version, sums, found = row
            if type(sums) is bytes and digest(f"summary {last_version!r} ".encode(), sums) == found:
                starts = range(0, len(sums), DIGEST_BYTES)
                return cls(last_version, tuple(int.from_bytes(sums[at : at + DIGEST_BYTES], "big") for at in starts))
        raise CorruptRecord("summary", "is not there" if row is None else "has another digest")

    def save(self, session: Session) -> None:
        """Write it instead of the one before."""
        sums = b"".join(each.to_bytes(DIGEST_BYTES, "big") for each in self.sums)
        found = digest(f"summary {self.last_version!r} ".encode(), sums)
        session.rows("REPLACE INTO summary VALUES (1, ?, ?, ?)", self.last_version, sums, found)

    def added(self, table: str, change: int) -> Summary:
        """Return the summary after the sum of `table` has changed by `change`."""
        at = TABLES.index(table)
        return Summary(
            self.last_version,
            tuple((each + change) % _DIGESTS if i == at else each for i, each in enumerate(self.sums)),
        )


class Records:
    """The records of a store as one transaction sees them. Reads nothing before it is asked.

    Args:
        session: Inside a transaction for as long as this is used.
        doubt: What was wrong with the tables when the store was opened, if anything. Records that are found are still
            checked and given; that one is not there cannot be said any more, and nothing can be written.
    """

    def __init__(self, session: Session, doubt: str = "") -> None:
        self.session = session
        self._doubt = doubt
        self._summary: Summary | None = None

    @property
    def summary(self) -> Summary:
        """The summary, with the changes so far."""
        if self._summary is None:
            self._summary = Summary.load(self.session)
        return self._summary

    def head(self, table: str, key: bytes, version: int | None = None) -> Head | None:
        """Return the newest record of a key without its value, or the one with a version; None when there is none.

        Raises:
            CorruptRecord: It is damaged; or there is none, and the table is in doubt.
        """
        condition, parameters = ("", ()) if version is None else ("AND version = ?", (version,))
        row = self.session.row(
            f"SELECT {HEAD_COLUMNS} FROM {table} WHERE key = ? {condition} ORDER BY version DESC LIMIT 1",
            key,
            *parameters,
        )
        if row is None:
            self._refuse_doubt()
            return None
        return checked_head(table, row, key)

    def value(self, head: Head) -> bytes:
        """Return the value of a record.

        Raises:
            CorruptRecord: It is another value than was written.
        """
        row = self.session.row(f"SELECT value FROM {head.table} WHERE key = ? AND version = ?", head.key, head.version)
        if row is None:
            raise CorruptRecord(head.where, "is there and not there")
        return checked_value(head, row[0])

    def heads(self, table: str) -> Iterator[Head]:
        """Give every record of a table without its value, in the order of keys.

        Raises:
            CorruptRecord: One is damaged; or, after the last one, they are not those that were written.
        """
        found, before = 0, None
        # The order is that of the tree that SQLite searches: where it is wrong, a search misses what is there.
        for row in self.session.stream(f"SELECT {HEAD_COLUMNS} FROM {table} ORDER BY key, version"):
            head = checked_head(table, row)
            if before is not None and (before.key, before.version) >= (head.key, head.version):
                raise CorruptRecord(head.where, f"comes after {before.where}")
            found, before = (found + int.from_bytes(head.digest, "big")) % _DIGESTS, head
            yield head
        if found != self.summary.sums[TABLES.index(table)]:
            raise CorruptRecord(table, "has other records than were written; some are lost, or an old block is back")

    def versions(self, key: bytes) -> Iterator[Head]:
        """Give the superseded records of a key without their values, newest first."""
        self._refuse_doubt()
        for row in self.session.rows(f"SELECT {HEAD_COLUMNS} FROM history WHERE key = ? ORDER BY version DESC", key):
            yield checked_head("history", row, key)

    def add(self, table: str, key: bytes, value: bytes, expires_at: float | None = None) -> Head:
        """Write a new record, with the next version; there must be no record of that key in the way."""
        self._refuse_doubt()
        version = self.summary.last_version + 1
        head = Head(table, key, version, expires_at, digest(value))
        self.session.rows(
            f"INSERT INTO {table} ({HEAD_COLUMNS}, value) VALUES (?, ?, ?, ?, ?, ?)",
            *(key, version, expires_at, head.value_digest, head.digest, value),
        )
        self._count(head, +1)
        self._summary = Summary(version, self.summary.sums)
        return head

    def remove(self, head: Head) -> None:
        """Delete a record."""
        self._refuse_doubt()
        if self.session.change(f"DELETE FROM {head.table} WHERE key = ? AND version = ?", head.key, head.version) != 1:
            raise CorruptRecord(head.where, "is there, but could not be deleted")
        self._count(head, -1)

    def supersede(self, head: Head) -> None:
        """Move a record from `entries` to `history`, value and version as they are."""
        self._refuse_doubt()
        moved = Head("history", head.key, head.version, head.expires_at, head.value_digest)
        self.session.rows(
            f"INSERT INTO history ({HEAD_COLUMNS}, value) "
            "SELECT key, version, expires_at, value_digest, ?, value FROM entries WHERE key = ?",
            *(moved.digest, head.key),
        )
        self._count(moved, +1)
        self.remove(head)

    def save_summary(self) -> None:
        """Write the summary, if it changed. The last thing in a transaction that changes records."""
        if self._summary is not None and self._summary != Summary.load(self.session):
            self._summary.save(self.session)

    def find_doubt(self) -> str:
        """Check every record of every table without its value, and return what is wrong; `""` for nothing."""
        try:
            for table in TABLES:
                for _ in self.heads(table):
                    pass
        except CorruptRecord as error:
            return str(error)
        return ""

    def _count(self, head: Head, sign: int) -> None:
        self._summary = self.summary.added(head.table, sign * int.from_bytes(head.digest, "big"))

    def _refuse_doubt(self) -> None:
        if self._doubt:
            raise CorruptRecord("state", f"was damaged when it was opened ({self._doubt})")


def checked_head(table: str, row: tuple[Any, ...], wanted: bytes | None = None) -> Head:
    """Return the record that a row holds, or raise CorruptRecord; also when its key is not the one `wanted`."""
    key, version, expires_at, value_digest, found = row
    if type(key) is bytes and type(value_digest) is bytes:
        head = Head(table, key, version, expires_at, value_digest)
        # In a damaged tree a search can end at another record, and that one whole.
        if head.digest == found and wanted in (None, key):
            return head
    raise CorruptRecord(f"{table} {key!r} version {version!r}", "has another digest, or is in the wrong place")


def checked_value(head: Head, value: object) -> bytes:
    """Return the value of a record, or raise CorruptRecord."""
    if type(value) is not bytes or digest(value) != head.value_digest:
        raise CorruptRecord(head.where, "has a value with another digest")
    return value

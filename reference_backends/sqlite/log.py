"""The `log` store: events at consecutive positions, and a checkpoint that what is before it can be dropped for.

A log needs no sum over its records: its positions have no gaps, so that the first and the last one tell which events
there must be. The table `summary` keeps both. So positions are never given twice, also when no event is left.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reference_backends._errors import ConflictError, CorruptRecord, Damage, Report
from reference_backends._json import dumps, loads
from reference_backends.sqlite.database import Database, Schema
from reference_backends.sqlite.records import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from reference_backends.sqlite.session import Session

#: A read fetches events until it has this many bytes: it needs little memory, and a transaction for a moment only.
PAGE_BYTES = 1024 * 1024

_SELECT = "SELECT position, digest, event FROM events"
_ORDER = "ORDER BY position"


@dataclass(frozen=True)
class Summary:
    """The only row of the table `summary`.

    Attributes:
        first: The position of the first event left; `head + 1` when none is.
        head: The position of the last event; 0 when there never was one.
        checkpoint: The digest of the checkpoint; empty when there is none.
    """

    first: int
    head: int
    checkpoint: bytes

    @property
    def digest(self) -> bytes:
        """The digest of all that the summary says."""
        return digest(f"summary {self.first!r} {self.head!r} ".encode(), self.checkpoint)

    @classmethod
    def load(cls, session: Session) -> Summary:
        """Return what the log says.

        Raises:
            CorruptRecord: It was not written so.
        """
        row = session.row("SELECT first, head, checkpoint, digest FROM summary")
        if row is not None and type(row[2]) is bytes:
            summary = cls(*row[:3])
            if summary.digest == row[3]:
                return summary
        raise CorruptRecord("summary", "is not there" if row is None else "has another digest")

    @classmethod
    def checked(cls, session: Session) -> Summary:
        """Return the same, after a look at whether the events begin and end where it says.

        Raises:
            CorruptRecord: They do not.
        """
        summary = cls.load(session)
        found = session.row("SELECT (SELECT min(position) FROM events), (SELECT max(position) FROM events)")
        if found != ((summary.first, summary.head) if summary.first <= summary.head else (None, None)):
            raise CorruptRecord("events", f"are {found}, not from {summary.first} to {summary.head}")
        return summary

    def save(self, session: Session) -> None:
        """Write it instead of the one before."""
        session.rows("REPLACE INTO summary VALUES (1, ?, ?, ?, ?)", self.first, self.head, self.checkpoint, self.digest)


LOG_SCHEMA = Schema(
    version=1,
    statements=(
        "CREATE TABLE events (position INTEGER PRIMARY KEY, digest BLOB NOT NULL, event BLOB NOT NULL)",
        "CREATE TABLE checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), upto INTEGER NOT NULL, state BLOB NOT NULL)",
        (
            "CREATE TABLE summary (id INTEGER PRIMARY KEY CHECK (id = 1), first INTEGER NOT NULL, "
            "head INTEGER NOT NULL, checkpoint BLOB NOT NULL, digest BLOB NOT NULL)"
        ),
    ),
    fill=Summary(first=1, head=0, checkpoint=b"").save,
)


class SqliteLog:
    """A `log` store in a SQLite file, for any number of threads and processes.

    Every verb raises ValueError once the log is closed, and CorruptRecord when what it needs is damaged.

    Args:
        path: The file. Made when it is missing.

    Raises:
        CorruptRecord: The file is not a log.
        NewerSchemaError: A newer version of this code wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, LOG_SCHEMA)

    def close(self) -> None:
        """Close the file. Harmless when repeated."""
        self._database.close()

    @property
    def head(self) -> int:
        """The position of the last event; 0 when there never was one."""
        with self._database.read() as session:
            return Summary.checked(session).head

    @property
    def first(self) -> int:
        """The position of the first event that compaction left; `head + 1` when it left none."""
        with self._database.read() as session:
            return Summary.checked(session).first

    def append(self, event: Any, expected: int | None = None) -> int:
        """Append `event` and return its position.

        Args:
            event: A JSON value.
            expected: Append only if this is the head; None to append whatever the head is.

        Raises:
            ConflictError: The head is another one.
        """
        return self._append([dumps(event).encode()], expected)[0]

    def append_batch(self, events: Iterable[Any]) -> list[int]:
        """Append all `events`, or none when one of them is refused, and return their positions."""
        return self._append([dumps(event).encode() for event in events], None)

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        """Give the events from `start` on with their positions, up to the head at the time of the call.

        Args:
            start: The first position wanted. Where compaction has taken it, reading begins with the first event left.
            stop: The position to stop before; None for the head, that one included.

        Raises:
            CorruptRecord: An event is damaged or lost; raised when it is reached, behind the intact ones.
            LookupError: A compaction took events that this read had not reached yet.
        """
        _check_position(start)
        _check_position(start if stop is None else stop)
        with self._database.read() as session:
            summary = Summary.load(session)
        end = summary.head + 1 if stop is None else min(stop, summary.head + 1)
        return self._read(max(start, summary.first), end)

    def checkpoint(self, state: Any, upto: int) -> None:
        """Keep the state that the events up to and including `upto` fold to, instead of the checkpoint before.

        Raises:
            ValueError: `upto` is ahead of the head, or so far back that events behind it are missing.
        """
        _check_position(upto)
        text = dumps(state).encode()
        with self._database.write() as session:
            summary = Summary.checked(session)
            if not summary.first - 1 <= upto <= summary.head:
                raise ValueError(f"A checkpoint is possible from {summary.first - 1} to {summary.head}, not at {upto}.")
            session.rows("REPLACE INTO checkpoint VALUES (1, ?, ?)", upto, text)
            replace(summary, checkpoint=_checkpoint_digest(upto, text)).save(session)

    def latest_checkpoint(self) -> tuple[Any, int] | None:
        """Return the state and the position of the newest checkpoint; None when there is none."""
        with self._database.read() as session:
            found = _load_checkpoint(session, Summary.load(session))
        return None if found is None else (loads(found[0].decode()), found[1])

    def compact(self, upto: int) -> None:
        """Drop the events up to and including `upto`. Positions stay as they are, and are never given again.

        Raises:
            ValueError: No checkpoint has what would be dropped.
        """
        _check_position(upto)
        with self._database.write() as session:
            summary = Summary.checked(session)
            found = _load_checkpoint(session, summary)  # read and checked: it is all that will be left of the events
            covered = 0 if found is None else found[1]
            if upto > covered:
                raise ValueError(f"The latest checkpoint is at {covered}: the events after it cannot be dropped.")
            if upto >= summary.first:
                session.rows("DELETE FROM events WHERE position <= ?", upto)
                replace(summary, first=upto + 1).save(session)

    def flush(self) -> None:
        """Do nothing: an event is on the disk when its append returns."""
        with self._database.read():
            pass

    def verify(self) -> Report:
        """Read everything, and return how many events are whole and what is damaged."""
        healthy = 0
        with self._database.read() as session:
            damaged = session.structure_damage()
            try:
                expected = Summary.load(session).first
                for position, found, event in session.stream(f"{_SELECT} {_ORDER}"):
                    if position != expected:
                        damaged.append(Damage(f"events from {expected} to {position - 1}", "are lost"))
                    expected = position + 1
                    if found == _event_digest(position, event):
                        healthy += 1
                    else:
                        damaged.append(Damage(f"event {position}", "has another digest"))
                _load_checkpoint(session, Summary.checked(session))
            except CorruptRecord as error:
                damaged.append(Damage(error.where, error.what))
        return Report(healthy, tuple(damaged))

    def _append(self, events: list[bytes], expected: int | None) -> list[int]:
        with self._database.write() as session:
            summary = Summary.checked(session)
            if expected is not None and (type(expected) is not int or expected != summary.head):
                raise ConflictError(f"The head is {summary.head}, not {expected!r}.")
            positions = range(summary.head + 1, summary.head + 1 + len(events))
            for position, event in zip(positions, events, strict=True):
                session.rows("INSERT INTO events VALUES (?, ?, ?)", position, _event_digest(position, event), event)
            if events:
                replace(summary, head=positions[-1]).save(session)
        return list(positions)

    def _read(self, start: int, end: int) -> Iterator[tuple[int, Any]]:
        while start < end:
            page = self._page(start, end)
            for event in page:
                yield start, loads(event.decode())
                start += 1

    def _page(self, start: int, end: int) -> list[bytes]:
        """Return the events from `start` on, at least one and few enough for memory."""
        page: list[bytes] = []
        size = 0
        with self._database.read() as session:
            if start < Summary.load(session).first:
                raise LookupError(f"Event {start} was compacted away while the log was being read.")
            with closing(
                session.stream(f"{_SELECT} WHERE position >= ? AND position < ? {_ORDER}", start, end)
            ) as rows:
                for position, found, event in rows:
                    expected = start + len(page)
                    if position != expected or found != _event_digest(position, event):
                        break
                    page.append(event)
                    size += len(event)
                    if size >= PAGE_BYTES:
                        break
        if not page:
            raise CorruptRecord(f"event {start}", "is lost, or has another digest")
        return page


def _check_position(position: object) -> None:
    # SQLite stores 1.0 and True as 1, and the digests would not agree.
    if type(position) is not int:
        raise TypeError(f"{position!r} is not a position: it has type {type(position).__name__}, not int.")


def _event_digest(position: int, event: object) -> bytes:
    return digest(f"event {position!r} ".encode(), event) if type(event) is bytes else b""


def _checkpoint_digest(upto: int, state: bytes) -> bytes:
    return digest(f"checkpoint {upto!r} ".encode(), state)


def _load_checkpoint(session: Session, summary: Summary) -> tuple[bytes, int] | None:
    """Return the state and the position of the checkpoint that the summary speaks of."""
    row = session.row("SELECT upto, state FROM checkpoint")
    if row is None and not summary.checkpoint:
        return None
    if row is None or type(row[1]) is not bytes or _checkpoint_digest(*row) != summary.checkpoint:
        raise CorruptRecord("checkpoint", "is not the one that was written")
    upto, state = row
    return state, upto

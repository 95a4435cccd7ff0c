"""The `log` store: events at consecutive positions, and a checkpoint that what is before it can be dropped for.

A position is taken by adding to the one row of `heads`, in the statement that writes the event: that row is locked
until the commit, so that positions are given in the order of commits. Who reads position 5 will never find another
event at 4 later. A SEQUENCE would be faster, and wrong: it gives 4 to a transaction that commits after the one that was
given 5, so that a reader who went on behind 5 never sees 4; and a transaction that is undone leaves a gap for ever.

Hence READ COMMITTED: who waited for that row goes on with its newest version. At a stricter level the server would roll
back everyone who had to wait.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from psycopg.errors import UniqueViolation

from reference_backends._errors import ConflictError, CorruptRecord, Damage, Report
from reference_backends._json import dumps, loads
from reference_backends.postgres.database import Database
from reference_backends.postgres.place import Tables, prepare, schema_name
from reference_backends.postgres.session import Access
from reference_backends.postgres.state import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reference_backends.postgres.database import Rows
    from reference_backends.postgres.session import Session

#: A read fetches events until it has this many bytes, or this many events.
PAGE_BYTES = 1024 * 1024
PAGE_EVENTS = 10_000

_POSITION_MAX = 2**63 - 1
#: What is the head of no log.
_NO_HEAD = -1

_DIGEST = "sha256(int8send(position) || event)"
_STATE_DIGEST = "sha256(int8send(upto) || state)"

LOG_TABLES = Tables(
    store="log",
    version=1,
    script="""
        CREATE TABLE events (position bigint PRIMARY KEY, digest bytea NOT NULL, event bytea NOT NULL);
        CREATE TABLE heads (first bigint NOT NULL, head bigint NOT NULL);
        INSERT INTO heads VALUES (1, 0);
        CREATE TABLE checkpoint (
            single boolean PRIMARY KEY CHECK (single), upto bigint NOT NULL, digest bytea NOT NULL, state bytea NOT NULL
        )
    """,
)

_APPEND = f"""
WITH given AS (
    UPDATE heads SET head = head + cardinality(%(events)s::bytea[])
    WHERE (%(expected)s::bigint IS NULL OR head = %(expected)s::bigint) AND (SELECT count(*) FROM heads) = 1
    RETURNING head - cardinality(%(events)s::bytea[]) AS before
),
numbered AS (
    SELECT before + number AS position, event
    FROM given, unnest(%(events)s::bytea[]) WITH ORDINALITY AS each (event, number)
),
written AS (INSERT INTO events SELECT position, {_DIGEST}, event FROM numbered)
SELECT before FROM given
"""

_HEADS = "SELECT first, head FROM heads"

# The size of a value is known without reading it, so that what is too much stays on the disk.
_PAGE = """
SELECT position, digest, event FROM (
    SELECT position, digest, event, sum(octet_length(event)) OVER (ORDER BY position) - octet_length(event) AS before
    FROM (
        SELECT * FROM events WHERE position >= %(start)s::bigint AND position < %(stop)s::bigint
        ORDER BY position LIMIT %(events)s
    ) AS near
) AS page
WHERE before < %(bytes)s ORDER BY position
"""

_CHECKPOINT = "SELECT upto, digest, state FROM checkpoint"

_SET_CHECKPOINT = f"""
WITH checkpoint AS (SELECT %(upto)s::bigint AS upto, %(state)s AS state)
INSERT INTO checkpoint SELECT true, upto, {_STATE_DIGEST}, state FROM checkpoint
ON CONFLICT (single) DO UPDATE SET upto = excluded.upto, digest = excluded.digest, state = excluded.state
"""


class PostgresLog:
    """A `log` store in a schema of a PostgreSQL database, for any number of threads and processes.

    Every verb raises ValueError once the log is closed, CorruptRecord when what it needs is damaged, and TimeoutError
    or ConnectionError when the server can't be reached. A write whose answer is lost raises AmbiguousCommitError, and
    is never tried again: the event would be there twice.

    Args:
        url: The address of the server, as libpq reads it.
        namespace: The name of the place; a schema of that name is made when it is missing.
        timeout: Seconds that a call may take, and wait for others; None for any time.

    Raises:
        ValueError: There is no url, or the namespace can't be a schema.
        ConnectionError: There is no server, or it refuses.
        NewerSchemaError: A newer version of this code wrote the place.
    """

    def __init__(self, url: str, namespace: str, *, timeout: float | None = TIMEOUT_SECONDS) -> None:
        schema = schema_name(namespace)
        self._database = Database(
            Access(url, schema, "read committed", timeout), lambda session: prepare(session, schema, LOG_TABLES)
        )

    def close(self) -> None:
        """Close the connections. Harmless when repeated."""
        self._database.close()

    @property
    def head(self) -> int:
        """The position of the last event; 0 when there never was one."""
        return _heads(self._database.read(_HEADS))[1]

    @property
    def first(self) -> int:
        """The position of the first event that compaction left; `head + 1` when it left none."""
        return _heads(self._database.read(_HEADS))[0]

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
        first, head = _heads(self._database.read(_HEADS))
        end = head + 1 if stop is None else min(stop, head + 1)
        return self._read(max(start, first), end)

    def checkpoint(self, state: Any, upto: int) -> None:
        """Keep the state that the events up to and including `upto` fold to, instead of the checkpoint before.

        Raises:
            ValueError: `upto` is ahead of the head, or so far back that events behind it are missing.
        """
        _check_position(upto)
        text = dumps(state).encode()

        def change(session: Session) -> None:
            first, head = _heads_locked(session)
            if not first - 1 <= upto <= head:
                raise ValueError(f"A checkpoint is possible from {first - 1} to {head}, not at {upto}.")
            session.rows(_SET_CHECKPOINT, {"upto": upto, "state": text})

        self._database.atomically(change)

    def latest_checkpoint(self) -> tuple[Any, int] | None:
        """Return the state and the position of the newest checkpoint; None when there is none."""
        found = _checkpoint(self._database.read(_CHECKPOINT))
        return None if found is None else (loads(found[0].decode()), found[1])

    def compact(self, upto: int) -> None:
        """Drop the events up to and including `upto`. Positions stay as they are, and are never given again.

        May take longer than the timeout, when their space is made free for new ones.

        Raises:
            ValueError: No checkpoint has what would be dropped.
        """
        _check_position(upto)

        def change(session: Session) -> bool:
            first, _ = _heads_locked(session)
            found = _checkpoint(session.rows(_CHECKPOINT))  # checked: it is all that will be left of the events
            covered = 0 if found is None else found[1]
            if upto > covered:
                raise ValueError(f"The latest checkpoint is at {covered}: the events after it cannot be dropped.")
            if upto < first:
                return False
            session.rows("DELETE FROM events WHERE position <= %(upto)s::bigint", {"upto": upto})
            session.rows("UPDATE heads SET first = %(first)s::bigint", {"first": upto + 1})
            return True

        if self._database.atomically(change):
            with suppress(OSError):  # it is done, and the server looks after the space by itself in time
                self._database.vacuum("events, heads, checkpoint")

    def flush(self) -> None:
        """Do nothing: an event is as lasting as the server makes it when its append returns."""
        self._database.read("SELECT true")

    def verify(self) -> Report:
        """Read everything, and return how many events are whole and what is damaged."""
        healthy = 0
        damaged: list[Damage] = []
        try:
            with self._database.looking() as session:
                first, head = _heads(session.rows(_HEADS))
                expected = first
                for position, intact in session.stream(f"SELECT position, digest = {_DIGEST} FROM events ORDER BY 1"):
                    if position < first:
                        damaged.append(Damage(f"event {position}", f"is before {first}, where the log begins"))
                        continue
                    if position > head:
                        damaged.append(Damage(f"event {position}", f"is behind the head, which is {head}"))
                        continue
                    damaged += _gap(expected, position)
                    expected = position + 1
                    if intact:
                        healthy += 1
                    else:
                        damaged.append(Damage(f"event {position}", "has another digest"))
                damaged += _gap(expected, head + 1)
                _checkpoint(session.rows(_CHECKPOINT))
        except CorruptRecord as error:
            damaged.append(Damage(error.where, error.what))
        return Report(healthy, tuple(damaged))

    def _append(self, events: list[bytes], expected: int | None) -> list[int]:
        possible = expected is None or (type(expected) is int and 0 <= expected <= _POSITION_MAX)
        parameters = {"events": events, "expected": expected if possible else _NO_HEAD}
        try:
            rows = self._database.write(_APPEND, parameters)
        except UniqueViolation as error:
            raise CorruptRecord("heads", f"has not got the last position: {error}") from error
        if not rows:
            _, head = _heads(self._database.read(_HEADS))
            raise ConflictError(f"The head is {head}, not {expected!r}. Read what is new, then decide again.")
        ((before,),) = rows
        return list(range(before + 1, before + 1 + len(events)))

    def _read(self, start: int, end: int) -> Iterator[tuple[int, Any]]:
        while start < end:
            for event in self._page(start, end):
                yield start, loads(event.decode())
                start += 1

    def _page(self, start: int, end: int) -> list[bytes]:
        """Return the events from `start` on, at least one and few enough for memory."""
        bounds = {"start": start, "stop": end, "events": PAGE_EVENTS, "bytes": PAGE_BYTES}
        page: list[bytes] = []
        for position, digest, event in self._database.read(_PAGE, bounds):
            if position != start + len(page) or digest != _digest(position, event):
                break
            page.append(event)
        if not page:
            if start < self.first:
                raise LookupError(f"Event {start} was compacted away while the log was being read.")
            raise CorruptRecord(f"event {start}", "is lost, or has another digest")
        return page


def _check_position(position: object) -> None:
    if type(position) is not int:  # True and 1.0 equal 1, but are none
        raise TypeError(f"{position!r} is not a position: it has type {type(position).__name__}, not int.")


def _digest(position: int, content: bytes) -> bytes:
    return sha256(position.to_bytes(8, "big") + content).digest()


def _heads(rows: Rows) -> tuple[int, int]:
    if len(rows) != 1:
        raise CorruptRecord("heads", f"has {len(rows)} rows instead of one")
    ((first, head),) = rows
    return first, head


def _heads_locked(session: Session) -> tuple[int, int]:
    """Return them, and let nobody append or compact before the end of the transaction."""
    return _heads(session.rows(f"{_HEADS} FOR UPDATE"))


def _checkpoint(rows: Rows) -> tuple[bytes, int] | None:
    if not rows:
        return None
    upto, digest, state = rows[0]
    if digest != _digest(upto, state):
        raise CorruptRecord("checkpoint", "is not the one that was written")
    return state, upto


def _gap(expected: int, position: int) -> list[Damage]:
    return [] if position == expected else [Damage(f"events from {expected} to {position - 1}", "are lost")]

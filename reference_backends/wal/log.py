"""The log: appends that many threads share one sync for, reads that verify, checkpoints and compaction."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from reference_backends._errors import ConflictError
from reference_backends._files import FileLock, make_directory, sync, sync_directory
from reference_backends._json import check_value, dumps, loads
from reference_backends.wal.chain import Chain
from reference_backends.wal.commits import Commits, Ticket
from reference_backends.wal.errors import CorruptLog, Damage, Report
from reference_backends.wal.manifest import read_sealed, write_sealed
from reference_backends.wal.record import BATCH, HEADER_BYTES, SINGLE, checksum_of, encode, says
from reference_backends.wal.segment import write_all

#: A segment takes no more appends once it is this long; the last commit may make it longer.
SEGMENT_BYTES = 64 * 2**20
DURABILITIES = ("none", "wal", "full")
_CHECKPOINT = "checkpoint"
_PAGE_BYTES = 256 * 1024


class WalLog:
    """An append-only log on a directory.

    Args:
        path: The directory; made when missing.
        durability: What holds when `append` returns. `"none"`: the event is written, and survives the process. `"wal"`:
            it is synced, and survives a power loss. `"full"`: the file's metadata and its directory are synced too.
        segment_bytes: A segment is closed when it has reached this length.

    Raises:
        ValueError: An argument can't be used, or the log is closed.
        CorruptLog: Stored bytes are not what was written. Reads raise it only for what is damaged; appends raise it as
            soon as anything is known to be, so that nothing is built on a damaged log.
    """

    def __init__(self, path: Path, *, durability: str = "wal", segment_bytes: int = SEGMENT_BYTES) -> None:
        if durability not in DURABILITIES:
            raise ValueError(f"durability={durability!r} is unknown. Known: {', '.join(DURABILITIES)}.")
        if segment_bytes < 1:
            raise ValueError(f"segment_bytes={segment_bytes!r} is not a positive number.")
        self._path = Path(path)
        self._durability = durability
        self._segment_bytes = segment_bytes
        self._commits = Commits()
        self._closed = False
        self._failure: OSError | None = None
        make_directory(self._path)
        os.chmod(self._path, 0o700)
        self._lock = FileLock(self._path / "lock")
        self._chain = Chain(self._path, synced=durability != "none")
        with self._lock.held(exclusive=True):
            self._chain.recover()
        #: The first position that may not be durable, as far as this handle knows: what others wrote, and what an
        #: interrupted sync left, is durable with the next sync of this one.
        self._since = self._chain.head + 1

    # -- appending

    def append(self, event: Any, expected: int | None = None) -> int:
        """Append an event and return its position, once it is as durable as was asked for.

        Raises:
            TypeError: The event is not JSON.
            ConflictError: The head is not `expected`; nothing was appended.
        """
        return self._commits.commit(Ticket(dumps(event).encode(), 1, SINGLE, expected), self._write_group)

    def append_batch(self, events: Iterable[Any], expected: int | None = None) -> list[int]:
        """Append all events at consecutive positions, or none, and return the positions."""
        texts = [dumps(event) for event in events]
        if not texts:
            return []
        payload = f"[{','.join(texts)}]".encode()
        position = self._commits.commit(Ticket(payload, len(texts), BATCH, expected), self._write_group)
        return list(range(position, position + len(texts)))

    def _write_group(self, group: Sequence[Ticket]) -> None:
        with self._lock.held(exclusive=True):
            if self._closed or self._failure or not self._chain.has_room():
                self._follow_for_writing()
            self._write(group)

    def _write(self, tickets: Sequence[Ticket]) -> None:
        segment = self._chain.segments[-1]
        if segment.end >= self._segment_bytes and segment.next > segment.first:
            self._follow_for_writing()
            try:
                self._chain.rotate()
            except OSError as error:
                self._failure = error
                raise
            segment = self._chain.segments[-1]
        following = segment.next
        written: list[tuple[Ticket, bytes]] = []
        for ticket in tickets:
            expected = ticket.expected
            if expected is not None and (expected != following - 1 or isinstance(expected, bool)):
                ticket.error = ConflictError(f"the head is {following - 1}, not {expected}")
                continue
            ticket.position = following
            written.append((ticket, encode(following, self._since, ticket.count, ticket.kind, ticket.payload)))
            following += ticket.count
        if not written:
            return
        data = b"".join([record for _, record in written])
        lacks_room = len(data) > segment.room and self._durability != "none"
        if lacks_room:
            self._follow_for_writing()
        try:
            if lacks_room:
                segment.make_room(len(data))
            write_all(segment.descriptor, data, segment.end)
            self._sync(segment.descriptor)
        except OSError as error:
            # The pages of a failed sync may look clean afterwards, so a second sync proves nothing. The records are
            # cut off again, and this handle writes no more.
            self._failure = error
            with suppress(OSError):
                segment.cut()
            raise
        for ticket, record in written:
            segment.add(ticket.position, ticket.count, checksum_of(record), len(record))
        self._since = following

    def _sync(self, descriptor: int) -> None:
        if self._durability == "full":
            sync(descriptor)
            sync_directory(self._path)
        elif self._durability == "wal":
            _synced(descriptor)

    def _follow_for_writing(self) -> None:
        self._follow()
        if self._failure is not None:
            raise OSError(f"an earlier write failed ({self._failure}); open the log again") from self._failure
        self._chain.make_ready()

    def _follow(self) -> None:
        if self._closed:
            raise ValueError("The log is closed.")
        self._chain.follow()

    # -- reading

    @property
    def head(self) -> int:
        """The position of the last event; 0 when there never was one."""
        with self._lock.held(exclusive=False):
            self._follow()
            return self._chain.head

    @property
    def first(self) -> int:
        """The position of the first event that compaction left, or head + 1."""
        with self._lock.held(exclusive=False):
            self._follow()
            return self._chain.manifest.first

    @property
    def bounds(self) -> tuple[int, int]:
        """The first position that is left and the head, of the same moment."""
        with self._lock.held(exclusive=False):
            self._follow()
            return self._chain.manifest.first, self._chain.head

    def read(self, start: int = 1, stop: int | None = None) -> Iterator[tuple[int, Any]]:
        """Give `(position, event)` from `start`, or the first that is left, up to `stop` or the present head.

        Raises:
            CorruptLog: An event of the window is damaged or missing; those before it have been given.
            LookupError: Compaction overtook the reader.
        """
        with self._lock.held(exclusive=False):
            self._follow()
            end = self._chain.head + 1 if stop is None else min(stop, self._chain.head + 1)
            position = max(start, self._chain.manifest.first)
        return self._pages(position, end)

    def _pages(self, position: int, end: int) -> Iterator[tuple[int, Any]]:
        while position < end:
            with self._lock.held(exclusive=False):
                self._follow()
                if position < self._chain.manifest.first:
                    raise LookupError(f"position {position} was compacted away while the log was read")
                page = self._page(position)
            for at, event in page:
                if position >= end:
                    return
                if at != position:
                    raise self._chain.missing(position)
                yield at, event
                position += 1

    def remains(self, damage: Damage) -> bytes:
        """Return what stands where the payload of a damaged record was; nothing of it is sure to be what was written.

        Empty where the damage is not that of a record.
        """
        try:
            with (self._path / damage.file).open("rb") as file:
                file.seek(damage.offset)
                data = file.read(_PAGE_BYTES)
        except OSError:
            return b""
        return data[HEADER_BYTES:] if says(data, damage.position) else b""

    def _page(self, position: int) -> list[tuple[int, Any]]:
        """Return some events from `position` on, at least one."""
        segment = self._chain.holding(position)
        if segment is None:
            raise self._chain.missing(position)
        if segment.foreign:
            raise CorruptLog(segment.damaged[-1])
        index = max(segment.index_of(position), 0)
        page: list[tuple[int, Any]] = []
        try:
            for first, count, payload in segment.records(index, _PAGE_BYTES):
                value = loads(payload.decode())
                page += [(first, value)] if count < 0 else enumerate(value, first)
        except CorruptLog:
            if not page or page[-1][0] < position:
                raise  # else: what is before it is given first, and the next page raises
        rest = [(at, event) for at, event in page if at >= position]
        if not rest:
            raise self._chain.missing(position)
        return rest

    # -- compaction

    def checkpoint(self, state: Any, upto: int) -> None:
        """Keep the state that the events up to and including `upto` fold to.

        Raises:
            ValueError: `upto` is ahead of the head, or events between it and the first one left are missing.
        """
        check_value(state)
        with self._lock.held(exclusive=True):
            self._follow_for_writing()
            manifest, head = self._chain.manifest, self._chain.head
            if not manifest.first - 1 <= upto <= head:
                raise ValueError(
                    f"upto={upto} is not between {manifest.first - 1}, before the first event, and {head}."
                )
            # Beyond that of the file too: a crash may have come before its number was in the manifest.
            previous = self._checkpoint()
            number = max(manifest.checkpoint, previous["number"] if previous else 0) + 1
            content = {"number": number, "upto": upto, "state": dumps(state)}
            write_sealed(self._path / _CHECKPOINT, content, synced=self._chain.synced)
            self._chain.update(checkpoint=number)

    def latest_checkpoint(self) -> tuple[Any, int] | None:
        """Return `(state, upto)` of the newest checkpoint, or None."""
        with self._lock.held(exclusive=False):
            self._follow()
            content = self._checkpoint()
        return None if content is None else (loads(content["state"]), content["upto"])

    def _checkpoint(self) -> Any:
        try:
            content = read_sealed(self._path / _CHECKPOINT)
        except ValueError as error:
            raise CorruptLog(Damage(_CHECKPOINT, 0, 0, str(error))) from error
        if (0 if content is None else content["number"]) < self._chain.manifest.checkpoint:
            reason = (
                f"checkpoint number {self._chain.manifest.checkpoint} was acknowledged, this one is older or missing"
            )
            raise CorruptLog(Damage(_CHECKPOINT, 0, 0, reason))
        return content

    def compact(self, upto: int) -> None:
        """Drop the events up to and including `upto`.

        Raises:
            ValueError: No checkpoint covers them.
        """
        with self._lock.held(exclusive=True):
            self._follow_for_writing()
            content = self._checkpoint()
            covered = 0 if content is None else content["upto"]
            if upto > covered:
                raise ValueError(f"upto={upto} is beyond the latest checkpoint, which covers {covered}.")
            if upto >= self._chain.manifest.first:
                self._chain.drop_before(upto + 1)

    # -- upkeep

    def alone(self) -> AbstractContextManager[None]:
        """Keep all other handles and threads out for a block, which appends nothing."""
        return self._lock.held(exclusive=True)

    def flush(self) -> None:
        """Make all that was written durable, with durability `"none"` too."""
        with self._lock.held(exclusive=True):
            self._follow_for_writing()
            self._chain.flush()

    def verify(self) -> Report:
        """Read everything from the disk again and say what is damaged, where, and how many events are whole."""
        with self._lock.held(exclusive=False):
            self._follow()
            fresh = Chain(self._path, synced=False)
            try:
                fresh.load()
                damaged = fresh.damaged()
                try:
                    self._checkpoint()
                except CorruptLog as error:
                    damaged.append(error.damage)
                return Report(fresh.count_whole(), tuple(damaged))
            finally:
                fresh.close()

    def close(self) -> None:
        """Close the log, and note its head, so that a later loss of its end is noticed. Closing twice is harmless."""
        if self._closed:
            return
        try:
            with self._lock.held(exclusive=True):
                self._chain.follow()
                sound = self._failure is None and not self._chain.known_damage()
                if sound and self._chain.head > self._chain.manifest.head:
                    self._chain.segments[-1].cut()
                    self._chain.update()
        finally:
            self._closed = True
            self._chain.close()
            self._lock.close()


def _synced(descriptor: int) -> None:
    # macOS has no fdatasync, and its fsync does not empty the drive's cache; the shared helper knows.
    if hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:  # pragma: no cover
        sync(descriptor)

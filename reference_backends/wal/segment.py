"""The segment: a file of records with consecutive positions, bound to the segment before it.

    offset  bytes  field
         0      8  magic and version
         8      8  first position
        16      4  chain of the segment before
        20      4  CRC-32 of the above
        24         records, then zeros

The zeros are room for the next records: overwriting what is there costs less to sync than a new length does. They are
cut off when the segment is closed.

The chain of a segment is a CRC over its header's and its records' checksums. The next segment repeats it, so that a
segment that is missing, swapped, shortened or rolled back does not fit between its neighbours.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from reference_backends.wal.errors import CorruptLog, Damage
from reference_backends.wal.record import SINGLE, decode, find

_MAGIC = b"WALSEG01"
_HEADER = struct.Struct("<8sQII")
HEADER_BYTES = _HEADER.size
SUFFIX = ".segment"
#: So much room is made at once.
RESERVE_BYTES = 64 * 1024
_ZEROS = bytes(RESERVE_BYTES)
#: So much behind the last record is read in each call, to see whether others wrote: their record would begin there.
_NEXT_BYTES = 16
_NO_RECORD = bytes(_NEXT_BYTES)
_READ_BYTES = 1024 * 1024


def name_of(first: int) -> str:
    """Return the file name of the segment whose first position is `first`."""
    return f"{first:020}{SUFFIX}"


def write_all(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of `data` at `offset`; a short write is continued, never taken for a whole one."""
    written = os.pwrite(descriptor, data, offset)
    while written < len(data):
        written += os.pwrite(descriptor, memoryview(data)[written:], offset + written)


def read_all(descriptor: int, offset: int, length: int = sys.maxsize) -> bytes:
    """Return `length` bytes from `offset` on, or all up to the end; no system reads more than 2 GiB at once."""
    pieces = []
    while length > 0 and (piece := os.pread(descriptor, min(length, _READ_BYTES), offset)):
        pieces.append(piece)
        length, offset = length - len(piece), offset + len(piece)
    return b"".join(pieces)


class Segment:
    """An open segment, and the index of its records.

    What is asked before each append never asks for the file's status: Linux, once asked for a file's times, writes an
    exact time with the next write, which makes the sync after it half as long again.

    Attributes:
        path: Its file.
        first: Its first position, by its name.
        next: The position after its last.
        end: Where its last whole record ends.
        room: How many zeros are behind that, as far as this handle knows.
        torn: Whether something else was, when all of it was last read.
        short: Whether the file ended before it.
        before: The chain that its header says the segment before has.
        chain: Its own chain so far.
        acknowledged: Up to this position, what can't be read is damage, never an unfinished write.
        damaged: The damage found in it.
        foreign: Whether it is sound, but not the file that was here; none of its events is the log's.
        header_sound: Whether the header is what was written.
    """

    def __init__(self, path: Path, acknowledged: int = 0) -> None:
        self.path = path
        self.first = int(path.name.removesuffix(SUFFIX))
        self.next = self.first
        self.end = self.room = 0
        self.torn = self.short = False
        self.before = self.chain = self._empty_chain = 0
        self.acknowledged = acknowledged
        self.damaged: list[Damage] = []
        self.descriptor = os.open(path, os.O_RDWR)
        self._positions = array("Q")
        self._offsets = array("Q")
        self._counts = array("I")
        self._chains = array("I")
        self._read_header()
        self.catch_up()

    @classmethod
    def create(cls, directory: Path, first: int, before: int) -> Segment:
        """Make the file of an empty segment, not synced yet, and open it."""
        path = directory / name_of(first)
        header = _HEADER.pack(_MAGIC, first, before, 0)[:-4]
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            write_all(descriptor, header + struct.pack("<I", zlib.crc32(header)), 0)
        finally:
            os.close(descriptor)
        return cls(path)

    def _read_header(self) -> None:
        data = read_all(self.descriptor, 0, HEADER_BYTES)
        self.end = HEADER_BYTES
        self.header_sound = self.foreign = False
        if len(data) == HEADER_BYTES:
            magic, first, self.before, checksum = _HEADER.unpack(data)
            self.header_sound = magic == _MAGIC and first == self.first and checksum == zlib.crc32(data[:-4])
            self.chain = self._empty_chain = checksum
        if not self.header_sound:
            self.damaged.append(Damage(self.path.name, 0, 0, "the header is not that of this segment"))

    def size(self) -> int:
        """Return the length of the file."""
        return os.fstat(self.descriptor).st_size

    def has_room(self) -> bool:
        """Tell whether zeros follow: nobody wrote, cut or closed the segment since `end` was last looked at."""
        return os.pread(self.descriptor, _NEXT_BYTES, self.end) == _NO_RECORD

    def is_as_left(self) -> bool:
        """Tell whether what follows was zeros or nothing when all of it was last read, and begins like that still."""
        if self.torn or self.short:
            return False
        if self.has_room():
            return True
        self.room = 0
        return len(os.pread(self.descriptor, 2, self.end - 1)) == 1

    def catch_up(self) -> None:
        """Index the records that others added behind `end`; damage before a later one is noted and passed over."""
        start = self.end
        data = read_all(self.descriptor, start)
        self.index(data)
        rest = len(data) - (self.end - start)
        self.torn = data.count(0, len(data) - rest) < rest
        self.room = 0 if self.torn else rest
        self.short = not data and not os.pread(self.descriptor, 1, self.end - 1)

    def make_room(self, length: int) -> None:
        """Let the file have zeros where so many bytes are to be written and behind them; without a sync.

        Where the disk has no room for them, it may still have it for the bytes themselves.
        """
        try:
            write_all(self.descriptor, _ZEROS, self.end + length)
            self.room = length + RESERVE_BYTES
        except OSError:
            with suppress(OSError):
                os.ftruncate(self.descriptor, self.end + self.room)

    def cut(self) -> None:
        """Cut off what stands behind the last record; without a sync."""
        os.ftruncate(self.descriptor, self.end)
        self.room, self.torn = 0, False

    def index(self, data: bytes) -> None:
        """Index the records in `data`, which is what stands in the file from `end` on."""
        base, at = self.end, 0
        while at < len(data):
            record = decode(data, at)
            if record is not None and record.position == self.next:
                self.end = base + at
                self.add(record.position, record.events, record.checksum, record.end - at)
                at = record.end
                continue
            following = find(data, at + 1, position=self.next)
            if following < 0 or not (
                self.next <= self.acknowledged or find(data, following, position=0, since=self.next + 1) >= 0
            ):
                break  # a tail, of which the log decides what it is
            self.damaged.append(Damage(self.path.name, base + at, self.next, "damaged, and followed by whole records"))
            later = decode(data, following)
            assert later is not None
            self.next, at = later.position, following

    def add(self, position: int, events: int, checksum: int, length: int) -> None:
        """Index the next record, which stands at `end`."""
        self._offsets.append(self.end)
        self._positions.append(position)
        self._counts.append(events)
        self.chain = zlib.crc32(checksum.to_bytes(4, "little"), self.chain)
        self._chains.append(self.chain)
        self.next = position + events
        self.end += length
        self.room = max(self.room - length, 0)

    def chain_at(self, position: int) -> int:
        """Return the chain up to the record that holds `position`."""
        index = self.index_of(position)
        return self._empty_chain if index < 0 else self._chains[index]

    def index_of(self, position: int) -> int:
        """Return the number of the record that holds `position`, or of the last one before it; -1 for none."""
        return bisect_right(self._positions, position) - 1

    def records(self, index: int, limit_bytes: int) -> Iterator[tuple[int, int, bytes]]:
        """Give (position, count or -1 for a single event, payload) of the records from number `index` on.

        About `limit_bytes` are read at once, at least one record; what was whole when it was indexed is checked again.

        Raises:
            CorruptLog: A record is damaged.
        """
        if not 0 <= index < len(self._offsets):
            return
        stop = index + 1
        while stop < len(self._offsets) and self._offsets[stop] - self._offsets[index] < limit_bytes:
            stop += 1
        start = self._offsets[index]
        end = self._offsets[stop] if stop < len(self._offsets) else self.end
        data = read_all(self.descriptor, start, end - start)
        for number in range(index, stop):
            offset = self._offsets[number]
            record = decode(data, offset - start)
            if record is None or record.position != self._positions[number]:
                raise CorruptLog(Damage(self.path.name, offset, self._positions[number], "the record is damaged"))
            count = -1 if record.kind == SINGLE else record.events
            yield record.position, count, data[record.payload : record.end]

    def count_whole(self, first: int, stop: float) -> int:
        """Return how many of the indexed events have a position from `first` on and before `stop`."""
        records = zip(self._positions, self._counts, strict=True)
        events = sum(max(0, min(position + count, stop) - max(position, first)) for position, count in records)
        return 0 if self.foreign else int(events)

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)

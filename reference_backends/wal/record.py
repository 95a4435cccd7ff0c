"""The record: what one append, or one batch, is on disk.

    offset  bytes  field
         0      4  magic, so that the next record is found behind a damaged one
         4      4  length of the payload
         8      4  CRC-32 of length, position, since, count, kind and payload
        12      8  position of its first event
        20      8  first position that may not have been durable when it was written
        28      4  how many events it holds
        32      1  kind: 0 one event, 1 a batch
        33         payload: JSON text, ASCII

What was synced before a record was written was whole then. So a damaged record is one that was durable if a record
behind it says so; else it may be what a power loss left of an unfinished write.

All integers are little-endian. A batch is one record, so that it is there as a whole or not at all.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

MAGIC = b"\xf1REC"
SINGLE, BATCH = 0, 1
_HEADER = struct.Struct("<4sIIQQIB")
_COVERED = struct.Struct("<IQQIB")
HEADER_BYTES = _HEADER.size


class Record(NamedTuple):
    """A record as it was found: the fields of its header, and where its payload begins and ends."""

    position: int
    since: int
    events: int
    kind: int
    payload: int
    end: int
    checksum: int


def encode(position: int, since: int, count: int, kind: int, payload: bytes) -> bytes:
    """Return the bytes of a record."""
    checksum = zlib.crc32(payload, zlib.crc32(_COVERED.pack(len(payload), position, since, count, kind)))
    return _HEADER.pack(MAGIC, len(payload), checksum, position, since, count, kind) + payload


def checksum_of(record: bytes) -> int:
    """Return the checksum that stands in a record."""
    return int.from_bytes(record[8:12], "little")


def decode(data: bytes, at: int) -> Record | None:
    """Return the record that begins at `at`; None where there is no whole, undamaged one."""
    if at + HEADER_BYTES > len(data):
        return None
    magic, length, checksum, position, since, count, kind = _HEADER.unpack_from(data, at)
    payload = at + HEADER_BYTES
    # The length is compared with what is there before it is used: a damaged one may say anything.
    if magic != MAGIC or length > len(data) - payload:
        return None
    covered = zlib.crc32(_COVERED.pack(length, position, since, count, kind))
    if zlib.crc32(memoryview(data)[payload : payload + length], covered) != checksum:
        return None
    return Record(position, since, count, kind, payload, payload + length, checksum)


def says(data: bytes, position: int) -> bool:
    """Tell whether data begins with the header of a single event at a position, whether or not it is sound."""
    if len(data) < HEADER_BYTES:
        return False
    magic, _, _, found, _, count, kind = _HEADER.unpack_from(data)
    return (magic, found, count, kind) == (MAGIC, position, 1, SINGLE)


def find(data: bytes, at: int, *, position: int, since: int = 0) -> int:
    """Return where, from `at` on, the next record of this or a later position begins; -1 for nowhere.

    Args:
        data: Where it is looked for.
        at: An offset.
        position: Of its first event, at least.
        since: It was written when all before this position was durable.
    """
    while (at := data.find(MAGIC, at)) >= 0:
        record = decode(data, at)
        if record is not None and record.position >= position and record.since >= since:
            return at
        at += 1
    return -1

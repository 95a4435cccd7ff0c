"""The record: what one append, or one batch, is on disk.

    offset  bytes  field
         0      4  magic, so that the next record is found behind a damaged one
         4      4  length of the payload
         8      4  CRC-32 of length, position, count, kind and payload
        12      8  position of its first event
        20      4  how many events it holds
        24      1  kind: 0 one event, 1 a batch
        25         payload: JSON text, UTF-8

All integers are little-endian. A batch is one record, so that it is there as a whole or not at all.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

MAGIC = b"\xf1REC"
SINGLE, BATCH = 0, 1
_HEADER = struct.Struct("<4sIIQIB")
_COVERED = struct.Struct("<IQIB")
HEADER_BYTES = _HEADER.size


class Record(NamedTuple):
    """A record as it was found: its first position, its number of events, its kind, and where its payload lies."""

    position: int
    events: int
    kind: int
    payload: int
    end: int
    checksum: int


def encode(position: int, count: int, kind: int, payload: bytes) -> bytes:
    """Return the bytes of a record."""
    checksum = zlib.crc32(payload, zlib.crc32(_COVERED.pack(len(payload), position, count, kind)))
    return _HEADER.pack(MAGIC, len(payload), checksum, position, count, kind) + payload


def decode(data: bytes, at: int) -> Record | None:
    """Return the record that begins at `at`; None where there is no whole, undamaged one."""
    if at + HEADER_BYTES > len(data):
        return None
    magic, length, checksum, position, count, kind = _HEADER.unpack_from(data, at)
    payload = at + HEADER_BYTES
    # The length is compared with what is there before it is used: a damaged one may say anything.
    if magic != MAGIC or length > len(data) - payload:
        return None
    covered = zlib.crc32(_COVERED.pack(length, position, count, kind))
    if zlib.crc32(memoryview(data)[payload : payload + length], covered) != checksum:
        return None
    return Record(position, count, kind, payload, payload + length, checksum)


def find(data: bytes, at: int, position: int) -> int:
    """Return where, from `at` on, the next record of `position` or later begins; -1 where there is none."""
    while (at := data.find(MAGIC, at)) >= 0:
        record = decode(data, at)
        if record is not None and record.position >= position:
            return at
        at += 1
    return -1

"""An honest journal that notices every damage, to break; corruption_stores.py has a state and a log on it.

Each record has two checksums: one of its head, which has its number and its name, and one of its text. A damaged text
so costs its own record only, and everybody knows whose it was. A witness beside the journal says how many records
there must be: a shorter journal is damaged, and a longer one was not closed.
"""

from __future__ import annotations

import json
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.crash_base import Journal
from tests.mutants.crash_files import replace_file

_HEAD = struct.Struct(">QIII")
_CHECK = 4


class CorruptError(Exception):
    """What is there is not what was written."""


def checked(data: bytes) -> bytes:
    """Return data with a checksum in front."""
    return b"%08x\n" % zlib.crc32(data) + data


def unchecked(data: bytes) -> bytes:
    """Return data without the checksum in front; raise when it does not fit."""
    check, _, rest = data.partition(b"\n")
    if check != b"%08x" % zlib.crc32(rest):
        raise CorruptError("a checksum does not fit")
    return rest


@dataclass(frozen=True)
class Record:
    """A record of a journal.

    Args:
        name: What it is, as JSON: `["set", "a key"]`.
        text: Its text; None where that is damaged.
        end: Where it ends in the file.
    """

    name: str
    text: str | None
    end: int


class CheckedJournal(Journal):
    """A journal that refuses to open when records are missing, and tells which have a damaged text."""

    def __init__(self, path: Path) -> None:
        self.witness = path.with_suffix(".witness")
        self.records: list[Record] = []
        self.sealed = -1
        super().__init__(path)

    def recover(self) -> list[bytes]:
        """Read the records, and cut off what a crash has left behind them."""
        due = self.due()
        data = self.read_all()
        self.records = self.find(data, due or 0)
        self.compare(data, due)
        self.end = self.records[-1].end if self.records else 0
        self.dirty = False
        if self.end < len(data):
            self.cut()
            self.sync()
        if due is None:
            self.seal()
        self.sealed = due or 0
        return []

    def due(self) -> int | None:
        """Return how many records there must be; None when that was never written."""
        if not self.witness.exists():
            return None
        return int(unchecked(self.witness.read_bytes()))

    def compare(self, data: bytes, due: int | None) -> None:
        """Refuse what can't be all."""
        if due is None and data:
            self.refuse("the witness is missing")
        if len(self.records) < (due or 0):
            self.refuse(f"there are {len(self.records)} records, not {due}")

    def refuse(self, what: str) -> None:
        """Raise: this must not be read."""
        raise CorruptError(what)

    def find(self, data: bytes, due: int) -> list[Record]:
        """Return the records; damaged ones at the end that the witness does not know are a crash's."""
        found: list[Record] = []
        while one := self.record_at(data, found[-1].end if found else 0, len(found)):
            found.append(one)
        while len(found) > due and found[-1].text is None:
            found.pop()
        return found

    def record_at(self, data: bytes, at: int, number: int) -> Record | None:
        """Return the record at a place; None where there is none."""
        if at + _HEAD.size > len(data):
            return None
        counted, name_size, size, check = _HEAD.unpack_from(data, at)
        head = data[at : at + _HEAD.size + name_size]
        body_at = at + len(head) + _CHECK
        body = data[body_at : body_at + size]
        if counted != number or data[body_at - _CHECK : body_at] != _checksum(head) or len(body) != size:
            return None
        text = self.unpack(body) if self.sound(body, size, check) else None
        return Record(head[_HEAD.size :].decode(), text, body_at + size)

    def sound(self, payload: bytes, size: int, check: int) -> bool:
        """Tell whether the body of a record is what was written."""
        return len(payload) == size and self.check(payload) == check

    def check(self, body: bytes) -> int:
        """Return the checksum of the body of a record."""
        return zlib.crc32(body)

    def pack(self, text: str) -> bytes:
        """Return a text as it stands in the file."""
        return text.encode()

    def unpack(self, body: bytes) -> str:
        """Return the text that was packed."""
        return body.decode()

    def frame(self, payload: bytes) -> bytes:
        """Return a record as it stands in the file."""
        name, _, body = payload.partition(b"\n")
        head = _HEAD.pack(len(self.records), len(name), len(body), self.check(body)) + name
        return head + _checksum(head) + body

    def add(self, verb: str, name: str | int, text: str = "null") -> Record:
        """Append a record, and return it when it is on the disk."""
        full = json.dumps([verb, name])
        self.append(full.encode() + b"\n" + self.pack(text))
        self.records.append(Record(full, text, self.end))
        return self.records[-1]

    def seal(self) -> None:
        """Say how many records there must be from now on."""
        replace_file(self.witness, checked(b"%d" % len(self.records)))
        self.sealed = len(self.records)

    def close(self) -> None:
        """Seal and close the file, unless it could not be opened; without the seal it is as after a crash."""
        if 0 <= self.sealed < len(self.records):
            with suppress(OSError):
                self.seal()
        self.sealed = -1
        super().close()


def _checksum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(_CHECK, "big")

"""Honest stores that survive every crash, to break: a journal of checked records, with a state or a log on top of it.

Their steps are small methods, so that a mutant gets one of them wrong. They write through Python's own functions, so
that a simulated disk can stand in for the real one.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from reference_backends._files import sync_directory
from reference_backends._json import check_key, dumps, loads
from tests.mutants.capable_base import Draft

#: Keys with their new texts; None for those to delete.
Changes = Mapping[str, "str | None"]

_HEAD = struct.Struct(">II")


class TextState(MutableMapping[str, Any]):
    """The verbs of a state store that holds all its texts in memory; how they are made to last is for subclasses."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.closed = False

    def __getitem__(self, key: str) -> Any:
        self.refuse_closed()
        return self.decode(self.kept[key])

    def __setitem__(self, key: str, value: Any) -> None:
        check_key(key)
        self.change({key: self.encode(value)})

    def __delitem__(self, key: str) -> None:
        self.refuse_closed()
        if key not in self.kept:
            raise KeyError(key)
        self.change({key: None})

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts())

    def __len__(self) -> int:
        return len(self.texts())

    def change(self, changes: Changes) -> None:
        """Make changes last, then show them: what could not be written was never there."""
        self.refuse_closed()
        self.write(changes)
        self.show(changes)

    def show(self, changes: Changes) -> None:
        """Carry out changes in memory."""
        for key, text in changes.items():
            if text is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = text

    def write(self, changes: Changes) -> None:
        """Make changes last."""
        raise NotImplementedError

    def texts(self) -> dict[str, str]:
        """Return all keys with their texts."""
        self.refuse_closed()
        return dict(self.kept)

    def encode(self, value: Any) -> str:
        """Return the text of a value."""
        return dumps(value)

    def decode(self, text: str) -> Any:
        """Return the value of a text."""
        return loads(text)

    def refuse_closed(self) -> None:
        """Raise when the store is closed."""
        if self.closed:
            raise ValueError("the store is closed")

    def close(self) -> None:
        """Refuse every verb from now on."""
        self.closed = True


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, in as many calls as the system wants."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


class Journal:
    """A file of records, each with its length and checksum; a torn tail is cut off at opening."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = self.open_file()
        try:
            self.payloads = self.recover()
        except BaseException:
            self.close()
            raise

    def open_file(self) -> int:
        """Open the file, or make it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        sync_directory(self.path.parent)  # also when it was there: whoever made it may have died before this line
        return descriptor

    def recover(self) -> list[bytes]:
        """Return the records, and leave nothing behind the last of them."""
        data = self.read_all()
        payloads, self.end = self.parse(data)
        #: Whether anything may stand behind the end: what a failed append has left.
        self.dirty = False
        if self.end < len(data):
            self.cut()
            self.sync()
        return payloads

    def read_all(self) -> bytes:
        """Return the content of the file."""
        parts = []
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        while part := os.read(self.descriptor, 1 << 20):
            parts.append(part)
        return b"".join(parts)

    def parse(self, data: bytes) -> tuple[list[bytes], int]:
        """Return the sound records at the beginning of `data`, and where they end."""
        payloads, end = [], 0
        while end + _HEAD.size <= len(data):
            size, check = _HEAD.unpack_from(data, end)
            payload = data[end + _HEAD.size : end + _HEAD.size + size]
            if not self.sound(payload, size, check):
                break
            payloads.append(payload)
            end += _HEAD.size + size
        return payloads, end

    def sound(self, payload: bytes, size: int, check: int) -> bool:
        """Tell whether a record is whole; zeros are none, although they would check."""
        return len(payload) == size > 0 and zlib.crc32(payload) == check

    def frame(self, payload: bytes) -> bytes:
        """Return a record as it stands in the file."""
        return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload

    def append(self, payload: bytes) -> None:
        """Add a record, and return when it is on the disk."""
        frame = self.frame(payload)
        if self.dirty:
            self.cut()
        self.dirty = True
        try:
            os.lseek(self.descriptor, self.end, os.SEEK_SET)
            self.write(frame)
            self.sync()
        except BaseException:
            # Neither half a record nor one of which nobody knows whether it is on the disk may precede the next.
            with suppress(OSError):
                self.cut()
            raise
        self.dirty = False
        self.end += len(frame)

    def cut(self) -> None:
        """Remove what stands behind the last record."""
        os.ftruncate(self.descriptor, self.end)
        self.dirty = False

    def write(self, data: bytes) -> None:
        """Write at the place where the file stands."""
        write_all(self.descriptor, data)

    def sync(self) -> None:
        """Return when the file is on the disk."""
        os.fsync(self.descriptor)

    def rewrite(self, payload: bytes) -> None:
        """Replace all records by one."""
        frame = self.frame(payload)
        fresh = self.path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            write_all(descriptor, frame)
            self.put_in_place(fresh, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(self.descriptor)
        self.descriptor, self.end, self.dirty = descriptor, len(frame), False
        sync_directory(self.path.parent)

    def put_in_place(self, fresh: Path, descriptor: int) -> None:
        """Give the new file the name of the old one."""
        os.fsync(descriptor)
        os.replace(fresh, self.path)

    def close(self) -> None:
        """Close the file; harmless when repeated."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class JournalState(TextState):
    """A state whose changes are records of a journal, with transactions and compaction."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self.journal = journal
        try:
            for payload in journal.payloads:
                self.show(json.loads(payload))
        except BaseException:
            journal.close()
            raise

    def write(self, changes: Changes) -> None:
        """Append one record."""
        self.journal.append(json.dumps(dict(changes)).encode())

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Give a mapping whose operations are carried out when the block ends, as one change."""
        self.refuse_closed()
        draft = Draft(cast("Any", self))
        try:
            yield draft
        finally:
            draft.ended = True
        if draft.operations:
            self.commit(dict(draft.operations))

    def commit(self, changes: Changes) -> None:
        """Carry out a transaction."""
        self.change(changes)

    def compact(self) -> None:
        """Keep one record of what is there."""
        self.refuse_closed()
        self.journal.rewrite(json.dumps(self.kept).encode())

    def close(self) -> None:
        """Close the journal."""
        super().close()
        self.journal.close()

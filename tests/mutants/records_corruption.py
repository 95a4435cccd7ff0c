"""Stores of runs, jobs, layers and vectors that serve damaged, old or foreign data, or lose what is whole."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any

from tests.mutants.corruption_base import CorruptError, unchecked
from tests.mutants.crash_marks import marked
from tests.mutants.records_corruption_base import Document, Folder, broken


@broken("a record is plain JSON: whatever parses was saved", "01 05")
class WithoutChecksum(Folder):
    def packed(self, body: bytes, name: str) -> bytes:
        return body

    def unpacked(self, data: bytes, name: str) -> bytes:
        return data


@broken("a record that can't be parsed is passed over by the listing, and missing to whoever asks for it", "02")
class ParseErrorIsEmpty(Folder):
    def get(self, name: str) -> Any:
        try:
            return super().get(name)
        except CorruptError:
            return None

    def all(self) -> list[Any]:
        return [pair for pair in super().all() if pair[1] is not None]


@broken("the listing ends at the first record that is damaged", "02")
class StopAtFirstBad(Folder):
    def all(self) -> list[Any]:
        found = []
        for name in self.names():
            try:
                found.append((name, self.get(name)))
            except CorruptError:
                break
        return found


@broken("the checksum is that of the id alone", "01 03")
class ChecksumOfTheId(Folder):
    def packed(self, body: bytes, name: str) -> bytes:
        return b"%08x\n" % zlib.crc32(name.encode()) + body

    def unpacked(self, data: bytes, name: str) -> bytes:
        check, _, body = data.partition(b"\n")
        if check != b"%08x" % zlib.crc32(name.encode()):
            raise CorruptError("the checksum of the id does not fit")
        return body.replace(b"\0", b" ")  # "left by the file system"


@broken("what stands behind a record is a note about it", "04")
class JunkIsARecord(Folder):
    def packed(self, body: bytes, name: str) -> bytes:
        return super().packed(body, name) + b"\n"

    def parsed(self, data: bytes, name: str) -> Any:
        check, body, *notes = data.split(b"\n")
        value = super().parsed(check + b"\n" + body, name)
        text = b"".join(notes).decode("latin-1")
        if not text:
            return value
        return {**value, "status": text} if isinstance(value, dict) else f"{value}{text}"


@broken("what is not a record is cleared away when the store is opened", "06")
class ForeignFileRemoved(Folder):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        mine = {self.path(name) for name in self.names()}
        for path in folder.iterdir():
            if path not in mine:
                path.unlink()


@broken("one file has all records, and one checksum", "11")
class InOneDocument(Document):
    pass


@broken("after a kill, all that stands behind the first damaged record is dropped with it", "12")
class RecoveryTruncates(Folder):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clean = folder / "clean"
        if not self.clean.exists():
            self.recover()
        self.clean.unlink(missing_ok=True)

    def recover(self) -> None:
        """Keep what stands in front of the first damaged record."""
        names = self.names()
        for place, name in enumerate(names):
            try:
                self.get(name)
            except CorruptError:
                for gone in names[place:]:
                    self.delete(gone)
                return

    def close(self) -> None:
        self.clean.touch()


@broken("the records that are there are all", "21 22", "complete")
class NobodyCounts(Folder):
    pass


@broken("a file that ends before its length ends the process", "31 91")
class DiesOfALength(Folder):
    def packed(self, body: bytes, name: str) -> bytes:
        return b"%08d" % len(body) + super().packed(body, name)

    def unpacked(self, data: bytes, name: str) -> bytes:
        body = data[8:]
        if len(body) < int(data[:8] or b"1"):
            os._exit(1)
        return unchecked(body)


MUTANTS = marked(globals())

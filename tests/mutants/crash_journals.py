"""Journals that are wrong about crashes: about syncs, torn records, compaction, locks; each with a state and a log."""

from __future__ import annotations

import os
from pathlib import Path

from reference_backends._files import sync_directory
from tests.mutants.crash_base import Journal
from tests.mutants.crash_log_base import broken_journal
from tests.mutants.crash_marks import marked


@broken_journal(
    "A write is acknowledged as soon as it is in the cache of the system.",
    state="21 22 23 24 25 26",
    log="21 22 23 24 25",
)
class NoFsyncAtAll(Journal):
    def sync(self) -> None:
        pass

    def put_in_place(self, fresh: Path, descriptor: int) -> None:
        os.replace(fresh, self.path)


@broken_journal("It syncs before it writes, not after.", state="21", log="21")
class SyncsBeforeItWrites(Journal):
    def write(self, data: bytes) -> None:
        super().sync()
        super().write(data)

    def sync(self) -> None:
        pass


@broken_journal("Records above a page are not synced.", state="23", log="23")
class LargeRecordsUnsynced(Journal):
    def __init__(self, path: Path) -> None:
        self.large = False
        super().__init__(path)

    def frame(self, payload: bytes) -> bytes:
        self.large = len(payload) > 4_096
        return super().frame(payload)

    def sync(self) -> None:
        if not self.large:
            super().sync()


@broken_journal(
    "The torn record of a crash is passed over but stays, and the next record is written behind it.",
    state="11",
    log="11",
)
class TailNotTruncated(Journal):
    def recover(self) -> list[bytes]:
        data = self.read_all()
        payloads, _ = self.parse(data)
        self.end, self.dirty = len(data), False
        return payloads


@broken_journal(
    "Records have a length and no checksum: it trusts a file system that appends in order.", state="31", log="31"
)
class NoChecksum(Journal):
    def sound(self, payload: bytes, size: int, check: int) -> bool:
        return len(payload) == size > 0


@broken_journal(
    "A record of more than 64 KiB is written in pieces, each checked, and nothing tells which piece is the last.",
    state="03 13",
    log="03 13",
)
class LargeRecordsInPieces(Journal):
    piece = 1 << 16

    def append(self, payload: bytes) -> None:
        for start in range(0, len(payload), self.piece):
            super().append(payload[start : start + self.piece])

    def rewrite(self, payload: bytes) -> None:
        super().rewrite(payload[: self.piece])
        for start in range(self.piece, len(payload), self.piece):
            super().append(payload[start : start + self.piece])

    def recover(self) -> list[bytes]:
        whole, joined = [], b""
        for payload in super().recover():
            joined += payload
            if len(payload) < self.piece:
                whole.append(joined)
                joined = b""
        return [*whole, joined] if joined else whole


@broken_journal(
    "A file without its header is taken for damaged, although a crash while it was made leaves just that.",
    state="32",
    log="32",
)
class HeaderRequired(Journal):
    header = b"JRNL"

    def open_file(self) -> int:
        new = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        if new:
            os.write(descriptor, self.header)
            os.fsync(descriptor)
            sync_directory(self.path.parent)
        return descriptor

    def parse(self, data: bytes) -> tuple[list[bytes], int]:
        if data[:4] != self.header:
            raise ValueError("this is no journal")
        payloads, end = super().parse(data[4:])
        return payloads, end + 4

    def rewrite(self, payload: bytes) -> None:
        self.append(payload)


@broken_journal("A compaction removes the old file before the new one has its name.", state="05", log="04")
class CompactionDeletesFirst(Journal):
    def put_in_place(self, fresh: Path, descriptor: int) -> None:
        os.fsync(descriptor)
        self.path.unlink()
        os.rename(fresh, self.path)


@broken_journal("A compacted file is not synced before it takes the place of the old one.", state="25", log="24")
class CompactionUnsynced(Journal):
    def put_in_place(self, fresh: Path, descriptor: int) -> None:
        os.replace(fresh, self.path)


@broken_journal("A compaction writes over the only file there is.", state="05", log="04")
class CompactionInPlace(Journal):
    def rewrite(self, payload: bytes) -> None:
        frame = self.frame(payload)
        os.ftruncate(self.descriptor, 0)
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        self.write(frame)
        self.sync()
        self.end = len(frame)


@broken_journal("A killed process leaves its lock file, and nobody can open the store any more.", state="01", log="01")
class LockFileLeft(Journal):
    def open_file(self) -> int:
        os.close(os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_EXCL))
        return super().open_file()

    def close(self) -> None:
        if self.descriptor >= 0:
            self.path.with_suffix(".lock").unlink()
        super().close()


@broken_journal(
    "The mark of who uses the store lies beside its directory; a killed process leaves it, and nobody gets in.",
    state="41 42",
    log="41 42",
)
class MarkLeftOutside(Journal):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.mark = path.parent.with_name(f"{path.parent.name}.in-use")
        if self.payloads and self.mark.exists():
            super().close()
            raise OSError("the store is in use")
        self.mark.touch()

    def close(self) -> None:
        if self.descriptor >= 0 and hasattr(self, "mark"):
            self.mark.unlink(missing_ok=True)
        super().close()


MUTANTS = marked(globals())

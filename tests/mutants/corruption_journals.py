"""Journals that take damage for data, or data for damage; each with a state, a log, or both."""

from __future__ import annotations

import json
import os
import sys

from reference_backends._json import dumps
from tests.mutants.corruption_base import CheckedJournal, CorruptError, Record, checked, unchecked
from tests.mutants.corruption_stores import broken_checked_journal
from tests.mutants.crash_base import write_all
from tests.mutants.crash_files import replace_file
from tests.mutants.crash_marks import marked


@broken_checked_journal("Checksums are written and never compared.", state="01", log="01")
class ChecksumNotVerified(CheckedJournal):
    def sound(self, payload: bytes, size: int, check: int) -> bool:
        return len(payload) == size


@broken_checked_journal("The checksum of a text covers its beginning only.", state="01")
class ChecksumHeaderOnly(CheckedJournal):
    def check(self, body: bytes) -> int:
        return super().check(body[:8])


@broken_checked_journal("The first bad record is taken for the end of the journal.", log="01")
class StopAtFirstBad(CheckedJournal):
    def find(self, data: bytes, due: int) -> list[Record]:
        found = super().find(data, due)
        return found[: next((at for at, one in enumerate(found) if one.text is None), len(found))]

    def compare(self, data: bytes, due: int | None) -> None:
        pass


@broken_checked_journal("Recovery passes over a bad record, and says nothing.", state="01", log="01")
class BadRecordSkipped(CheckedJournal):
    def find(self, data: bytes, due: int) -> list[Record]:
        return [one for one in super().find(data, due) if one.text is not None]

    def compare(self, data: bytes, due: int | None) -> None:
        pass


@broken_checked_journal(
    "Recovery takes a bad record behind the last close for what a crash has left, and cuts off all that follows.",
    state="12",
    log="12",
)
class TruncateGoodData(CheckedJournal):
    def find(self, data: bytes, due: int) -> list[Record]:
        found = super().find(data, due)
        return found[: next((at for at, one in enumerate(found) if at >= due and one.text is None), len(found))]


@broken_checked_journal("A journal that is shorter than the witness says is taken as it is.", log="02")
class ShortJournalAccepted(CheckedJournal):
    def compare(self, data: bytes, due: int | None) -> None:
        pass


@broken_checked_journal("One bad record keeps the whole journal from being opened.", state="11", log="11")
class BadRecordBlocks(CheckedJournal):
    def compare(self, data: bytes, due: int | None) -> None:
        super().compare(data, due)
        if any(record.text is None for record in self.records):
            self.refuse("a record is damaged")


@broken_checked_journal("An empty file is taken for a new journal.", state="02")
class EmptyFileIsNew(CheckedJournal):
    def due(self) -> int | None:
        return super().due() if self.path.stat().st_size else None


@broken_checked_journal(
    "What can't be read is taken for an empty journal, and the next record is written over it.",
    state="01",
)
class ParseErrorIsEmpty(CheckedJournal):
    def recover(self) -> list[bytes]:
        try:
            return super().recover()
        except CorruptError:
            os.ftruncate(self.descriptor, 0)
            self.witness.unlink(missing_ok=True)
            return super().recover()


@broken_checked_journal(
    "A version that no checksum covers says how texts are decoded, and any other version is taken for the first.",
    state="01",
)
class VersionFieldIgnored(CheckedJournal):
    newest = b"2"

    def recover(self) -> list[bytes]:
        file = self.path.with_suffix(".version")
        if not file.exists():
            replace_file(file, self.newest)
        self.version = file.read_bytes()
        return super().recover()

    def unpack(self, body: bytes) -> str:
        text = super().unpack(body)
        # The first version knew texts alone, and kept them without quotes.
        return text if self.version == self.newest else dumps(text)


@broken_checked_journal(
    "Each page has a checksum, and none has its number: a page in the place of another is sound.", state="03", log="03"
)
class PageNumberUncovered(CheckedJournal):
    page = 512

    def read_all(self) -> bytes:
        data = super().read_all()
        parts = [data[at : at + self.page] for at in range(0, len(data), self.page)]
        self.content = b"".join(map(unchecked, parts))
        return self.content

    def check(self, body: bytes) -> int:
        return 0  # the pages have checksums

    def append(self, payload: bytes) -> None:
        self.content = self.content[: self.end] + self.frame(payload)
        room = self.page - len(checked(b""))
        parts = [self.content[at : at + room].ljust(room, b"\0") for at in range(0, len(self.content), room)]
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        write_all(self.descriptor, b"".join(map(checked, parts)))
        self.sync()
        self.end = len(self.content)

    def cut(self) -> None:
        pass  # the rest of the last page is empty


@broken_checked_journal("What stands behind the last record is kept as a record of its own.", state="04", log="04")
class TailIsData(CheckedJournal):
    def find(self, data: bytes, due: int) -> list[Record]:
        found = super().find(data, due)
        if tail := data[found[-1].end if found else 0 :]:
            name = json.dumps(["found", len(found) + 1])
            found.append(Record(name, dumps(tail.decode("latin-1")), len(data)))
        return found


@broken_checked_journal(
    "After a crash all records are saved in a file without checksums, and read from there ever after.",
    state="05",
    log="05",
)
class RecoveredUnchecked(CheckedJournal):
    def recover(self) -> list[bytes]:
        super().recover()
        saved, self.unclean = self.path.with_suffix(".saved"), self.path.with_suffix(".open")
        if self.unclean.exists():
            replace_file(saved, json.dumps([record.text for record in self.records]).encode())
        elif saved.exists():
            for at, text in enumerate(json.loads(saved.read_bytes())):
                self.records[at] = Record(self.records[at].name, text, self.records[at].end)
        self.unclean.touch()
        return []

    def close(self) -> None:
        if self.sealed >= 0:
            self.unclean.unlink(missing_ok=True)
        super().close()


@broken_checked_journal("Files that are not its own are taken for leftovers, and removed.", log="06")
class ForeignFilesRemoved(CheckedJournal):
    def recover(self) -> list[bytes]:
        for path in self.path.parent.iterdir():
            if path not in (self.path, self.witness):
                path.unlink()
        return super().recover()


@broken_checked_journal("An empty file, where there must be records, ends the process.", log="31 91")
class DiesOfDamage(CheckedJournal):
    def compare(self, data: bytes, due: int | None) -> None:
        if due and not data:
            os.abort()
        super().compare(data, due)


@broken_checked_journal("An empty file, where there must be records, ends the program.", state="31 91")
class ExitsOnDamage(CheckedJournal):
    def compare(self, data: bytes, due: int | None) -> None:
        if due and not data:
            sys.exit("the store is damaged")
        super().compare(data, due)


MUTANTS = marked(globals())

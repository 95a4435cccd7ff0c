"""Logs that serve damaged, old or foreign events, or that repair too much."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from reference_backends._files import sync_directory
from tests.mutants.corruption_base import CheckedJournal, CorruptError, Record, checked, unchecked
from tests.mutants.corruption_stores import CheckedLog, broken_checked, broken_checked_journal
from tests.mutants.crash_files import replace_file
from tests.mutants.crash_marks import marked


class EventFiles(CheckedJournal):
    """Honest, below `complete`: a file for each event, with a number and a checksum; nobody counts them."""

    def __init__(self, path: Path) -> None:
        self.folder = path
        path.mkdir(exist_ok=True)
        sync_directory(path.parent)
        self.records = []
        for at, file in enumerate(self.files(), 1):
            self.records.append(Record(json.dumps(["event", at]), self.text(file, at), 0))
        self.descriptor = -1
        self.sealed = -1

    def files(self) -> list[Path]:
        """Return the files of the events, oldest first."""
        return sorted(self.folder.glob("*.event"))

    def text(self, file: Path, position: int) -> str | None:
        """Return the text of a file; None when it is damaged."""
        if file.name != self.file(position).name:
            self.refuse(f"{file.name} is not the event {position}")
        try:
            number, text = json.loads(unchecked(file.read_bytes()))
        except CorruptError:
            return None
        return str(text) if number == position else None

    def file(self, position: int) -> Path:
        """Return the file of an event."""
        return self.folder / f"{position:08d}.event"

    def add(self, verb: str, name: str | int, text: str = "null") -> Record:
        """Write the file of an event."""
        position = len(self.records) + 1
        replace_file(self.file(position), checked(json.dumps([position, text]).encode()))
        self.records.append(Record(json.dumps([verb, name]), text, 0))
        return self.records[-1]


class EventFilesLog(CheckedLog):
    """A log on event files."""

    repair = None  # type: ignore[assignment]


@broken_checked_journal("Each event is a file, and the last one is not missed.", log="21")
class LastEventUnnoticed(EventFiles):
    pass


@broken_checked_journal(
    "The file has its full length from the beginning, and the first zeros are the end: an old block is an old end.",
    log="22",
)
class OldBlockUnnoticed(CheckedJournal):
    room = 1 << 15

    def find(self, data: bytes, due: int) -> list[Record]:
        found = super().find(data, due)
        rest = data[found[-1].end if found else 0 :]
        if any(rest) or len(data) % self.room:
            self.refuse("there is something behind the end, or not enough")
        return found

    def compare(self, data: bytes, due: int | None) -> None:
        if due and not data:
            self.refuse("the journal is missing")

    def append(self, payload: bytes) -> None:
        super().append(payload)
        os.ftruncate(self.descriptor, -(-self.end // self.room) * self.room)
        self.sync()

    def cut(self) -> None:
        pass  # there are zeros behind the end


@broken_checked("What `verify()` calls sound is the index; it does not look at the events.", "log", "32")
class LogVerifiesTheIndex(CheckedLog):
    def verify(self) -> dict[str, Any]:
        return {"healthy": self.head, "damaged": []}


@broken_checked("A repair drops everything from the first damaged event on, and reports that one.", "log", "41")
class LogRepairTruncates(CheckedLog):
    def repair(self) -> dict[str, Any]:
        first = min(self.damaged(), default=self.head + 1)
        for position in range(first, self.head + 1):
            self.take(self.journal.add("drop", position))
        return {"dropped": [first][: self.head + 1 - first]}


@broken_checked("A repair does not say what it has dropped.", "log", "41")
class LogRepairSaysNothing(CheckedLog):
    def repair(self) -> dict[str, Any]:
        super().repair()
        return {"dropped": []}


MUTANTS = marked(globals())

"""Logs that are wrong about crashes in ways of their own: batches, checkpoints, positions, files for each event."""

from __future__ import annotations

import json
import os
from pathlib import Path

from reference_backends._files import sync_directory
from tests.mutants.crash_base import Journal
from tests.mutants.crash_files import replace_file, write_synced
from tests.mutants.crash_log_base import JournalLog, broken_journal, broken_log
from tests.mutants.crash_marks import marked


@broken_log("The events of a batch are records of their own, and nothing tells where it ends.", "02 12")
class BatchEventByEvent(JournalLog):
    def write(self, texts: list[str]) -> list[int]:
        return [super(BatchEventByEvent, self).write([text])[0] for text in texts]


@broken_log("Batches are not synced; single appends are.", "22")
class BatchUnsynced(JournalLog):
    def write(self, texts: list[str]) -> list[int]:
        if len(texts) == 1:
            return super().write(texts)
        self.journal.sync = lambda: None  # type: ignore[method-assign]
        try:
            return super().write(texts)
        finally:
            del self.journal.sync


@broken_log("The newest checkpoint is written over the one before.", "04")
class CheckpointInPlace(JournalLog):
    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self.file = journal.path.with_suffix(".checkpoint")
        if self.file.exists():
            text, upto = json.loads(self.file.read_bytes())
            self.kept = (text, upto)

    def keep(self, text: str, upto: int) -> None:
        write_synced(self.file, json.dumps([text, upto]).encode())
        sync_directory(self.file.parent)
        self.kept = (text, upto)


@broken_log("The head is kept in a file of its own, which is replaced after the event is written.", "01")
class HeadAside(JournalLog):
    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self.file = journal.path.with_suffix(".head")
        self.known = int(self.file.read_bytes()) if self.file.exists() else 0

    @property
    def head(self) -> int:
        self.refuse_closed()
        return self.known

    def write(self, texts: list[str]) -> list[int]:
        positions = super().write(texts)
        replace_file(self.file, str(self.last).encode())
        self.known = self.last
        return positions


@broken_log("A compaction saves what is left only after it has dropped everything.", "04")
class CompactionDropsFirst(JournalLog):
    def compact(self, upto: int) -> None:
        texts, state = self.texts[max(0, upto + 1 - self.start) :], self.kept
        super().compact(upto)
        if state is not None:
            dropped = {"first": self.head + 1, "at": self.head + 1, "events": [], "state": state[0], "upto": state[1]}
            self.journal.rewrite(json.dumps(dropped).encode())
            left = {"first": self.start, "at": self.start, "events": texts, "state": state[0], "upto": state[1]}
            self.journal.rewrite(json.dumps(left).encode())


@broken_log("Opening goes back to a mark that is saved at every second append, and drops the events after it.", "01")
class RecoveredToTheMark(JournalLog):
    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self.file = journal.path.with_suffix(".mark")
        if self.file.exists():
            del self.texts[max(0, int(self.file.read_bytes()) + 1 - self.start) :]

    def write(self, texts: list[str]) -> list[int]:
        positions = super().write(texts)
        if self.last % 2 == 0:
            replace_file(self.file, str(self.last).encode())
        return positions

    def close(self) -> None:
        if not self.closed:
            replace_file(self.file, str(self.last).encode())
        super().close()


@broken_journal("Each record is a file, renamed into a directory that is not synced.", log="21")
class RecordFilesUnnamed(Journal):
    def __init__(self, path: Path) -> None:
        self.folder = path
        path.mkdir(exist_ok=True)
        sync_directory(path.parent)
        files = sorted(path.glob("*.record"))
        self.payloads = [file.read_bytes() for file in files]
        self.number = int(files[-1].stem) if files else 0
        self.descriptor = -1

    def append(self, payload: bytes) -> None:
        fresh = self.folder / "fresh.tmp"
        write_synced(fresh, payload)
        os.replace(fresh, self.folder / f"{self.number + 1:08d}.record")
        self.number += 1

    def rewrite(self, payload: bytes) -> None:
        self.append(payload)


class SegmentJournal(Journal):
    """Honest: a new file is begun when the last one has reached its size; the older ones are never written again."""

    full = 2_048

    def __init__(self, path: Path) -> None:
        self.base = path
        super().__init__(self.segments()[-1] if self.segments() else self.named(1))

    def named(self, number: int) -> Path:
        """Return the path of a segment."""
        return self.base.with_name(f"{self.base.name}.{number:06d}")

    def segments(self) -> list[Path]:
        """Return the segments, oldest first."""
        return sorted(self.base.parent.glob(f"{self.base.name}.[0-9][0-9][0-9][0-9][0-9][0-9]"))

    def recover(self) -> list[bytes]:
        """Return the records of all segments."""
        old = [payload for path in self.segments()[:-1] for payload in self.parse(path.read_bytes())[0]]
        return [*old, *super().recover()]

    def append(self, payload: bytes) -> None:
        """Add a record, in a new segment if the last one is full."""
        if self.end >= self.full:
            self.rotate()
        super().append(payload)

    def rotate(self) -> None:
        """Begin a new segment."""
        self.path = self.named(int(self.path.suffix[1:]) + 1)
        os.close(self.descriptor)
        self.descriptor, self.end = self.open_file(), 0

    def rewrite(self, payload: bytes) -> None:
        """Keep the old records: a log may drop them whenever it likes, and a state finds the newest last."""
        self.append(payload)


@broken_journal("Full segments are left to the system to write; only the new one is synced.", log="11 13", state="13")
class SegmentsUnsynced(SegmentJournal):
    def sync(self) -> None:
        if self.end + self.written < self.full:
            super().sync()

    def write(self, data: bytes) -> None:
        self.written = len(data)
        super().write(data)


MUTANTS = marked(globals())

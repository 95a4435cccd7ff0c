"""Stores of many designs that survive every crash they promise to survive: the checks of crashes must pass them."""

from __future__ import annotations

import json
import mmap
import os
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance import Backend
from reference_backends._files import replace_file, sync_directory
from tests.mutants.crash_base import Changes, Journal, TextState, write_all
from tests.mutants.crash_files import AtomicFiles, Document
from tests.mutants.crash_log_base import log_on, state_on
from tests.mutants.crash_logs import SegmentJournal
from tests.mutants.crash_marks import PROMISES, Opener
from tests.mutants.crash_merges import TwoFileJournal
from tests.mutants.crash_sqlite import SyncedSqlite
from tests.mutants.crash_stores import Slots
from tests.odd.state import AsyncState

if sys.platform != "win32":
    import fcntl


class DeleteExtra(SyncedSqlite):
    """SQLite that syncs the removal of its journal."""

    journal_mode = "DELETE"
    synchronous = "EXTRA"


class TruncateFull(SyncedSqlite):
    """SQLite that cuts its journal to nothing."""

    journal_mode = "TRUNCATE"


class PersistFull(SyncedSqlite):
    """SQLite that overwrites the beginning of its journal."""

    journal_mode = "PERSIST"


class WalNormal(SyncedSqlite):
    """SQLite that syncs only when it moves its log into the database."""

    synchronous = "NORMAL"


class LazyJournal(Journal):
    """Keeps no file open: opens it for each write, and closes it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        super().close()

    def append(self, payload: bytes) -> None:
        """Open the file for one record."""
        self.descriptor = self.open_file()
        try:
            super().append(payload)
        finally:
            super().close()

    def rewrite(self, payload: bytes) -> None:
        """Open the file for one compaction."""
        self.descriptor = self.open_file()
        try:
            super().rewrite(payload)
        finally:
            super().close()


class LockedJournal(Journal):
    """Locks a file beside the journal, which the system unlocks when the process dies."""

    def open_file(self) -> int:
        """Lock, then open."""
        self.lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return super().open_file()
        except BaseException:
            os.close(self.lock)
            raise

    def close(self) -> None:
        """Close, then unlock."""
        if self.descriptor >= 0:
            super().close()
            os.close(self.lock)


class PidJournal(Journal):
    """Makes a lock file that says which process made it, and takes over that of a dead process."""

    def open_file(self) -> int:
        """Lock, then open."""
        self.lock = self.path.with_suffix(".pid")
        while True:
            try:
                descriptor = os.open(self.lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            except FileExistsError:
                self.remove_stale()
            else:
                break
        try:
            write_all(descriptor, f"{os.getpid()} {born(os.getpid())}".encode())
            return super().open_file()
        except BaseException:
            self.lock.unlink()
            raise
        finally:
            os.close(descriptor)

    def remove_stale(self) -> None:
        """Remove the lock of a dead process, or of one that died before it had written who it is; else raise."""
        number, _, birth = self.lock.read_text().partition(" ")
        if birth and int(number) != os.getpid() and born(int(number)) == birth:
            raise OSError("the store is in use")
        self.lock.unlink()

    def close(self) -> None:
        """Close, then unlock."""
        if self.descriptor >= 0:
            super().close()
            self.lock.unlink()


def born(process: int) -> str:
    """Return when a process began, since numbers are given again; an empty text where that can't be told."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


class GroupCommit(TextState):
    """Writes are acknowledged by the next `flush`, which makes one record of them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.journal = Journal(path)
        self.waiting: dict[str, str | None] = {}
        for payload in self.journal.payloads:
            self.show(json.loads(payload))

    def write(self, changes: Changes) -> None:
        """Keep changes back."""
        self.waiting.update(changes)

    def flush(self) -> None:
        """Write what was kept back."""
        self.refuse_closed()
        if self.waiting:
            self.journal.append(json.dumps(self.waiting).encode())
            self.waiting = {}

    def close(self) -> None:
        """Close the file; what was not flushed was never acknowledged."""
        super().close()
        self.journal.close()


class MappedHalves(TextState):
    """A mapped file of two halves; each write fills the older half, with a number and a checksum, and syncs it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.number = 0
        for half in (0, 1):
            if (found := self.found(half)) and found[0] > self.number:
                self.number, self.kept = found

    def half(self, half: int) -> Path:
        """Return the file of a half."""
        return self.path.with_suffix(f".{half}")

    def found(self, half: int) -> tuple[int, dict[str, str]] | None:
        """Return the number and the texts of a half; None when it is not whole."""
        data = self.half(half).read_bytes() if self.half(half).exists() else b""
        size, check = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
        body = data[8 : 8 + size]
        if not size or len(body) != size or zlib.crc32(body) != check:
            return None
        number, texts = json.loads(body)
        return number, texts

    def write(self, changes: Changes) -> None:
        """Fill the older half."""
        texts = {key: text for key, text in {**self.kept, **changes}.items() if text is not None}
        body = json.dumps([self.number + 1, texts]).encode()
        data = len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body
        # Even numbers go to half 0, odd ones to half 1: the half that holds the newest texts is never touched.
        half = self.half((self.number + 1) % 2)
        descriptor = os.open(half, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.ftruncate(descriptor, -(-len(data) // mmap.PAGESIZE) * mmap.PAGESIZE)
            with mmap.mmap(descriptor, 0) as area:
                area[: len(data)] = data
                area.flush()
            os.fsync(descriptor)
            sync_directory(self.path.parent)
        except BaseException:
            # Pages that could not be synced count as clean, and storing the same bytes again need not change that.
            half.unlink()
            raise
        finally:
            os.close(descriptor)
        self.number += 1


class DroppingSegments(SegmentJournal):
    """Compacts into a new segment; a file beside them says which one is the first that counts."""

    def segments(self) -> list[Path]:
        """Return the segments that count, oldest first."""
        first = self.base.with_name("first")
        begin = int(first.read_text(encoding="utf-8")) if first.exists() else 1
        return [path for path in super().segments() if int(path.suffix[1:]) >= begin]

    def rewrite(self, payload: bytes) -> None:
        """Begin a segment with all that is left, let nothing before it count, and remove that."""
        self.rotate()
        self.append(payload)
        replace_file(self.base.with_name("first"), self.path.suffix[1:].encode(), backups=0)
        for path in super().segments():
            if path < self.path:
                path.unlink()


def _state(name: str, store: Callable[[Path], Any], **promises: Any) -> Backend:
    return Backend(name, state=Opener(store), **{**PROMISES, **promises})


_HONEST = [
    _state("odd_crash_files", AtomicFiles),
    _state("odd_crash_files_async", lambda path: AsyncState(AtomicFiles(path))),
    _state("odd_crash_document", Document),
    _state("odd_crash_slots", Slots),
    _state("odd_crash_mapped", MappedHalves),
    _state("odd_crash_group_commit", GroupCommit, flush=GroupCommit.flush),
    _state("odd_crash_sqlite_wal_full", SyncedSqlite),
    _state("odd_crash_sqlite_delete_extra", DeleteExtra),
    _state("odd_crash_sqlite_truncate_full", TruncateFull),
    _state("odd_crash_sqlite_persist_full", PersistFull),
    _state("odd_crash_sqlite_wal_normal", WalNormal, durability="prefix"),
    *(
        on(journal, f"odd_crash_{name}_{contract}")
        for contract, on in (("state", state_on), ("log", log_on))
        for name, journal in (
            ("journal", Journal),
            ("two_files", TwoFileJournal),
            ("segments", DroppingSegments),
            ("lazy", LazyJournal),
            ("locked", LockedJournal),
            ("pid", PidJournal),
        )
    ),
]
#: They are as plain as any in all else.
SUITES = ("open", "crash-recovery", "corruption")
#: By their addresses, so that other processes open them too.
ODD = [replace(backend, address=f"{__name__}:{backend.name.upper()}") for backend in _HONEST]
globals().update({backend.name.upper(): backend for backend in ODD})

"""Stores that are fine until a process is killed in the midst of a call, and others go on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from conformance import Backend, Where
from reference_backends._files import FileLock
from tests.mutants.base import Mutant
from tests.mutants.concurrency_processes import ConflictError, Document


class RolledBack(Document):
    """Rewrites the document in place, with a copy of the old one beside it; who locks next puts the copy back."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self.locked():
            self.recover()

    @property
    def copy(self) -> Path:
        """Where the old document is kept while it is rewritten."""
        return self.path.with_name("copy")

    def recover(self) -> None:
        """Put back what a dead process was about to change."""
        with suppress(FileNotFoundError):
            os.replace(self.copy, self.path)

    def keep(self) -> None:
        """Keep the old document."""
        new = self.path.with_name(uuid4().hex)
        new.write_bytes(self.path.read_bytes() if self.path.exists() else b"{}")
        os.replace(new, self.copy)

    def load(self) -> dict[str, Any]:
        """Return all entries; what was left half done is undone first."""
        self.recover()
        return super().load()

    def save(self, entries: dict[str, Any]) -> None:
        """Keep the old document, rewrite it, and drop the copy."""
        self.keep()
        text = json.dumps(entries).encode()
        with self.path.open("wb", buffering=0) as file:
            file.write(text[: len(text) // 2])
            file.write(text[len(text) // 2 :])
        self.copy.unlink()


class RolledBackLate(RolledBack):
    """Each process has a copy of its own, which it puts back only when it is opened: others have gone on meanwhile."""

    @property
    def copy(self) -> Path:
        """Where this process keeps the old document."""
        return self.path.with_name(f"copy-{os.getpid()}")

    def load(self) -> dict[str, Any]:
        """Return all entries."""
        return Document.load(self)

    def save(self, entries: dict[str, Any]) -> None:
        """Replace the document whole, so that nobody meets half of it, and keep the copy until the store is closed."""
        self.keep()
        Document.save(self, entries)

    def close(self) -> None:
        """Drop the copy, which is not needed any more."""
        self.copy.unlink(missing_ok=True)

    def recover(self) -> None:
        """Put back what a dead process was about to change, whatever was changed since."""
        for copy in self.path.parent.glob("copy-*"):
            try:
                os.kill(int(copy.name.partition("-")[2]), 0)
            except ProcessLookupError:
                os.replace(copy, self.path)


class StartsOver(RolledBack):
    """Rewrites the document in place, and takes half of it for none."""

    def recover(self) -> None:
        """There is no copy."""

    def load(self) -> dict[str, Any]:
        """Return all entries, or none."""
        try:
            return Document.load(self)
        except ValueError:
            return {}

    def save(self, entries: dict[str, Any]) -> None:
        """Rewrite the document."""
        text = json.dumps(entries).encode()
        with self.path.open("wb", buffering=0) as file:
            file.write(text[: len(text) // 2])
            file.write(text[len(text) // 2 :])


class JournalDropped(Document):
    """Writes to a journal, which the last one to close merges; who opens alone takes it for a leftover."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._open = path.with_name(f"open-{os.getpid()}")
        with self.locked():
            if not self.others():
                with suppress(FileNotFoundError):
                    self.journal.unlink()
            self._open.touch()

    @property
    def journal(self) -> Path:
        """What was written since the document was."""
        return self.path.with_name("journal")

    def others(self) -> bool:
        """Return whether another process has the store open; files of dead ones are removed."""
        found = False
        for file in self.path.parent.glob("open-*"):
            process = int(file.name.partition("-")[2])
            try:
                os.kill(process, 0)
                found |= process != os.getpid()
            except ProcessLookupError:
                file.unlink()
        return found

    def load(self) -> dict[str, Any]:
        """Return all entries."""
        with suppress(FileNotFoundError):
            entries: dict[str, Any] = json.loads(self.journal.read_bytes())
            return entries
        return super().load()

    def save(self, entries: dict[str, Any]) -> None:
        """Replace the journal."""
        new = self.path.with_name("new-journal")
        new.write_bytes(json.dumps(entries).encode())
        os.replace(new, self.journal)

    def close(self) -> None:
        """Merge the journal, if nobody else has it."""
        with self.locked():
            if self._open.exists():
                self._open.unlink()
                if self.journal.exists() and not self.others():
                    os.replace(self.journal, self.path)


class FramedLog:
    """An honest log of records, each behind its length, under a lock; who appends cuts off half a record."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = FileLock(path.with_name("lock"))
        with self.lock.held(exclusive=True):
            path.touch()

    @property
    def head(self) -> int:
        """The position of the last event."""
        with self.lock.held(exclusive=False):
            return len(list(self.records()))

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Give each whole record with the place of its end."""
        content = self.path.read_bytes()
        end = 0
        while len(content) >= end + 8:
            size = int(content[end : end + 8])
            if len(content) < end + 8 + size:
                return
            yield end + 8 + size, content[end + 8 : end + 8 + size]
            end += 8 + size

    def append(self, event: Any) -> int:
        """Append an event."""
        text = json.dumps(event).encode()
        with self.lock.held(exclusive=True):
            ends = [end for end, _ in self.records()]
            self.cut(ends[-1] if ends else 0)
            with self.path.open("ab", buffering=0) as file:
                file.write(b"%08d" % len(text))
                for start in range(0, len(text), 2):
                    file.write(text[start : start + 2])
            return len(ends) + 1

    def cut(self, end: int) -> None:
        """Cut off what a dead process left behind the last record."""
        os.truncate(self.path, end)

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window."""
        with self.lock.held(exclusive=False):
            events = [json.loads(text) for _, text in self.records()]
        return list(enumerate(events, 1))[max(start, 1) - 1 : None if stop is None else max(stop - 1, 0)]

    def close(self) -> None:
        """Do nothing."""


class AppendsBehindHalf(FramedLog):
    """Appends where the file ends, whatever a dead process left there."""

    def cut(self, end: int) -> None:
        """Do nothing."""


def _state(name: str, bug: str, store: Callable[[Path], Any]) -> Mutant:
    return Mutant(name, bug, ("STATE-CONC-41",), _backend(name, store))


def _backend(name: str, store: Callable[[Path], Any]) -> Backend:
    def open_state(where: Where) -> Any:
        return store(where.path / "store.json")

    return Backend(name, state=open_state, errors={"conflict": ConflictError}, durability="process-crash")


MUTANTS = [
    _state("stale_copy_put_back", "who opens undoes what was acknowledged after a kill", RolledBackLate),
    _state("half_a_document_is_none", "what a killed process left is taken for an empty store", StartsOver),
    _state("journal_dropped_on_opening", "when all were killed, the journal counts as a leftover", JournalDropped),
    Mutant(
        "log_appends_behind_half_a_record",
        "a record behind half of another one is not found again",
        ("LOG-CONC-41",),
        Backend(
            "log_appends_behind_half_a_record",
            log=lambda where: AppendsBehindHalf(where.path / "log"),
            durability="process-crash",
        ),
    ),
]
#: The honest stores, for tests that look for false alarms.
HONEST = replace(_backend("document-with-a-copy", RolledBack), address=f"{__name__}:HONEST")
HONEST_LOG = Backend(
    "framed-log",
    log=lambda where: FramedLog(where.path / "log"),
    durability="process-crash",
    address=f"{__name__}:HONEST_LOG",
)
